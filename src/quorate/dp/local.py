"""Noise on each record before it leaves its member: each is private by itself, whoever reads it.

Ratios of probabilities are ratios of integers, w / v <= e^epsilon with v = 2^40, so that every
guarantee is exact and no float decides. What is estimated from many records is unbiased; its
error shrinks with the root of their number, not with their number as for noise on a sum,
and one liar moves an estimate by more.

Sources: randomised response [War65]; unary encoding [WBLJ17]; one bit for a mean [DJW13];
a window around the value [WXYZHSSY19], here on integers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from quorate.dp.draws import WORD, happens, uniform_below
from quorate.dp.exponential import exp_below, exp_minus
from quorate.dp.mechanisms import Bounds, Unit
from quorate.dp.tables import Integers
from quorate.errors import OutOfRange, Refused
from quorate.mpc.agreement import Randomness

V_BITS = 40
V = 1 << V_BITS
MOST_EPSILON = 12


@dataclass(frozen=True, slots=True)
class Response:
    """Randomised response of one among `choices`: the true one with weight w, each other with v."""

    choices: int
    weight: int

    def perturbed(self, true: Integers, randomness: Randomness) -> Integers:
        """Return what is sent for each choice."""
        stays = happens(np.full(true.shape, self.weight, np.uint64), self._all, randomness)
        away = uniform_below(self.choices - 1, true.size, randomness).astype(np.int64)
        other = (true + 1 + away.reshape(true.shape)) % self.choices
        sent: Integers = np.where(stays, true, other)
        return sent

    def estimated(self, sent: Integers) -> tuple[Fraction, ...]:
        """Return unbiased numbers of records by choice; they may be negative."""
        _check_sent(sent, 0, self.choices - 1)
        return self.estimated_of(np.bincount(sent.reshape(-1), minlength=self.choices).tolist())

    def estimated_of(self, seen: Sequence[int]) -> tuple[Fraction, ...]:
        """Return the same from how often each choice was sent."""
        expected = Fraction(V * sum(seen), self._all)
        scale = Fraction(self._all, self.weight - V)
        return tuple((one - expected) * scale for one in seen)

    @property
    def _all(self) -> int:
        return self.weight + (self.choices - 1) * V


@dataclass(frozen=True, slots=True)
class UnaryEncoding:
    """One bit for each choice: the true one's is 1 in half the cases, others in v / (v + w)."""

    choices: int
    weight: int

    def perturbed(self, true: Integers, randomness: Randomness) -> NDArray[np.bool_]:
        """Return the bits that are sent, (records, choices)."""
        shape = (true.size, self.choices)
        known = true.reshape(-1, 1) == np.arange(self.choices)
        heads = happens(np.full(true.size, 1, np.uint64), 2, randomness).reshape(-1, 1)
        noise = happens(np.full(shape, V, np.uint64), V + self.weight, randomness)
        return np.where(known, heads, noise)

    def estimated(self, sent: NDArray[np.bool_]) -> tuple[Fraction, ...]:
        """Return unbiased numbers of records by choice; they may be negative."""
        if sent.dtype != np.bool_ or sent.shape[1:] != (self.choices,):
            raise OutOfRange(f"what was sent is not {self.choices} bits for each record")
        q = Fraction(V, V + self.weight)
        seen = sent.sum(axis=0, dtype=np.int64)
        return tuple((int(one) - q * len(sent)) / (Fraction(1, 2) - q) for one in seen)


@dataclass(frozen=True, slots=True)
class OneBit:
    """A value becomes a bit, 1 the more likely the higher it is, and the bit is randomised."""

    bounds: Bounds
    weight: int

    def perturbed(self, steps: Integers, randomness: Randomness) -> Integers:
        """Return a bit for each value, in steps of the grid."""
        inside = (self.bounds.clamped(steps) - self.bounds.first).astype(np.uint64)
        bit = happens(inside, self.bounds.width, randomness)
        kept = happens(np.full(bit.shape, self.weight, np.uint64), self.weight + V, randomness)
        sent: Integers = (bit == kept).astype(np.int64)
        return sent

    def estimated(self, sent: Integers) -> Fraction:
        """Return an unbiased mean of the values."""
        _check_sent(sent, 0, 1)
        return self.estimated_of(int(sent.sum()), sent.size)

    @property
    def furthest(self) -> int:
        """The largest number that is sent, in absolute value."""
        return 1

    def estimated_of(self, total: int, records: int) -> Fraction:
        """Return the same from the sum of what was sent."""
        ones = Fraction(total, records)
        place = (ones * (self.weight + V) - V) / (self.weight - V)
        return self.bounds.low + self.bounds.step * self.bounds.width * place

    def variance(self, value: Fraction) -> Fraction:
        """Return the variance of an estimate from one record of this value."""
        c = Fraction(self.weight + V, self.weight - V)
        middle = (self.bounds.low + self.bounds.high) / 2
        half = (self.bounds.high - self.bounds.low) / 2
        return (c * half) ** 2 - (value - middle) ** 2


