"""Two parties' own tables, matched by the third, which sees how many keys are common [ours].

Receiver a and provider b take a fresh key from their pair's stream; the tag of a person is AES
of its number. Both order their rows by tag, and send the tags to the third, c. Numbers have to be
unique in each table. With rho and m drawn by b and c:

    b -> a:  t = rho(rows, 1, and as many zeros as a has rows) + m
    c -> a:  psi = rho^-1 (the row of b with this tag, or the next row of zeros)

a holds t(psi) and c holds -m(psi): b's rows, and a 1 where there is one, for each row of a.

a and b see noise, c the tags of both: how many are common, and nothing else, for the tags are new
in each run and their order is random. Adversary: three parties, at most one corrupt
and curious; a committee that checks is refused. Unreviewed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from quorate.algebra.ring import Words
from quorate.errors import Abort, DataError, Party
from quorate.mpc.replicated import SEATS, Committee, Share
from quorate.mpc.streams import Stream
from quorate.mpc.tables.owned import Message, drawn, injection, replicated_by_two
from quorate.mpc.tables.permutations import Places, inverse
from quorate.transport.session import together

TAG_WORDS = 2
KEY_WORDS = 2
ZERO = np.uint64(0)
DUMMY = 1 << 63
"""Numbers from here on are nobody's: what tables are filled up with."""


@dataclass(frozen=True, slots=True)
class Matched:
    """For each row of the receiver, in the order of tags: whether it was met, and with what."""

    order: Places = field(repr=False)
    """Which of the receiver's rows it is; told to the receiver alone, empty at the others."""

    met: Share = field(repr=False)
    """(rows, 1 + columns): 1, then the provider's numbers; zeros where there is no such row."""


def dummies(seat: Party, count: int) -> Words:
    """Return numbers of nobody, which no other party's table has."""
    return np.arange(count, dtype=np.uint64) + np.uint64(DUMMY + (seat << 56))


@dataclass(frozen=True, slots=True)
class Sides:
    """Whose tables are matched, and how many rows each has."""

    receiver: Party
    provider: Party
    received: int
    provided: int
    columns: int
    """Numbers in a row of the provider's."""

    @property
    def third(self) -> Party:
        return SEATS - self.receiver - self.provider

    @property
    def shape(self) -> tuple[int, int]:
        """Return that of the table of the provider's rows and as many zeros as may be needed."""
        return self.received + self.provided, 1 + self.columns


async def match(
    committee: Committee, sides: Sides, ids: Words | None = None, rows: Words | None = None
) -> Matched:
    """Match two tables by the numbers of their rows, which receiver and provider each give.

    The provider gives its `rows` (rows, columns) too. Numbers are below 2^63, or `dummies`.
    Raises `DataError` at who gives a number twice, `Abort` at who is told what cannot be.

    Cost, n rows received, q provided, k columns: 3 rounds; 16 * n + 8 * n * (k + 1) bytes by the
    receiver, 16 * q + 8 * (n + q) * (k + 1) by the provider, 4 * n + 8 * n * (k + 1) by the third
    """
    committee.refuse_to_check()
    steps = committee.beside(len(("tags received", "tags provided", "table", "places")))
    label, order = committee.session.label(), np.zeros(0, np.int64)
    mine = np.zeros((sides.received, sides.shape[1]), np.uint64)
    if committee.me == sides.third:
        mine = await _third(committee, sides, steps, label)
    elif ids is None:
        raise DataError("the numbers of the rows to match are missing")
    else:
        tags, order = tagged(_key(committee, sides.provider, sides.receiver), label, ids)
        if committee.me == sides.receiver:
            mine = await _receiver(sides, steps, tags)
        elif rows is None:
            raise DataError("the rows to match are missing")
        else:
            whole = np.zeros(sides.shape, np.uint64)
            whole[: sides.provided, 0] = 1
            whole[: sides.provided, 1:] = rows.take(order, axis=0)
            await _provider(committee, sides, steps, tags, whole, label)
            order = order[:0]
    is_after = sides.third == (sides.receiver + 1) % SEATS
    holder = sides.third if is_after else sides.receiver
    (last,) = committee.beside(1)
    return Matched(order, await replicated_by_two(last, holder, mine))


