"""Replicated secret sharing in Z_2^64 among three parties [AFLNO16].

x = x_0 + x_1 + x_2, uniform but for their sum. Party i holds x_i and x_{i+1}, seats
counted modulo 3, so each part is held by two and each party lacks one. The key
k_i is shared by parties i and i-1: party i lacks k_{i-1}, as it lacks x_{i-1}.
F(k, step) is a stream that both holders draw without a message.

Sums, and products with public numbers, are local. A product is one ring element
sent by each party: its terms are spread over the parties, an additive share
z_i each, which is masked with shares of zero F(k_i) - F(k_{i+1}) and handed to
party i-1, so that it is replicated again. Any function whose additive shares are
local in this way (`reshare`) costs the same, whatever it sums up inside.

Adversary: three parties, at most one of them corrupt. Each party's view is uniform
noise beside its own inputs and what is revealed to it. A party that deviates can
add an error to a product that it helps to compute, and to what it sends of a reveal.
In a committee that checks (the default) every product is kept on a `Record` until
`verification.verify` has found it right, nothing is revealed before, and what is
revealed is compared with what its other holder holds. A semi-honest committee notices
nothing. Two parties together know everything. Unreviewed.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal, overload

import numpy as np
from numpy.typing import NDArray

from quorate.algebra import matrix
from quorate.algebra.ring import BLOCK, Words, blocks
from quorate.errors import Party, Refused
from quorate.mpc.agreement import Agreement, Claim, Randomness, agree
from quorate.mpc.parts import hand_over, hand_over_tagged
from quorate.mpc.record import Entry, Kind, Record
from quorate.mpc.streams import Stream
from quorate.transport.session import Session

SEATS = 3

Security = Literal["malicious", "semi-honest"]
"""What the one corrupt party may do: anything, or read what it is sent."""


@dataclass(frozen=True, slots=True)
class Share:
    """One party's part of secret words: x_i and x_{i+1}, of one shape. Never written to."""

    own: Words = field(repr=False)
    next: Words = field(repr=False)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.own.shape


@dataclass(frozen=True, slots=True)
class Committee:
    """Three parties in one session: what each brings to every step."""

    session: Session
    own_key: bytes = field(repr=False)
    """k_i, shared with party i-1."""

    next_key: bytes = field(repr=False)
    """k_{i+1}, shared with party i+1."""

    record: Record[Share] | None = field(default=None, repr=False)
    """What has to be verified before a reveal; None where nothing is checked."""

    @property
    def me(self) -> Party:
        return self.session.me

    @property
    def checks(self) -> bool:
        return self.record is not None

    def at(self, name: str) -> "Committee":
        """Return the same committee in `Session.at(name)`, for steps side by side."""
        return replace(self, session=self.session.at(name))

    def beside(self, count: int) -> list["Committee"]:
        """Return this committee for each of so many steps that run side by side."""
        step = self.session.label().rpartition("/")[2]
        return [self.at(f"beside {step}.{i}") for i in range(count)]

    def unchecked(self) -> "Committee":
        """Return the same committee for a step whose result the caller records."""
        return replace(self, record=None) if self.checks else self

    def refuse_to_check(self) -> None:
        """Raise `Refused` where this committee checks: the caller's step is not recorded."""
        if self.checks:
            raise Refused("this step cannot be verified", hint="convene a semi-honest committee")

    def claim(self, kind: Kind, *shares: Share, label: str = "") -> None:
        """Record what is to be verified before the next reveal, if this committee checks.

        Of a conjunction `label` says with what streams its messages are masked.
        """
        if self.record is not None and shares[-1].own.size:
            words = 2 * sum(share.own.size for share in shares)
            self.record.entries.append(Entry(kind, self.session.path, shares, words, label))

    def streams(self) -> tuple[Stream, Stream]:
        """Return F(k_i) and F(k_{i+1}) of a new step: call it at all parties, in one order."""
        return self.streams_of(self.session.label())

    def streams_of(self, label: str) -> tuple[Stream, Stream]:
        """Return the streams of a step from their start: to draw them again, not for another."""
        return Stream(self.own_key, label), Stream(self.next_key, label)


