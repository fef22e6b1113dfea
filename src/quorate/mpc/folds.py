"""The long arithmetic of `mpc.proofs`, at one party: products at many points, and folding.

2^D rows of words are the coefficients of a polynomial in D variables, each of degree at most
one: bit d of a row's number says whether it goes with variable d, the first variable with the
highest bit. A product of two such polynomials has degree two in each variable, and is told by
its values at 0, at 1 and by its leading coefficient [KO62]: 3^D values instead of 4^D. Rows
are arrays of bits, their product AND, and of each product only the fingerprint is kept.
"""

from collections.abc import Sequence

import numpy as np

from quorate.algebra.ghash import Element, Elements, Fingerprint, multiply, scaled
from quorate.algebra.ring import Words, blocks

CHUNK = 4096
"""Words of a row at a time: 128 rows of two operands are 8 MiB."""

GROUP = 4
"""Rows whose 16 sums are made once, for all that are folded from them [ADKF70]."""


def products(operands: Sequence[Sequence[Words]], fingerprint: Fingerprint) -> Elements:
    """Return the fingerprints of x y at all 3^D points, (3^D, 2).

    Each operand is given in parts of (2^D, n) whose XOR it is. Of each variable, the
    first highest, come the products at 0, at 1, and of what goes with it.
    """
    rows, size = operands[0][0].shape
    found = np.zeros((3 ** (rows.bit_length() - 1), 2), np.uint64)
    for here in blocks(size, CHUNK):
        x, y = (_whole([part[:, here] for part in parts]) for parts in operands)
        width = x.shape[1]
        tags: list[bytes] = []
        _Spread(fingerprint, rows, width, tags).over(x, y, 0)
        found = fingerprint.after(found, width) ^ fingerprint.of_tags(tags, width)
    return found


def _whole(parts: Sequence[Words]) -> Words:
    out = parts[0].copy()
    for part in parts[1:]:
        np.bitwise_xor(out, part, out=out)
    return out


class _Spread:
    """One walk over all points, with the room it takes."""

    def __init__(self, fingerprint: Fingerprint, rows: int, width: int, tags: list[bytes]) -> None:
        self._tag = fingerprint.tag
        self._tags = tags
        self._sums = [
            (
                np.empty((rows >> depth, width), np.uint64),
                np.empty((rows >> depth, width), np.uint64),
            )
            for depth in range(1, rows.bit_length())
        ]
        self._product = np.empty(width, np.uint64)

    def over(self, x: Words, y: Words, depth: int) -> None:
        half = len(x) // 2
        if not half:
            self._tags.append(self._tag(np.bitwise_and(x[0], y[0], out=self._product)))
            return
        x_0, x_1, y_0, y_1 = x[:half], x[half:], y[:half], y[half:]
        self.over(x_0, y_0, depth + 1)
        self.over(x_1, y_1, depth + 1)
        x_both, y_both = self._sums[depth]
        np.bitwise_xor(x_0, x_1, out=x_both)
        np.bitwise_xor(y_0, y_1, out=y_both)
        self.over(x_both, y_both, depth + 1)


def evaluated(values: Elements, at: Sequence[Element]) -> Elements:
    """Return the polynomial of these values, (3^D, 2), at one or the first of D points.

    g_0 + (g_0 + g_1 + g_s) r + g_1 r^2 for each variable: (3^(D - len(at)), 2)
    """
    for r in at:
        zeroth, first, both = values.reshape(3, -1, 2)
        values = zeroth ^ scaled(zeroth ^ first ^ both ^ scaled(first, r), r)
    return values


def summed(values: Elements, weights: Sequence[Element]) -> Elements:
    """Return the sum of what belongs to the rows themselves, as (1, 2).

    `weights` are what a row counts for, of each variable, where it does not go with it.
    """
    for weight in weights:
        zeroth, first, _ = values.reshape(3, -1, 2)
        values = scaled(zeroth, weight) ^ first
    return values


def folded(rows: Words, coefficients: Words, planes: int) -> Words:
    """Return, as (planes, n), the sums of those of the rows (K, n) whose coefficient has bit p."""
    out = np.zeros((planes, rows.shape[1]), np.uint64)
    picks = _picks(coefficients, planes)
    for here in blocks(rows.shape[1], CHUNK):
        sums = np.zeros((1 << GROUP, here.stop - here.start), np.uint64)
        for i, pick in enumerate(picks):
            _sums(rows[GROUP * i : GROUP * (i + 1), here], sums)
            for p, one in pick:
                place = out[p, here]
                np.bitwise_xor(place, sums[one], out=place)
    return out


def _picks(coefficients: Words, planes: int) -> list[list[tuple[int, int]]]:
    """Return, for each group of rows, which of its sums each plane takes, but for empty ones."""
    groups = np.zeros((-(-coefficients.size // GROUP), GROUP), np.uint64)
    groups.reshape(-1)[: coefficients.size] = coefficients
    places = np.arange(planes, dtype=np.uint64)[:, None]
    bits = groups[:, None] >> places & np.uint64(1)
    sums = (bits << np.arange(GROUP, dtype=np.uint64)).sum(axis=2).tolist()
    return [[(p, one) for p, one in enumerate(group) if one] for group in sums]


def _sums(rows: Words, out: Words) -> None:
    """Write the sum of each set of rows to its place; the empty one is there."""
    for i, row in enumerate(rows):
        out[1 << i] = row
        for j in range(1, 1 << i):
            np.bitwise_xor(out[j], row, out=out[j + (1 << i)])


def folded_elements(rows: Elements, at: Sequence[Element]) -> Elements:
    """Return a polynomial with coefficients (2^D, 2) at the first of D points, the rest left."""
    for r in at:
        zeroth, first = rows.reshape(2, -1, 2)
        rows = zeroth ^ scaled(first, r)
    return rows


def inner_products(x: Elements, y: Elements, variables: int) -> Elements:
    """Return the sums of x y over what is left, at all 3^D points of the first D variables."""
    every = multiply(_points(x, variables), _points(y, variables))
    found: Elements = np.bitwise_xor.reduce(every, axis=1)
    return found


def _points(x: Elements, variables: int) -> Elements:
    """Return x at all points, (3^D, n, 2)."""
    x = x.reshape(1, -1, 2)
    for _ in range(variables):
        halves = x.reshape(len(x), 2, -1, 2)
        both = halves[:, 0] ^ halves[:, 1]
        x = np.stack((halves[:, 0], halves[:, 1], both), axis=1).reshape(-1, *both.shape[1:])
    return x