async def _receiver(sides: Sides, steps: Sequence[Committee], tags: Words) -> Words:
    for_tags, _, for_table, for_places = (step.session for step in steps)
    like: Message = np.zeros(sides.shape, np.uint64)
    psi: Message = np.zeros(sides.received, np.uint32)
    mine: Message = tags
    _, table, told = await together(
        for_tags.route(mine, to=[sides.third], like=mine),
        for_table.route(senders=[sides.provider], like=like),
        for_places.route(senders=[sides.third], like=psi),
    )
    places = injection(told[sides.third], len(like))
    rows: Words = table[sides.provider].take(places, axis=0)
    return rows


async def _provider(
    committee: Committee,
    sides: Sides,
    steps: Sequence[Committee],
    tags: Words,
    whole: Words,
    label: str,
) -> None:
    _, for_tags, for_table, _ = (step.session for step in steps)
    order, masks = drawn(_key(committee, sides.provider, sides.third), label, sides.shape)
    masks += whole.take(order, axis=0)
    await together(
        for_tags.route(tags, to=[sides.third], like=tags),
        for_table.route(masks, to=[sides.receiver], like=masks),
    )


async def _third(
    committee: Committee, sides: Sides, steps: Sequence[Committee], label: str
) -> Words:
    received, provided, _, for_places = (step.session for step in steps)
    like = [np.zeros((rows, TAG_WORDS), np.uint64) for rows in (sides.received, sides.provided)]
    ours, theirs = await together(
        received.route(senders=[sides.receiver], like=like[0]),
        provided.route(senders=[sides.provider], like=like[1]),
    )
    wanted = met(ours[sides.receiver], theirs[sides.provider])
    order, masks = drawn(_key(committee, sides.provider, sides.third), label, sides.shape)
    psi = inverse(order).take(wanted).astype(np.uint32)
    await for_places.route(psi, to=[sides.receiver], like=psi)
    return ZERO - masks.take(psi, axis=0)


def tagged(key: bytes, label: str, ids: Words) -> tuple[Words, Places]:
    """Return the tags of numbers in their order, and which number each is of."""
    fresh = Stream(key, f"{label} tags").words(KEY_WORDS).tobytes()
    blocks = np.zeros((ids.size, TAG_WORDS), np.uint64)
    blocks[:, 0] = ids
    # One block for each number: a permutation under a key that is used in this run alone.
    cipher = Cipher(algorithms.AES128(fresh), modes.ECB()).encryptor()  # noqa: S305
    tags = np.frombuffer(cipher.update(blocks.tobytes()), np.uint64).reshape(blocks.shape)
    order = np.argsort(tags[:, 0])
    ordered = tags.take(order, axis=0)
    if np.any(ordered[1:, 0] == ordered[:-1, 0]):
        raise DataError("a person is twice among the rows to match", hint="group the rows first")
    return ordered, order


def met(ours: Words, theirs: Words) -> Places:
    """Return for each of our tags, in order, its place among theirs, or one of its own behind.

    Raises `Abort` unless both are in order and none is there twice.
    """
    for tags in (ours, theirs):
        if np.any(tags[1:, 0] <= tags[:-1, 0]):
            raise Abort("tags to match are not in order, or one is there twice")
    behind = np.arange(len(theirs), len(theirs) + len(ours))
    if not len(theirs):
        return behind
    found = np.minimum(np.searchsorted(theirs[:, 0], ours[:, 0]), len(theirs) - 1)
    return np.where(np.all(theirs[found] == ours, axis=1), found, behind)


def _key(committee: Committee, one: Party, other: Party) -> bytes:
    """Return the key of two parties, of which this is one."""
    partner = one + other - committee.me
    return committee.own_key if partner == (committee.me - 1) % SEATS else committee.next_key
