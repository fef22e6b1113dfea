"""Data owners beyond the three: any member may deal secrets to the committee.

All members meet in one session, the gathering; its seats 0, 1 and 2 are the committee, which
computes in a session of its own. The owner chooses the seeds of two parts and the
third part follows:

    x_0 = F(s_0),  x_1 = F(s_1),  x_2 = x - x_0 - x_1

Each part goes to both of its holders, who then compare hashes, so an owner that
gives them different parts is noticed. A committee without it sees noise only.

Adversary: of the committee as in `mpc.replicated`; owners may be active and any
number of them, for whatever parts they deal, if all are the same, are the shares of some input.
Unreviewed.
"""

import hashlib
import hmac
from collections.abc import Awaitable, Iterator
from typing import cast

import numpy as np

from quorate import wire
from quorate.algebra.ring import Words, blocks
from quorate.errors import Abort, Party
from quorate.mpc.agreement import Randomness
from quorate.mpc.replicated import SEATS, Committee, Share
from quorate.mpc.streams import Stream
from quorate.transport.session import Session, together

SEED_BYTES = 32
LABEL = "part"
HOLDERS = ((0, 2), (1, 0), (2, 1))
"""Who holds part 0, 1 and 2: the party of that seat, and the one before it."""


async def deal_to_committee(
    gathering: Session,
    owner: Party,
    words: Words,
    randomness: Randomness,
    subtract: np.ufunc = np.subtract,
) -> Share | None:
    """Share the `words` of an owner outside the committee; the others' only say the shape.

    Returns the committee's shares, unconfirmed; None to everybody else. To share words of
    bits, `subtract` is XOR.

    Cost, m words: 1 round, 16 * m + 128 bytes by the owner
    """
    if owner < SEATS:
        raise ValueError("who sits in the committee deals with `replicated.deal`")
    zeroth, first, last = (gathering.at(f"part {part}") for part in range(3))
    if gathering.me == owner:
        seeds = randomness(SEED_BYTES), randomness(SEED_BYTES)
        rest = np.empty_like(words)
        await together(
            zeroth.route(seeds[0], to=HOLDERS[0], like=seeds[0]),
            first.route(seeds[1], to=HOLDERS[1], like=seeds[1]),
            last.route(_rest(words, seeds, rest.reshape(-1), subtract), to=HOLDERS[2], like=rest),
        )
        return None
    if gathering.me >= SEATS:
        return None
    parts = await together(
        *(
            _receive(step, owner, part, words)
            for part, step in enumerate((zeroth, first, last))
            if gathering.me in HOLDERS[part]
        )
    )
    own, after = parts if gathering.me != 2 else parts[::-1]  # parts 0 and 2 come in that order
    return Share(own, after)


def parts_of(words: Words, seeds: tuple[bytes, bytes]) -> tuple[Words, Words, Words]:
    """Return the three parts that an owner deals of flat `words` with these `seeds`."""
    zeroth, first = (Stream(seed, LABEL).words(words.size) for seed in seeds)
    return zeroth, first, words - zeroth - first


async def confirm(committee: Committee, x: Share, owner: Party) -> None:
    """Abort unless both holders of each part hold the same.

    Cost: 1 round, 32 bytes a party
    """
    own, after = hash_of(x.own), hash_of(x.next)
    told = await committee.session.shift(own, by=-1)
    if not hmac.compare_digest(told, after):
        raise Abort(
            "two members hold different parts of the same secret: its owner dealt them so, "
            "or one of the two lies",
            suspects=[owner, (committee.me + 1) % SEATS],
        )


