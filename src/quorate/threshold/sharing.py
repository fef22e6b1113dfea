"""Shamir's shares of a scalar [Sha79], with Feldman's commitments [Fel87].

A secret is f(0) of a polynomial of `min_signers` coefficients; the share of
identifier i is f(i). The commitment to f is the point a_k * BASE of each
coefficient a_k: from it anyone computes the point of every share, and nobody
the share. Who holds fewer than `min_signers` shares knows nothing about f(0)
beyond its point.
"""

from collections.abc import Iterable, Sequence
from functools import reduce as fold
from itertools import pairwise
from math import prod

from quorate.algebra import edwards25519 as ed
from quorate.algebra.edwards25519 import Point, Randomness, Scalar
from quorate.errors import OutOfRange

MAX_SIGNERS = 65_535
"""The most identifiers of one key: they are 1 to `max_signers`, two bytes each."""

Polynomial = tuple[Scalar, ...]
"""Coefficients, the constant first. Secret."""

Commitment = tuple[Point, ...]
"""The coefficients of a polynomial times BASE, the constant's first. Public."""


def polynomial(constant: Scalar, min_signers: int, randomness: Randomness) -> Polynomial:
    """Return a polynomial through `constant` at 0, its other coefficients uniform and not zero."""
    return constant, *(ed.random_scalar(randomness) for _ in range(min_signers - 1))


def evaluate(coefficients: Polynomial, identifier: int) -> Scalar:
    """Return f(identifier), the share of that identifier."""
    x = ed.scalar(identifier)
    return fold(lambda y, a: ed.scalar_add(ed.scalar_mul(y, x), a), reversed(coefficients), ed.ZERO)


def commit(coefficients: Polynomial) -> Commitment:
    return tuple(ed.base_mul(a) for a in coefficients)


def add_commitments(commitments: Iterable[Commitment]) -> Commitment:
    """Return the commitment to the sum of the polynomials; all have equally many coefficients."""
    return tuple(ed.sum_points(points) for points in zip(*commitments, strict=True))


def public_share(commitment: Commitment, identifier: int) -> Point:
    """Return f(identifier) * BASE: the sum of identifier^k * commitment[k]."""
    return fold(lambda y, a: ed.add(_times(identifier, y), a), reversed(commitment), ed.IDENTITY)


def _times(public: int, point: Point) -> Point:
    # An addition takes a sixth of a multiplication, whose time is that of a 253-bit scalar.
    additions = public.bit_length() + public.bit_count() - 2
    if additions > 5:
        return ed.mul(ed.scalar(public), point)
    total = point
    for bit in bin(public)[3:]:
        total = ed.add(total, total)
        if bit == "1":
            total = ed.add(total, point)
    return total


def check_identifiers(identifiers: Sequence[int]) -> None:
    """Raise `OutOfRange` unless these are distinct identifiers, in ascending order."""
    ascending = all(a < b for a, b in pairwise(identifiers))
    if not identifiers or not ascending or identifiers[0] < 1 or identifiers[-1] > MAX_SIGNERS:
        raise OutOfRange(f"not distinct identifiers from 1 to {MAX_SIGNERS}, in ascending order")


def lagrange(identifier: int, identifiers: Sequence[int], at: int = 0) -> Scalar:
    """Return the weight of `identifier`'s share when `identifiers` together compute f(at).

    The product of (at - j) / (identifier - j) over all other j. Public numbers only.
    """
    others = [j for j in identifiers if j != identifier]
    above = prod(at - j for j in others)
    below = prod(identifier - j for j in others)
    return ed.scalar(above * pow(below, -1, ed.ORDER))


def recover(shares: Sequence[tuple[int, Scalar]], at: int = 0) -> Scalar:
    """Return f(at) from enough (identifier, share) pairs.

    With `at` 0 this puts the whole secret in one place: for tests, and for the
    recovery of a key that its owners decided to give up.
    """
    identifiers = sorted(identifier for identifier, _ in shares)
    check_identifiers(identifiers)
    return ed.scalar_sum(
        ed.scalar_mul(lagrange(identifier, identifiers, at), share) for identifier, share in shares
    )
