"""Proving that all ANDs of a batch are right, in a few kilobytes: a distributed proof [BBCGI19].

Party i claims of its messages  z_i = x_i y_i ^ x_i y_{i+1} ^ x_{i+1} y_i ^ F(k_i) ^ F(k_{i+1}),
bit by bit [BGIN19]. With X = x_i ^ x_{i+1} and Y = y_i ^ y_{i+1} that is

    X Y = (z_i ^ F(k_i)) ^ (x_{i+1} y_{i+1} ^ F(k_{i+1})),

where party i-1, on the left, knows the first bracket, x_i and y_i; party i+1, on the right, the
second, x_{i+1} and y_{i+1}: between them they hold X and Y in two parts, and so what X Y is to
be. Party i proves it to the two, who are honest if it is not:

1. From a coin, the key of a fingerprint: one sum of products instead of one for each bit.
2. The words are coefficients of a polynomial in D variables (`folds`). Party i shares the 3^D
   values of the product between the two; they compare the sum these must have.
3. A coin, two points; at each, all fold their words to 1/2^D and the values to one,
   over a field of 2^32 elements, whose bits are planes: words again.
4. So on with fewer words, from one point to one point, while it pays; then over
   the field of 2^128 elements, both points in one sum, until at most 16 products are left.
5. With a product of masks added, all products of two factors are shared; a coin; random sums of
   the factors are revealed, and the two compare their product with the same sum of products.

Every party proves and holds two others to their proofs, with the same coins: what it folds as
its own part and its next serves for all three. The parameters are derived in
docs/spec/malicious.md. Adversary: one party of three, active. Unreviewed.
"""

from collections.abc import Sequence

import numpy as np

from quorate.algebra import ghash
from quorate.algebra.ghash import PLANES, Element, Elements, Fingerprint
from quorate.algebra.ring import Words
from quorate.mpc.buckets import toss
from quorate.mpc.endings import end, one_statement
from quorate.mpc.folds import evaluated, folded, products
from quorate.mpc.layout import LATER, POINTS, Layout, laid_out
from quorate.mpc.record import Entry
from quorate.mpc.replicated import Committee, Share, local
from quorate.mpc.statements import Findings, Statement, Values, moved, share
from quorate.mpc.streams import Stream

_PLANE = np.uint64(1) << np.arange(PLANES, dtype=np.uint64)
"""What each plane counts for."""


async def check(committee: Committee, claims: Sequence[Entry[Share]]) -> None:
    """Abort unless z = x AND y in all claims.

    The cost is that of `layout.Layout`.
    """
    layout = laid_out(sum(claim.shares[0].own.size for claim in claims))
    coin = await toss(committee)
    fingerprint = Fingerprint(coin.words(2).tobytes())
    found = Findings()
    stated = _stated(committee, claims, layout, fingerprint)
    statements, coin = await _first(committee, stated, layout, fingerprint, found)
    for _ in range(layout.stages):
        statements, coin = await _later(committee, statements, fingerprint, found)
    await end(committee, one_statement(statements, layout, fingerprint, coin), layout, found)


def _stated(
    committee: Committee, claims: Sequence[Entry[Share]], layout: Layout, fingerprint: Fingerprint
) -> Statement:
    """Return all claims as one, in rows, padded with zeros."""

    def rows() -> Words:
        return np.zeros(layout.rows * layout.columns, np.uint64)

    x, y, told = Share(rows(), rows()), Share(rows(), rows()), Share(rows(), rows())
    at = 0
    for claim in claims:
        a, b, c = claim.shares
        here = slice(at, at + c.own.size)
        for whole, part in ((x, a), (y, b)):
            whole.own[here], whole.next[here] = part.own, part.next
        np.bitwise_and(a.own, b.own, out=told.own[here])
        told.next[here] = c.next
        streams = committee.streams_of(claim.label)
        for words, stream in zip((told.own, told.next), streams, strict=True):
            stream.mask(words[here])
        at = here.stop
    left, right = fingerprint.of(told.next), fingerprint.of(told.own)
    shape = layout.rows, layout.columns
    x, y = (local(lambda part: part.reshape(shape), whole) for whole in (x, y))
    return Statement(x, y, left, right)


async def _first(
    committee: Committee,
    stated: Statement,
    layout: Layout,
    fingerprint: Fingerprint,
    found: Findings,
) -> tuple[list[Statement], Stream]:
    """Reduce what is stated of bits to one at each of several points; return the coin as well.

    Cost: 3 rounds
    """
    values = await share(committee, _values(stated, fingerprint, ()))
    found.add(stated, values, fingerprint.weights(layout.columns, layout.variables))
    coin = await toss(committee)
    points = [_point(coin, layout.variables) for _ in range(POINTS)]
    return [_at(stated, values, point, _coefficients(point)) for point in points], coin


async def _later(
    committee: Committee,
    statements: Sequence[Statement],
    fingerprint: Fingerprint,
    found: Findings,
) -> tuple[list[Statement], Stream]:
    """Reduce what is stated at each point to one of fewer words; return the coin as well.

    Cost: 3 rounds
    """
    columns = statements[0].x.own.shape[1] >> LATER
    rows = [
        Statement(_in_rows(one.x, columns), _in_rows(one.y, columns), one.left, one.right)
        for one in statements
    ]
    betas = ghash.betas()[::-1]
    mine = np.concatenate([_values(one, fingerprint, betas) for one in rows])
    values = (await share(committee, mine)).cut(len(rows))
    weights = fingerprint.weights(columns, LATER)
    for one, part in zip(rows, values, strict=True):
        found.add(one, part, weights)
    coin = await toss(committee)
    points = [_point(coin, LATER) for _ in rows]
    return [
        _at(one, part, point, _outer(_PLANE, _coefficients(point)))
        for one, part, point in zip(rows, values, points, strict=True)
    ], coin


def _values(stated: Statement, fingerprint: Fingerprint, fixed: Sequence[Element]) -> Elements:
    """Return what this party has to share: the products at all points, planes put together."""
    parts = [(one.own, one.next) for one in (stated.x, stated.y)]
    return evaluated(products(parts, fingerprint), fixed)


def _point(coin: Stream, variables: int) -> Words:
    """Return elements of the subfield."""
    return coin.words(variables) & np.uint64((1 << PLANES) - 1)


def _at(stated: Statement, values: Values, point: Words, coefficients: Words) -> Statement:
    """Return what is stated at a point, where each row counts for its coefficient."""

    def fold(part: Words) -> Words:
        return folded(part, coefficients, PLANES)

    where = ghash.numbers(ghash.embedded(point))
    return moved(local(fold, stated.x), local(fold, stated.y), values, where)


def _coefficients(point: Words) -> Words:
    """Return what each row counts for, the first variable with the highest bit."""
    found = np.ones(1, np.uint64)
    for r in point:
        found = _outer(found, np.array([1, r], np.uint64))
    return found


def _outer(a: Words, b: Words) -> Words:
    left, right = np.broadcast_arrays(a[:, None], b)
    return ghash.subfield_times(left, right).reshape(-1)


def _in_rows(x: Share, columns: int) -> Share:
    return local(lambda part: part.reshape(-1, columns), x)