async def reveal_to_all(gathering: Session, x: Share | None, like: Words) -> Words:
    """Return what the committee shares as `x`, at every member; `like` says the shape.

    Party i sends x_i to party i+1, who lacks it, and to all outside the committee; and
    a hash of x_{i+1} to party i-1 and to all outside, who compare. Raises `Abort`.

    Cost, m words, n members: 1 round, (8 * m + 32) * (n - 2) bytes by each of the committee
    """
    me, outside = gathering.me, range(SEATS, gathering.n)
    before, after = (me - 1) % SEATS, (me + 1) % SEATS
    parts, hashes, digest = gathering.at("parts"), gathering.at("hashes"), bytes(SEED_BYTES)
    if x is None:
        steps: tuple[Awaitable[object], ...] = (
            parts.route(senders=range(SEATS), like=like),
            hashes.route(senders=range(SEATS), like=digest),
        )
    else:
        theirs = hash_of(x.next)
        steps = (
            parts.route(x.own, to=[after, *outside], senders=[before], like=x.own),
            hashes.route(theirs, to=[before, *outside], senders=[after], like=digest),
        )
    sent, told = await together(*steps)
    received = cast("dict[Party, Words]", sent)
    _compare(received, cast("dict[Party, bytes]", told))
    return _whole(x, received)


async def reveal_to_one(
    gathering: Session, to: Party, x: Share | None, like: Words
) -> Words | None:
    """Return what the committee shares as `x` at party `to`, None elsewhere; `like` is its shape.

    One of the committee is sent the part it lacks and the other holder's hash; one outside all
    three of each. Raises `Abort`.

    Cost, m words: 1 round, 8 * m + 32 bytes by each of the committee to one outside; to one of
    the committee 8 * m by the party before it and 32 by the party after it
    """
    me, everybody = gathering.me, list(range(SEATS))
    before, after = (everybody, everybody) if to >= SEATS else ([(to - 1) % 3], [(to + 1) % 3])
    parts, hashes, digest = gathering.at("parts"), gathering.at("hashes"), bytes(SEED_BYTES)
    if me == to:
        received, told = await together(
            parts.route(senders=before, like=like), hashes.route(senders=after, like=digest)
        )
        given = cast("dict[Party, Words]", received)
        _compare(given, cast("dict[Party, bytes]", told))
        return _whole(x, given)
    if x is not None and me in before:
        await parts.route(x.own, to=[to], like=like)
    if x is not None and me in after:
        await hashes.route(hash_of(x.next), to=[to], like=digest)
    return None


def _compare(parts: dict[Party, Words], hashes: dict[Party, bytes]) -> None:
    """Abort unless each part is the one that its other holder has."""
    for holder, part in parts.items():
        other = (holder - 1) % SEATS
        if not hmac.compare_digest(hashes[other], hash_of(part)):
            raise Abort(
                "two members hold different parts of what is revealed: one of them lies",
                suspects=[holder, other],
            )


def _whole(x: Share | None, received: dict[Party, Words]) -> Words:
    """Return the three parts added up: those one holds, if any, and those one was sent."""
    parts = list(received.values())
    if x is not None:
        parts += [x.own, x.next]
    total: Words = parts[0] + parts[1] + parts[2]
    return total


def hash_of(part: Words) -> bytes:
    """Return the SHA-256 of a part as it is sent."""
    return hashlib.sha256(wire.array_frame(part)).digest()


async def _receive(step: Session, owner: Party, part: int, like: Words) -> Words:
    """Return part `part`, from its seed or as it is sent."""
    if part == 2:
        return (await step.route(senders=[owner], like=like))[owner]
    seed = (await step.route(senders=[owner], like=bytes(SEED_BYTES)))[owner]
    return Stream(seed, LABEL).words(like.size).reshape(like.shape)


def _rest(
    words: Words, seeds: tuple[bytes, bytes], out: Words, subtract: np.ufunc
) -> Iterator[Words]:
    """Yield blocks of `out` filled with x - F(s_0) - F(s_1)."""
    flat, streams = words.reshape(-1), [Stream(seed, LABEL) for seed in seeds]
    for here in blocks(out.size):
        out[here] = flat[here]
        for stream in streams:
            subtract(out[here], stream.words(here.stop - here.start), out=out[here])
        yield out[here]
