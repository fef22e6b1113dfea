"""What computing costs, known before anything runs, whether or not the committee checks.

A committee that checks takes other steps (`gates`, `shifts`), pays for the tags of reveals,
and for verifying what it has claimed. `cost` knows the steps of a semi-honest one.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from quorate.algebra.bits import columns
from quorate.errors import Party
from quorate.mpc import cost, expression
from quorate.mpc.choice import cost_of_ands, cost_of_buckets
from quorate.mpc.cost import FREE, NEAR, Cost, Pace
from quorate.mpc.expression import (
    Both,
    FromBits,
    IsNegative,
    IsZero,
    MatMul,
    Mul,
    Node,
    ToBits,
    ToRing,
    Truncate,
)
from quorate.mpc.layout import TAG, TOSS
from quorate.mpc.projections import PAIRS
from quorate.mpc.record import Entry, Kind
from quorate.mpc.replicated import Security, Share
from quorate.mpc.verification import ROOM


@dataclass(frozen=True, slots=True)
class Claims:
    """How much was claimed: words of products and ANDs, words of zeros, (m, k) by (k, n)."""

    products: int = 0
    ands: int = 0
    zeros: int = 0
    matrices: tuple[tuple[int, int, int], ...] = ()

    def __add__(self, other: "Claims") -> "Claims":
        return Claims(
            self.products + other.products,
            self.ands + other.ands,
            self.zeros + other.zeros,
            self.matrices + other.matrices,
        )

    @property
    def words(self) -> int:
        """Return the words that are kept for them."""
        of_matrices = sum(m * k + k * n + m * n for m, k, n in self.matrices)
        return 6 * (self.products + self.ands) + 2 * (self.zeros + of_matrices)


NOTHING = Claims()


@dataclass(frozen=True, slots=True)
class Checked:
    """A step of a committee that checks."""

    cost: Cost
    claims: Claims

    def then(self, other: "Checked") -> "Checked":
        return Checked(self.cost.then(other.cost), self.claims + other.claims)


def computing(
    outputs: Iterable[Node], pace: Pace, security: Security, before: Claims = NOTHING
) -> Checked:
    """Return what computing `outputs` costs, and what is claimed and not verified afterwards.

    `before` is what was not verified already: if it grows too much, it is verified on the way.
    """
    if security == "semi-honest":
        return Checked(expression.cost_of(outputs, pace), NOTHING)
    total, claims = FREE, before
    for sent, _ in expression.steps(outputs):
        together = FREE
        for one in map(checked, sent):
            together, claims = together.beside(one.cost), claims + one.claims
        total = total.then(together)
        if claims.words >= ROOM:
            total, claims = total.then(verification(claims, pace)), NOTHING
    return Checked(total, claims)


def cost_of(
    outputs: Iterable[Node], pace: Pace, security: Security, before: Claims = NOTHING
) -> Cost:
    """Return what computing `outputs` costs, verifying it and `before` included."""
    step = computing(outputs, pace, security, before)
    return step.cost.then(verification(step.claims, pace))


def recorded(entries: Iterable[Entry[Share]]) -> Claims:
    """Return how much is claimed."""
    return sum(map(_recorded, entries), NOTHING)


def _recorded(entry: Entry[Share]) -> Claims:
    shares = entry.shares
    size = shares[-1].own.size
    match entry.kind:
        case Kind.PRODUCT:
            return Claims(products=size)
        case Kind.CONJUNCTION:
            return Claims(ands=size)
        case Kind.ZERO:
            return Claims(zeros=size)
        case Kind.MATRIX:
            (m, k), n = shares[0].shape, shares[1].shape[1]
            return Claims(matrices=((m, k, n),))


def reveal(m: int, to: Collection[Party], security: Security, *, is_bits: bool) -> Cost:
    """Return what revealing m words or bits costs."""
    price = (cost.reveal_bits if is_bits else cost.reveal)(m, to)
    if security == "semi-honest" or not m:
        return price
    a, b, c = (TAG if (party - 1) % 3 in to else 0 for party in range(3))
    return price.beside(Cost(1, (a, b, c)))


def checked(one: Node) -> Checked:
    """Return what one node costs and claims where the committee checks, its inputs being there."""
    step = _of_words(one)
    return step if step.claims.words else Checked(FREE, Claims())


def _of_words(one: Node) -> Checked:
    size = one.size
    match one.operation:
        case Mul(cut):
            return mul(size).then(truncate(size)) if cut else mul(size)
        case MatMul(cut):
            product = matmul(one.shape[0], one.shape[1], one.inputs[0].shape[1])
            return product.then(truncate(size)) if cut else product
        case Truncate():
            return truncate(size)
        case IsNegative():
            return is_negative(size)
        case IsZero():
            return is_zero(size)
        case ToBits(count):
            return to_bits(size // count, count)
        case _:
            return _of_bits(one)


def _of_bits(one: Node) -> Checked:
    match one.operation:
        case Both():
            return both(one.size)
        case ToRing():
            return to_ring(one.size)
        case FromBits():
            return to_ring(one.size * one.inputs[0].shape[0])
        case other:
            raise TypeError(f"{type(other).__name__} takes no messages")


def mul(m: int) -> Checked:
    return Checked(cost.mul(m), Claims(products=m))


def matmul(m: int, n: int, k: int) -> Checked:
    return Checked(cost.mul(m * n), Claims(matrices=((m, k, n),) if m * n else ()))


def both(m: int) -> Checked:
    return Checked(cost.both(m), Claims(ands=columns(m)))


def to_ring(m: int) -> Checked:
    return mul(m).then(mul(m))


def to_bits(m: int, count: int) -> Checked:
    ands = m * (count.bit_length() + 1)
    return Checked(_each(count.bit_length() + 1, 8 * ands), Claims(ands=ands))


def is_negative(m: int) -> Checked:
    ands = 2 * m + 125 * columns(m)
    return Checked(_each(8, 8 * ands), Claims(ands=ands))


def is_zero(m: int) -> Checked:
    ands = m + 63 * columns(m)
    price = _each(7, 8 * ands).beside(Cost(1, (8 * m, 0, 0)))
    return Checked(price, Claims(ands=ands, zeros=m))


def truncate(m: int) -> Checked:
    return Checked(Cost(2, (56 * m, 32 * m, 32 * m)), Claims(m, 3 * m, 3 * m))


def verification(claims: Claims, pace: Pace = NEAR) -> Cost:
    """Return what `verification.verify` costs."""
    total, products = FREE, claims.products
    if claims.matrices:
        terms = sum(k * min(m * n, PAIRS) for m, k, n in claims.matrices)
        total = _each(2, TOSS).then(cost.mul(terms))
        products += terms
    zeros = _each(1, 2 * TAG) if claims.zeros or claims.matrices else FREE
    ands = cost_of_ands(claims.ands, pace)
    return total.then(cost_of_buckets(products).beside(ands).beside(zeros))


def _each(rounds: int, sent: int) -> Cost:
    return Cost(rounds, (sent, sent, sent))
