"""What noise will do to an answer, before anything is spent: errors, and how many rows they need.

Nothing here decides a guarantee, so numbers are floats. Errors are root mean squares, of the noise
alone; sampling is another matter.

  one place    a third party or an enclave draws one noise; or three parties draw it jointly
  in shares    each of n members adds a share, safe against t: sqrt(n / (n - t)) times that
  each alone   every member adds a whole noise to its own part: sqrt(n) times that
  each record  noise before anything leaves: sqrt(N) times that of one record, over N
"""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, exp, expm1, log, log1p, sqrt

from quorate.dp import local
from quorate.dp.mechanisms import Bounds, Gaussian, Laplace, Mechanism, Unit
from quorate.dp.queries import Noised, mean_of_known_rows

CONFIDENCE = 0.95
_NORMAL_95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Group:
    """Who adds noise: n members, of whom t may collude."""

    members: int
    colluders: int


@dataclass(frozen=True, slots=True)
class Errors:
    """Expected errors at one epsilon under each trust model, in the data's unit."""

    epsilon: Fraction
    one_place: float
    in_shares: float
    each_alone: float
    each_record: float


def variance_of(mechanism: Mechanism) -> float:
    """Return the variance of one noise, in steps of the grid."""
    match mechanism:
        case Laplace(scale=scale):
            decay = 1 / float(scale)
            return 2 * exp(-decay) / expm1(-decay) ** 2
        case Gaussian(variance=variance):
            return float(variance)  # the discrete one's is never larger [CKS20]


def error_of(noised: Noised) -> float:
    """Return the error of one cell where one noise is drawn, in the data's unit."""
    return float(noised.step) * sqrt(variance_of(noised.mechanism))


def mean_errors(bounds: Bounds, unit: Unit, rows: int, group: Group, epsilon: Fraction) -> Errors:
    """Return what noise does to a mean of a public number of rows."""
    one = error_of(mean_of_known_rows(bounds, unit, epsilon)) / rows
    n = group.members
    record = local.worst_variance(local.mean(bounds, unit, epsilon))
    return Errors(
        epsilon,
        one,
        one * sqrt(n / (n - group.colluders)),
        one * sqrt(n),
        sqrt(float(record) / rows),
    )


def least_rows(bounds: Bounds, unit: Unit, epsilon: Fraction, within: Fraction) -> int:
    """Return the fewest rows whose mean one noise moves by at most `within`, in 95 of 100 runs.

    Of discrete Laplace noise P(|x| > k) = 2 a^(k+1) / (1 + a), a = e^(-1/b).
    """
    noised = mean_of_known_rows(bounds, unit, epsilon)
    scale = float(noised.mechanism.scale) if isinstance(noised.mechanism, Laplace) else 0.0
    decay = exp(-1 / scale)
    most = ceil(scale * (log(2 / (1 - CONFIDENCE)) - log1p(decay))) - 1
    return ceil(max(most, 0) * noised.step / within)


def least_records(bounds: Bounds, unit: Unit, epsilon: Fraction, within: Fraction) -> int:
    """Return the same for noise on each record, whose sum is as good as normal."""
    worst = float(local.worst_variance(local.mean(bounds, unit, epsilon)))
    return ceil(worst * (_NORMAL_95 / float(within)) ** 2)
