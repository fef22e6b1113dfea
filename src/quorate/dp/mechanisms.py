"""What is protected, how far one patient can move a result, and what a noise guarantees for it.

Everything is an integer or a fraction. A value is clamped to public bounds and put on a public
grid before it is added up; from there on, sums, sensitivities and noise are whole steps of the
grid. So what is released is one of the same numbers whatever the data are.

  Laplace    noise with P(x) ~ e^(-|x|/b):         epsilon = D1 / b               [GRS12]
  Gaussian   noise with P(x) ~ e^(-x^2 / 2 s^2):   rho = D2^2 / 2 s^2  (zCDP)     [CKS20]

D1, D2: the largest change of all the integers that one patient makes, absolute or Euclidean.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt
from typing import Literal

import numpy as np

from quorate.dp.tables import Integers
from quorate.errors import OutOfRange, Refused

Neighbours = Literal["add or remove", "replace"]
"""Two sets of data that must look alike: with one patient or without; with one or with another."""


@dataclass(frozen=True, slots=True)
class Unit:
    """Who is protected: one patient at one member, with at most so many rows there."""

    rows: int = 1
    neighbours: Neighbours = "add or remove"

    def __post_init__(self) -> None:
        if self.rows < 1:
            raise Refused("a patient has at least one row", hint="rows = 1")


@dataclass(frozen=True, slots=True)
class Bounds:
    """Between what values are taken to lie, on which grid, and who says so without the data."""

    low: Fraction
    high: Fraction
    step: Fraction
    source: str

    def __post_init__(self) -> None:
        if not self.source.strip():
            raise Refused(
                "bounds need a public source, or they tell of the data",
                hint='say where they are from: source = "protocol, section 3"',
            )
        if not self.low < self.high or self.step <= 0:
            raise OutOfRange("bounds need a low end below the high end, and a grid above 0")
        if (self.low / self.step).denominator != 1 or (self.high / self.step).denominator != 1:
            raise OutOfRange(
                f"bounds {self.low}..{self.high} are not on the grid of {self.step}",
                hint="choose bounds that are whole steps",
            )
        if max(abs(self.low), abs(self.high)) / self.step >= 1 << 31:
            raise OutOfRange("bounds of 2^31 steps or more", hint="take a coarser grid")

    @property
    def first(self) -> int:
        """The low end, in steps."""
        return int(self.low / self.step)

    @property
    def last(self) -> int:
        """The high end, in steps."""
        return int(self.high / self.step)

    @property
    def width(self) -> int:
        """From one end to the other, in steps."""
        return self.last - self.first

    def on_grid(self, values: Sequence[Fraction]) -> Integers:
        """Return values in steps, each clamped to the bounds and then rounded, ties to even."""
        inside = (min(max(value, self.low), self.high) for value in values)
        return np.array([round(value / self.step) for value in inside], np.int64)

    def clamped(self, steps: Integers) -> Integers:
        """Return values that are in steps already within the bounds."""
        return np.clip(steps, self.first, self.last)


@dataclass(frozen=True, slots=True)
class Laplace:
    """Discrete Laplace noise of this scale on integers that one patient moves by D1 in all."""

    sensitivity: int
    scale: Fraction

    @property
    def epsilon(self) -> Fraction:
        return self.sensitivity / self.scale

    @property
    def rho(self) -> Fraction:
        """Its concentrated guarantee: epsilon^2 / 2 [BS16]."""
        return self.epsilon**2 / 2


@dataclass(frozen=True, slots=True)
class Gaussian:
    """Discrete Gaussian noise of this variance on integers that one patient moves by D2 in all."""

    squared_sensitivity: int
    variance: Fraction

    @property
    def rho(self) -> Fraction:
        return self.squared_sensitivity / (2 * self.variance)


Mechanism = Laplace | Gaussian


def laplace(sensitivity: int, epsilon: Fraction) -> Laplace:
    """Return the noise that guarantees `epsilon` for integers of this sensitivity."""
    _check(sensitivity, epsilon)
    return Laplace(sensitivity, sensitivity / epsilon)


def gaussian(squared_sensitivity: int, rho: Fraction) -> Gaussian:
    """Return the noise that guarantees `rho` for integers of this squared sensitivity."""
    _check(squared_sensitivity, rho)
    return Gaussian(squared_sensitivity, squared_sensitivity / (2 * rho))


def epsilon_within(rho: Fraction) -> Fraction:
    """Return the largest epsilon, in 10^-9, whose concentrated guarantee is within `rho` [BS16]."""
    return Fraction(isqrt(int(2 * rho * 10**18)), 10**9)


def _check(sensitivity: int, budget: Fraction) -> None:
    if budget <= 0:
        raise Refused("a release needs a budget above 0", hint="epsilon = 1.0")
    if sensitivity < 1:
        raise OutOfRange("what no patient can change needs no noise")