@dataclass(frozen=True, slots=True)
class Window:
    """A value x becomes a whole number: near x with weight w each, elsewhere with v.

    With X the bounds' width and c = 2 x - (L + H), |c| <= X, numbers run from -(X + h) to X + h
    and are near x in c - h .. c + h. All of them alike have the mean 0 and the window has c, so
    the mean is c times a constant.
    """

    bounds: Bounds
    weight: int
    reach: int

    @property
    def _near(self) -> int:
        return 2 * self.reach + 1

    @property
    def _whole(self) -> int:
        return 2 * self._last + 1

    @property
    def _last(self) -> int:
        return self.bounds.width + self.reach

    @property
    def total(self) -> int:
        """The weights of all numbers."""
        return self._whole * V + self._near * (self.weight - V)

    @property
    def _scale(self) -> Fraction:
        """What a sent number is multiplied with, to be c in the mean."""
        return Fraction(self.total, self._near * (self.weight - V))

    def perturbed(self, steps: Integers, randomness: Randomness) -> Integers:
        """Return a whole number for each value, in steps of the grid."""
        bounds, count = self.bounds, steps.size
        middle = 2 * bounds.clamped(steps) - (bounds.first + bounds.last)
        # A mixture: of the window with its surplus weight, and of all numbers alike.
        surplus = np.full(steps.shape, self._near * (self.weight - V), np.uint64)
        chosen = happens(surplus, self.total, randomness)
        near = uniform_below(self._near, count, randomness).astype(np.int64) - self.reach
        anywhere = uniform_below(self._whole, count, randomness).astype(np.int64) - self._last
        return np.where(chosen, middle + near.reshape(steps.shape), anywhere.reshape(steps.shape))

    def estimated(self, sent: Integers) -> Fraction:
        """Return an unbiased mean of the values."""
        _check_sent(sent, -self._last, self._last)
        return self.estimated_of(int(sent.sum()), sent.size)

    @property
    def furthest(self) -> int:
        """The largest number that is sent, in absolute value."""
        return self._last

    def estimated_of(self, total: int, records: int) -> Fraction:
        """Return the same from the sum of what was sent."""
        centre = Fraction(total, records) * self._scale
        return (self.bounds.low + self.bounds.high + self.bounds.step * centre) / 2

    def variance(self, value: Fraction) -> Fraction:
        """Return the variance of an estimate from one record of this value."""
        middle = (2 * value - self.bounds.low - self.bounds.high) / self.bounds.step
        chosen = Fraction(self._near * (self.weight - V), self.total)
        near = middle**2 + Fraction(self.reach * (self.reach + 1), 3)
        square = chosen * near + (1 - chosen) * Fraction(self._last * (self._last + 1), 3)
        return (square - (chosen * middle) ** 2) * (self._scale * self.bounds.step / 2) ** 2


def response(choices: int, unit: Unit, epsilon: Fraction) -> Response:
    """Return randomised response that guarantees `epsilon` for all rows of a patient."""
    weight = _weight(unit, epsilon)
    _check(choices, weight + (choices - 1) * V)
    return Response(choices, weight)


def unary_encoding(choices: int, unit: Unit, epsilon: Fraction) -> UnaryEncoding:
    """Return unary encoding that guarantees `epsilon` for all rows of a patient."""
    _check(choices, 0)
    return UnaryEncoding(choices, _weight(unit, epsilon))


def mean(bounds: Bounds, unit: Unit, epsilon: Fraction) -> OneBit | Window:
    """Return the noise for a mean whose error at the worst value is smaller: a bit, or a window.

    The best reach of a window is about e^(-epsilon/2) times the bounds' width [WXYZHSSY19].
    """
    weight = _weight(unit, epsilon)
    part = exp_minus(epsilon / unit.rows / 2, 64)
    reach = (bounds.width * part + (1 << 63)) >> 64
    window, bit = Window(bounds, weight, reach), OneBit(bounds, weight)
    if worst_variance(bit) <= worst_variance(window):
        return bit
    _check(2, window.total)
    return window


def worst_variance(mechanism: OneBit | Window) -> Fraction:
    """Return the largest variance of an estimate from one record."""
    bounds = mechanism.bounds
    return max(map(mechanism.variance, (bounds.low, (bounds.low + bounds.high) / 2, bounds.high)))


def _weight(unit: Unit, epsilon: Fraction) -> int:
    """Return w <= v e^(epsilon / rows)."""
    each = epsilon / unit.rows
    if not 0 < each <= MOST_EPSILON:
        raise Refused(
            f"a record's epsilon is above 0 and at most {MOST_EPSILON}",
            hint="above that a record is as good as sent in the clear",
        )
    weight = exp_below(each, V_BITS)
    if weight <= V:
        raise Refused("an epsilon this small leaves nothing of a record", hint="epsilon = 0.1")
    return weight


def _check_sent(sent: Integers, low: int, high: int) -> None:
    """Raise `OutOfRange` for what no honest member sends, or where nothing was sent."""
    if not sent.size:
        raise OutOfRange("nothing can be estimated from no records")
    if sent.min() < low or sent.max() > high:
        raise OutOfRange(f"a noisy record lies outside {low}..{high}")


def _check(choices: int, total: int) -> None:
    if choices < 2:
        raise OutOfRange("there is nothing to choose among fewer than two")
    if total > WORD:
        raise OutOfRange(
            "weights of more than 64 bits", hint="take a coarser grid, or fewer choices"
        )
