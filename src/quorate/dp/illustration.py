"""Bounded uniform noise, as in textbooks: what it hides, which is nothing, in exact numbers.

A value plus noise between -a and a lies within a of the value. Two values at distance g have
answers in common with probability 1 - g/(2a) only; any other answer tells them apart for certain.
So for every epsilon, however large, delta = min(1, g/(2a)): there is no epsilon, and for
values 2a apart there is no protection. Nothing here is ever a release.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import comb, exp, factorial, floor, sqrt

from quorate.errors import OutOfRange

USERS = tuple(map(Fraction, (23, 25, 30, 40, 35)))
"""Five ages, and their mean of 30.6."""

HOSPITALS = (
    tuple(map(Fraction, (65, 67, 70))),
    tuple(map(Fraction, (60, 64))),
    tuple(map(Fraction, (72, 74))),
)
"""Three hospitals' ages; the mean of all seven is 67 3/7."""

HALF_WIDTH = Fraction(2)


@dataclass(frozen=True, slots=True)
class Uniform:
    """Noise between -half_width and half_width, all values alike."""

    half_width: Fraction

    def __post_init__(self) -> None:
        if self.half_width <= 0:
            raise OutOfRange("noise needs a width above 0")

    def delta(self, gap: Fraction) -> Fraction:
        """Return the chance that one noisy value tells two values at this distance apart."""
        return min(Fraction(1), abs(gap) / (2 * self.half_width))

    def recovered(self, answers: int) -> Fraction:
        """Return the chance that so many noisy answers leave one whole number that fits them all.

        It takes an answer in the highest 1/(2a) of the range, and one in the lowest.
        """
        step = 1 / (2 * self.half_width)
        one, both = max(1 - step, Fraction(0)), max(1 - 2 * step, Fraction(0))
        return 1 - 2 * one**answers + both**answers

    def mean_error(self, rows: int) -> float:
        """Return the root mean square error of a mean of so many noisy values."""
        return float(self.half_width) / sqrt(3 * rows)

    def within(self, rows: int, distance: Fraction) -> Fraction:
        """Return the chance that such a mean is off by less than `distance`."""
        return 2 * self._below(rows, distance * rows) - 1

    def sum_delta(self, rows: int, gap: Fraction, epsilon: float) -> float:
        """Return delta at `epsilon` for the sum of `rows` noisy values when one moves by `gap`.

        The density f of the noise's sum is log-concave, so f(x) > e^epsilon f(x - gap) for all x
        below one point, which is found by bisection; any point gives no more than the truth.
        """
        reach = rows * self.half_width
        low, high = -reach, reach
        factor = exp(epsilon)
        for _ in range(60):
            middle = (low + high) / 2
            if self._density(rows, middle) > factor * self._density(rows, middle - gap):
                low = middle
            else:
                high = middle
        above = float(self._below(rows, low)) - factor * float(self._below(rows, low - gap))
        return min(max(above, 0.0), 1.0)

    def same_variance_epsilon(self, gap: Fraction, rows: int = 1) -> float:
        """Return the epsilon of Laplace noise of the variance of the sum of `rows` such noises."""
        return float(gap) * sqrt(6 / rows) / float(self.half_width)

    def _below(self, rows: int, x: Fraction) -> Fraction:
        """Return the chance that the sum of `rows` noises is below x: [Hal27], scaled."""
        return self._alternating(rows, x, rows) / factorial(rows)

    def _density(self, rows: int, x: Fraction) -> float:
        unit = float(2 * self.half_width)
        return float(self._alternating(rows, x, rows - 1)) / factorial(rows - 1) / unit

    def _alternating(self, rows: int, x: Fraction, power: int) -> Fraction:
        place = x / (2 * self.half_width) + Fraction(rows, 2)
        if place <= 0:
            return Fraction(0)
        if place >= rows:
            return Fraction(factorial(rows) if power == rows else 0)
        terms = range(floor(place) + 1)
        return sum(((-1) ** k * comb(rows, k) * (place - k) ** power for k in terms), Fraction(0))


def whole_noise_is_zero(rows: int, half_width: int) -> Fraction:
    """Return the chance that `rows` whole noises from -half_width to half_width add up to 0."""
    ways = [1]
    size = 2 * half_width + 1
    for _ in range(rows):
        ways = [sum(ways[max(k - size + 1, 0) : k + 1]) for k in range(len(ways) + size - 1)]
    return Fraction(ways[rows * half_width], size**rows)


def statement(noise: Uniform, answers: int = 5) -> str:
    """Return what has to be said wherever such noise is shown."""
    a = noise.half_width
    return (
        f"NOT differentially private. epsilon = none (infinite). It satisfies only (0, delta)-DP "
        f"with delta = min(1, gap/{2 * a}): {float(noise.delta(Fraction(1))):g} for a difference "
        f"of 1, 1 for {2 * a} or more: any two patients whose values differ by {2 * a} or more "
        f"are told apart with certainty. {answers} fresh answers reveal the exact whole number "
        f"with probability {float(noise.recovered(answers)):.2f}"
    )
