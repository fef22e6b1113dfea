"""What the engine's protocols cost, known before anything runs: rounds, and bytes each party sends.

The same numbers stand in the docstrings of the protocols; tests hold both
against what a network counts. `m` is a number of words or bits.
"""

from collections.abc import Collection
from dataclasses import dataclass

from quorate.algebra.bits import columns
from quorate.errors import Party


@dataclass(frozen=True, slots=True)
class Cost:
    """Rounds, and payload bytes sent by parties 0, 1 and 2."""

    rounds: int = 0
    bytes_sent: tuple[int, int, int] = (0, 0, 0)

    def then(self, other: "Cost") -> "Cost":
        """Return the cost of one after the other."""
        return Cost(self.rounds + other.rounds, self._bytes_with(other))

    def beside(self, other: "Cost") -> "Cost":
        """Return the cost of both at the same time."""
        return Cost(max(self.rounds, other.rounds), self._bytes_with(other))

    def _bytes_with(self, other: "Cost") -> tuple[int, int, int]:
        (a, b, c), (d, e, f) = self.bytes_sent, other.bytes_sent
        return a + d, b + e, c + f


FREE = Cost()

BYTES_PER_S = 100_000_000
"""What the busiest party gets away, computing included, on a line of 1 Gbit/s; or more."""

BULK = 256 << 10
"""Bytes that are sent, twice, to see what a line carries."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a message takes between those farthest apart; what the slowest line carries."""

    journey_ms: int
    bytes_per_s: int = BYTES_PER_S

    def seconds(self, cost: Cost) -> float:
        """Return about how long something of this cost takes."""
        return cost.rounds * self.journey_ms / 1000 + max(cost.bytes_sent) / self.bytes_per_s


NEAR = Pace(0)


def convene() -> Cost:
    return _each(2, 326)


def deal(m: int, owner: Party) -> Cost:
    sent = [8 * m if party == owner else 0 for party in range(3)]
    return _if_any(m, Cost(1, (sent[0], sent[1], sent[2])))


def reveal(m: int, to: Collection[Party]) -> Cost:
    sent = [8 * m if (party + 1) % 3 in to else 0 for party in range(3)]
    return _if_any(m, Cost(1, (sent[0], sent[1], sent[2])))


def reveal_bits(m: int, to: Collection[Party]) -> Cost:
    return reveal(columns(m), to)


def mul(m: int) -> Cost:
    return _if_any(m, _each(1, 8 * m))


def both(m: int) -> Cost:
    return mul(columns(m))


def is_negative(m: int) -> Cost:
    c = columns(m)
    return _if_any(m, Cost(7, (1256 * c, 1008 * c, 1008 * c)))


def is_negative_in_three_rounds(m: int) -> Cost:
    c = columns(m)
    return _if_any(m, Cost(3, (2808 * c, 1400 * c, 1400 * c)))


def is_zero_in_three_rounds(m: int) -> Cost:
    c = columns(m)
    return _if_any(m, Cost(3, (2392 * c, 728 * c, 728 * c)))


def is_zero(m: int) -> Cost:
    c = columns(m)
    return _if_any(m, Cost(7, (1016 * c, 504 * c, 504 * c)))


def sign(m: int, pace: Pace) -> Cost:
    """Return the cost of the quicker of the two ways to compare."""
    return min(is_negative(m), is_negative_in_three_rounds(m), key=pace.seconds)


def zero(m: int, pace: Pace) -> Cost:
    return min(is_zero(m), is_zero_in_three_rounds(m), key=pace.seconds)


def measure_pace() -> Cost:
    return _each(8, 136 + 2 * BULK)


def to_ring(m: int) -> Cost:
    return _if_any(m, _each(2, 8 * m))


def to_bits(m: int, count: int) -> Cost:
    k, c = count.bit_length() - 1, columns(m)
    return _if_any(m, _each(k + 1, 8 * c * (count * k - count // 2 + 2)))


def from_bits(m: int, count: int) -> Cost:
    return _if_any(m, Cost(2, (8 * count * m, 8 * m, 8 * m)))


def truncate(m: int) -> Cost:
    return _if_any(m, Cost(2, (16 * m, 8 * m, 8 * m)))


def mul_fixed(m: int) -> Cost:
    return _if_any(m, _each(3, 16 * m))


def _each(rounds: int, sent: int) -> Cost:
    return Cost(rounds, (sent, sent, sent))


def _if_any(m: int, cost: Cost) -> Cost:
    """Return `cost`, or nothing where there is nothing to send."""
    return cost if m else FREE
