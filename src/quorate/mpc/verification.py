"""Finding out that everything multiplied was multiplied rightly, before anything is revealed.

Every message of a committee that checks is one of these, and each has its check:

    the share of a product, an AND, a matrix product     its claim, on the `Record`
    what party 0 deals of x_0 + x_1 (`sums`)             claims of carries: an AND, and zeros
    the part of a reveal                                 the tag of the part's other holder
    what an owner deals                                  none is needed: it defines the secret

`verify` brings matrices down to products (`projections`), holds products and ANDs against
random triples (`buckets`), or has ANDs proved (`proofs`) where that is quicker (`choice`), and
compares what has to be zero (`zeros`). Whatever a corrupt party changed is an error that it
knows, so whether the session ends tells it nothing.

Adversary: one party of three, active; a wrong value passes with probability below 2^-40 in
a session. Two honest parties that go on agree that all is right. Unreviewed.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from quorate.algebra.ring import Words
from quorate.mpc import proofs, zeros
from quorate.mpc.buckets import BITS, RING, ZERO, Algebra, Claims, batches, check
from quorate.mpc.choice import Check, of_ands
from quorate.mpc.cost import NEAR, Pace
from quorate.mpc.projections import project
from quorate.mpc.record import Entry, Kind
from quorate.mpc.replicated import Committee, Share, local
from quorate.transport.session import together

ROOM = 12 << 20
"""Words that are kept for claims before they are verified: 96 MiB, of 2^21 products."""


def is_due(committee: Committee) -> bool:
    """Return whether so much is claimed that it should be verified now, reveal or not."""
    return committee.record is not None and committee.record.words >= ROOM


async def verify(committee: Committee, pace: Pace = NEAR) -> None:
    """Abort unless all that was claimed since the last call is true; a reveal may follow.

    Call it at all parties at the same place, with the same pace, when no other step is under way.
    The cost is `price.verification` of what was claimed.
    """
    record = committee.record
    if record is None or record.is_empty:
        return
    claimed = record.take()
    matrices = [_three(entry) for entry in claimed if entry.kind is Kind.MATRIX]
    words = [_three(entry) for entry in claimed if entry.kind is Kind.PRODUCT]
    ands = [entry for entry in claimed if entry.kind is Kind.CONJUNCTION]
    empty = [entry.shares[0] for entry in claimed if entry.kind is Kind.ZERO]
    sums: list[Share] = []
    if matrices:
        (before,) = committee.beside(1)
        projected, sums = await project(before, matrices)
        words.append(projected)
    for_ring, for_bits, for_zeros = committee.beside(3)
    await together(
        _check_all(for_ring, RING, words),
        _check_ands(for_bits, ands, pace),
        _all_zero(for_zeros, sums, empty),
    )
    record.verified()


async def _check_all(committee: Committee, algebra: Algebra, claims: Sequence[Claims]) -> None:
    if not claims:
        return
    x, y, z = (_joined(shares) for shares in zip(*claims, strict=True))
    for here in batches(z.own.size):
        await check(committee, algebra, (_at(x, here), _at(y, here), _at(z, here)))


async def _check_ands(committee: Committee, claims: Sequence[Entry[Share]], pace: Pace) -> None:
    words = sum(claim.shares[0].own.size for claim in claims)
    if of_ands(words, pace) is Check.PROOF:
        await proofs.check(committee, claims)
    else:
        await _check_all(committee, BITS, [_three(claim) for claim in claims])


async def _all_zero(committee: Committee, sums: Sequence[Share], bits: Sequence[Share]) -> None:
    if sums or bits:
        await zeros.compare(committee, _blocks(sums, bits))


def _three(entry: Entry[Share]) -> Claims:
    x, y, z = entry.shares
    return x, y, z


def _joined(shares: Sequence[Share]) -> Share:
    if len(shares) == 1:
        return local(np.ravel, shares[0])
    own, following = (
        [part.reshape(-1) for part in parts]
        for parts in zip(*((one.own, one.next) for one in shares), strict=True)
    )
    return Share(np.concatenate(own), np.concatenate(following))


def _at(x: Share, here: slice) -> Share:
    return Share(x.own[here], x.next[here])


def _blocks(sums: Sequence[Share], bits: Sequence[Share]) -> Iterator[tuple[Words, Words]]:
    """Yield of each share that is to be zero x_i + x_{i+1} and -x_{i+1}."""
    for one in sums:
        yield one.own + one.next, ZERO - one.next
    for one in bits:
        yield one.own ^ one.next, one.next