@overload
def local(function: Callable[[Words], Words], x: Share, /) -> Share: ...
@overload
def local(function: Callable[[Words, Words], Words], x: Share, y: Share, /) -> Share: ...
@overload
def local(
    function: Callable[[Words, Words, Words], Words], x: Share, y: Share, z: Share, /
) -> Share: ...
def local(function: Callable[..., Words], *shares: Share) -> Share:
    """Return what each party computes of its own parts: sums, XORs, places."""
    own = function(*(share.own for share in shares))
    return Share(own, function(*(share.next for share in shares)))


def only(committee: Committee, x: Share, *parts: int) -> Share:
    """Return the sum, or the XOR, of some of the three parts of x: the others are zeros."""
    zeros = np.zeros(x.shape, np.uint64)
    own = x.own if committee.me in parts else zeros
    return Share(own, x.next if (committee.me + 1) % SEATS in parts else zeros)


async def convene(
    session: Session,
    context: bytes,
    claim: Claim,
    randomness: Randomness,
    security: Security = "malicious",
) -> Committee:
    """Agree on the keys of a session of three. Raises `Abort`, `Refused`, `SessionReused`.

    Cost: 2 rounds, 326 bytes a party
    """
    if session.n != SEATS:
        raise Refused(f"the engine takes three parties, not {session.n}")
    return convened(session, await agree(session, context, bytes(32), claim, randomness), security)


def convened(session: Session, bond: Agreement, security: Security) -> Committee:
    """Return the committee of a session of three, with the keys they agreed on."""
    before, after = (session.me - 1) % SEATS, (session.me + 1) % SEATS
    record = Record[Share]() if security == "malicious" else None
    return Committee(session, bond.keys[before], bond.keys[after], record)


async def deal(
    committee: Committee,
    owner: Party,
    words: NDArray[np.uint64],
    subtract: np.ufunc = np.subtract,
) -> Share:
    """Share the `words` of party `owner`; the others' only say the shape.

    x_g = F(k_g),  x_{g+1} = x - x_g,  x_{g-1} = 0:  only party g+1 is sent anything.
    To share words of bits, `subtract` is XOR.

    Cost, m words: 1 round, 8 * m bytes by the owner
    """
    own_stream, next_stream = committee.streams()
    zeros = np.zeros(words.shape, np.uint64)
    seat = (committee.me - owner) % SEATS
    if seat == 2:
        await committee.session.route(like=zeros)
        return Share(zeros, next_stream.words(words.size).reshape(words.shape))
    if seat == 1:
        sent = await committee.session.route(senders=[owner], like=zeros)
        return Share(sent[owner], zeros)
    mask, rest = np.empty(words.size, np.uint64), np.empty(words.size, np.uint64)

    def masked() -> Iterator[Words]:
        for here in blocks(words.size):
            own_stream.fill(mask[here])
            yield subtract(words.reshape(-1)[here], mask[here], out=rest[here])

    await committee.session.route(masked(), to=[(owner + 1) % SEATS], like=zeros)
    return Share(mask.reshape(words.shape), rest.reshape(words.shape))


def public(committee: Committee, words: Words) -> Share:
    """Return a sharing of what everybody knows: x_0 = words, x_1 = x_2 = 0."""
    zeros = np.zeros(words.shape, np.uint64)
    return Share(words if committee.me == 0 else zeros, words if committee.me == 2 else zeros)


async def reveal(committee: Committee, x: Share, to: Collection[Party]) -> Words | None:
    """Send the parties in `to` the part that they lack; return x there, None elsewhere.

    Raises `Refused` while a product is unverified, `Abort` if two parties hold different parts.

    Cost, m words, to all: 1 round, 8 * m bytes a party; 16 more where the committee checks
    """
    refuse_unverified(committee)
    total = await combined(committee, x, to, np.add)
    return None if total is None else total.reshape(x.shape)


