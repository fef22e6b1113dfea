"""What releases cost together, in integers that are rounded up.

Costs are counted in units that nothing is smaller than: epsilon and rho in 10^-9, distances and
delta in 10^-18. A release that costs less costs one unit, so many of them cannot slip through,
and ten tenths are one.

  basic          epsilons add up, deltas add up                                  [DR14]
  concentrated   rhos add up; an epsilon is a rho of epsilon^2 / 2               [BS16]
                 rho gives, for every alpha > 1 and delta, the epsilon [CKS20]
                 rho alpha + ln(1 - 1/alpha) + (ln(1/delta) - ln(alpha)) / (alpha - 1)

Noises that are off their distributions by d in total variation, all together, keep the epsilon and
add (1 + e^epsilon) d to delta: an event's probability is off by d on both sides.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from math import ceil, log, sqrt

from quorate.dp.exponential import exp_above
from quorate.dp.mechanisms import Gaussian, Laplace, Mechanism
from quorate.errors import OutOfRange

NANO = 10**9
ATTO = 10**18
MOST = 1 << 62
"""The largest cost that is counted; what is larger protects nobody."""

DIGITS = 50
MOST_EXPONENT = 64
"""From here on the smallest distance makes delta 1."""


@dataclass(frozen=True, slots=True)
class Charge:
    """What releases cost. Without an epsilon of its own a noise has a rho only."""

    nano_epsilon: int | None
    nano_rho: int
    atto_distance: int
    """How far the noises are from their distributions, added up."""

    def plus(self, other: "Charge") -> "Charge":
        """Return what both cost together, by both ways of counting."""
        pure = None
        if self.nano_epsilon is not None and other.nano_epsilon is not None:
            pure = self.nano_epsilon + other.nano_epsilon
        distance = self.atto_distance + other.atto_distance
        return Charge(pure, self.nano_rho + other.nano_rho, distance)


@dataclass(frozen=True, slots=True)
class Guarantee:
    """That a patient's rows change the probability of anything by at most e^epsilon, and delta."""

    nano_epsilon: int
    atto_delta: int


NOTHING = Charge(0, 0, 0)


def charge(mechanism: Mechanism, distance: Fraction) -> Charge:
    """Return the cost of one release whose noise, over all cells, is off by `distance` at most."""
    rho, off = _units(mechanism.rho, NANO), _units(distance, ATTO)
    match mechanism:
        case Laplace():
            return Charge(_units(mechanism.epsilon, NANO), rho, off)
        case Gaussian():
            return Charge(None, rho, off)


def pure(epsilon: Fraction) -> Charge:
    """Return the cost of a release that is exactly this private, whatever its noise is."""
    return Charge(_units(epsilon, NANO), _units(epsilon**2 / 2, NANO), 0)


def total(charges: Iterable[Charge]) -> Charge:
    """Return what all cost together."""
    spent = NOTHING
    for one in charges:
        spent = spent.plus(one)
    return spent


def epsilon_of(nano_rho: int, delta: Fraction) -> int:
    """Return an epsilon in 10^-9, rounded up, that holds at `delta` for this much rho.

    The best alpha is looked for in floats; whatever it is, what is then computed with it, to 50
    digits, is a guarantee.
    """
    if not 0 < delta < 1:
        raise OutOfRange("delta lies between 0 and 1")
    if nano_rho == 0:
        return 0
    alpha = Decimal(_best_alpha(nano_rho / NANO, float(delta)))
    with localcontext() as context:
        context.prec = DIGITS
        inverse = Decimal(delta.denominator) / Decimal(delta.numerator)
        rho = Decimal(nano_rho) / NANO
        found = rho * alpha + (1 - 1 / alpha).ln() + (inverse.ln() - alpha.ln()) / (alpha - 1)
        return max(int((found * NANO).to_integral_value("ROUND_CEILING")) + 1, 0)


def guarantee(spent: Charge, delta: Fraction) -> Guarantee:
    """Return the better of both ways of counting: pure, or concentrated at `delta`."""
    concentrated = epsilon_of(spent.nano_rho, delta)
    if spent.nano_epsilon is not None and spent.nano_epsilon <= concentrated:
        return _with_distance(spent.nano_epsilon, Fraction(0), spent.atto_distance)
    return _with_distance(concentrated, delta, spent.atto_distance)


def _with_distance(nano_epsilon: int, delta: Fraction, atto_distance: int) -> Guarantee:
    """Return the guarantee with what inexact noise adds to delta; delta is never above 1."""
    epsilon = min(Fraction(nano_epsilon, NANO), Fraction(MOST_EXPONENT))
    factor = 1 + Fraction(exp_above(epsilon, 64), 1 << 64)
    whole = delta + factor * Fraction(atto_distance, ATTO)
    return Guarantee(nano_epsilon, ceil(min(whole, Fraction(1)) * ATTO))


def _units(amount: Fraction, per_one: int) -> int:
    units = ceil(amount * per_one)
    if units >= MOST:
        raise OutOfRange("a budget this large protects nobody", hint="epsilon = 1.0")
    return units


def _best_alpha(rho: float, delta: float) -> float:
    """Return about the alpha at which the epsilon of `epsilon_of` is smallest."""

    def epsilon(alpha: float) -> float:
        return rho * alpha + log(1 - 1 / alpha) + (log(1 / delta) - log(alpha)) / (alpha - 1)

    guess = 1 + sqrt(log(1 / delta) / rho)
    low, high = 1 + (guess - 1) / 64, 1 + (guess - 1) * 8
    for _ in range(100):
        third = (high - low) / 3
        if epsilon(low + third) < epsilon(high - third):
            high -= third
        else:
            low += third
    return low