def refuse_unverified(committee: Committee) -> None:
    """Raise `Refused` if anything that was multiplied has not been verified since."""
    if committee.record is not None and not committee.record.is_empty:
        raise Refused("a product is not verified yet", hint="call verification.verify before it")


async def combined(
    committee: Committee,
    x: Share,
    to: Collection[Party],
    add: np.ufunc,
    making: Iterable[slice] | None = None,
) -> Words | None:
    """Return all parts of x put together, flat, at the parties in `to`; unverified as x may be.

    x_{i-1} comes from party i-1, and where the committee checks, its tag from party i+1.
    `making` yields places of x as they are written. Raises `Abort` if the two differ.

    Cost, m words, to all: 1 round, 8 * m bytes a party; 16 more where the committee checks
    """
    session, keys = committee.session, (committee.own_key, committee.next_key)
    own, following = x.own.reshape(-1), x.next.reshape(-1)
    made = blocks(own.size) if making is None else making
    if committee.checks and own.size:
        lacked = await hand_over_tagged(session, keys, (own, following), to, made)
    else:
        lacked = await hand_over(session, (own[here] for here in made), to, own)
    if lacked is None:
        return None
    total = lacked if lacked.flags.writeable else lacked.copy()  # what came is this party's alone
    add(total, own, out=total)
    add(total, following, out=total)
    return total


async def mul(committee: Committee, x: Share, y: Share) -> Share:
    """Multiply elementwise.

    z_i = x_i (y_i + y_{i+1}) + x_{i+1} y_i + F(k_i) - F(k_{i+1})

    Cost, m words: 1 round, 8 * m bytes a party
    """
    z = np.empty(x.shape, np.uint64)
    product = await reshare(committee.unchecked(), products(x, y, z.reshape(-1)), z)
    committee.claim(Kind.PRODUCT, x, y, product)
    return product


async def matmul(committee: Committee, x: Share, y: Share) -> Share:
    """Multiply matrices, (m, k) by (k, n): only the result's words are sent.

    Cost: 1 round, 8 * m * n bytes a party
    """
    z = matrix_products(x, y)
    parts = (z.reshape(-1)[here] for here in blocks(z.size))
    product = await reshare(committee.unchecked(), parts, z)
    committee.claim(Kind.MATRIX, x, y, product)
    return product


async def reshare(committee: Committee, parts: Iterable[Words], z: Words) -> Share:
    """Replicate a value of which party i holds the additive share z_i.

    `parts` yields z, a block at a time, as slices of it: each is masked and sent.
    Nothing here can be verified, so a committee that checks is refused.

    Cost, m words: 1 round, 8 * m bytes a party
    """
    committee.refuse_to_check()
    own, after = committee.streams()
    noise = np.empty(min(BLOCK, z.size), np.uint64)

    def masked() -> Iterator[Words]:
        for part in parts:
            zeros = noise[: part.size]
            own.fill(zeros)
            np.add(part, zeros, out=part)
            after.fill(zeros)
            yield np.subtract(part, zeros, out=part)

    return Share(z, await committee.session.shift(masked(), by=-1, like=z))


def products(x: Share, y: Share, out: Words) -> Iterator[Words]:
    """Yield blocks of `out` filled with the additive shares of x y."""
    x_own, x_next, y_own, y_next = (part.reshape(-1) for part in (x.own, x.next, y.own, y.next))
    scratch = np.empty(min(BLOCK, out.size), np.uint64)
    for here in blocks(out.size):
        z = out[here]
        cross = np.multiply(x_next[here], y_own[here], out=scratch[: z.size])
        np.add(y_own[here], y_next[here], out=z)
        np.multiply(z, x_own[here], out=z)
        yield np.add(z, cross, out=z)


def matrix_products(x: Share, y: Share) -> Words:
    """Return the additive shares of the matrix product x y."""
    z = matrix.matmul(x.own, y.own + y.next)
    return np.add(z, matrix.matmul(x.next, y.own), out=z)
