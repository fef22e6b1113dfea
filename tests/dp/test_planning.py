"""Expected errors: those of the research that measured them, and of our own noise."""

from fractions import Fraction

import numpy as np
import pytest

from quorate.dp import planning, queries
from quorate.dp.geometric import discrete_laplace
from quorate.dp.mechanisms import Bounds, Laplace, Unit, gaussian, laplace
from quorate.dp.planning import Group
from quorate.dp.tables import gaussian as gaussian_table
from tests.dp.keyed import keyed

AGES = Bounds(Fraction(18), Fraction(100), Fraction(1), "protocol, section 3")
UNIT = Unit(1, "replace")

MEASURED = [
    # rows, members, epsilon: errors of 100,000 trials each, from one place, in shares, each alone
    (5, 5, "1/2", 46.4, 51.9, 103.5),
    (5, 5, "1", 23.2, 25.9, 51.9),
    (5, 5, "4", 5.80, 6.48, 12.9),
    (5, 5, "8", 2.90, 3.22, 6.46),
    (7, 3, "1/2", 33.0, 40.4, 57.4),
    (7, 3, "1", 16.5, 20.3, 28.6),
    (7, 3, "4", 4.15, 5.06, 7.17),
    (7, 3, "8", 2.07, 2.54, 3.59),
    (100, 3, "1", 1.16, 1.42, 2.00),
    (1000, 3, "1", 0.116, 0.142, 0.200),
    (1000, 3, "1/10", 1.17, 1.42, 2.01),
]


@pytest.mark.parametrize(("rows", "members", "epsilon", "one", "shared", "alone"), MEASURED)
def test_errors_are_those_that_were_measured(
    rows: int, members: int, epsilon: str, one: float, shared: float, alone: float
) -> None:
    found = planning.mean_errors(AGES, UNIT, rows, Group(members, 1), Fraction(epsilon))
    assert found.one_place == pytest.approx(one, rel=0.05)
    assert found.in_shares == pytest.approx(shared, rel=0.05)
    assert found.each_alone == pytest.approx(alone, rel=0.05)


MEASURED_ON_RECORDS = [
    (5, "1/2", 73.9),
    (5, "1", 38.0),
    (5, "4", 8.61),
    (7, "1/2", 63.1),
    (7, "1", 32.1),
    (7, "4", 7.27),
    (100, "1", 8.45),
    (1000, "1", 2.71),
    (10_000, "1", 0.85),
    (1000, "1/10", 25.8),
]


@pytest.mark.parametrize(("rows", "epsilon", "error"), MEASURED_ON_RECORDS)
def test_errors_of_noised_records_are_those_that_were_measured(
    rows: int, epsilon: str, error: float
) -> None:
    found = planning.mean_errors(AGES, UNIT, rows, Group(3, 1), Fraction(epsilon))
    assert found.each_record == pytest.approx(error, rel=0.05)


@pytest.mark.parametrize(("rows", "error"), [(5, 2.92), (7, 2.44)])
def test_a_window_errs_less_than_what_was_measured_where_there_is_much_epsilon(
    rows: int, error: float
) -> None:
    found = planning.mean_errors(AGES, UNIT, rows, Group(3, 1), Fraction(8))
    assert found.each_record < 0.8 * error


@pytest.mark.parametrize(
    ("rows", "epsilon", "laplace_error"), [(5, "1", 51.8), (7, "1", 43.8), (1000, "1", 3.73)]
)
def test_records_err_less_than_with_laplace_noise_on_each(
    rows: int, epsilon: str, laplace_error: float
) -> None:
    found = planning.mean_errors(AGES, UNIT, rows, Group(3, 1), Fraction(epsilon))
    assert found.each_record < 0.8 * laplace_error
    assert found.each_record > 1.5 * found.one_place


@pytest.mark.parametrize(("epsilon", "rows"), [("1/2", 983), ("1", 492), ("2", 246)])
def test_the_fewest_rows_are_those_of_the_tail(epsilon: str, rows: int) -> None:
    found = planning.least_rows(AGES, UNIT, Fraction(epsilon), Fraction(1, 2))
    assert abs(found - rows) <= 1
    assert planning.least_records(AGES, UNIT, Fraction(epsilon), Fraction(1, 2)) > 50 * found


def test_with_the_fewest_rows_noise_moves_the_mean_as_little_as_wished() -> None:
    within, epsilon = Fraction(1, 2), Fraction(1)
    rows = planning.least_rows(AGES, UNIT, epsilon, within)
    noised = queries.mean_of_known_rows(AGES, UNIT, epsilon)
    assert isinstance(noised.mechanism, Laplace)
    drawn = discrete_laplace(noised.mechanism.scale, 200_000, keyed("least rows"))
    inside = [float((np.abs(drawn) <= within * n).mean()) for n in (rows, rows - 8)]
    assert inside[0] > 0.95 - 0.0015
    assert inside[1] < 0.95


@pytest.mark.parametrize("scale", [Fraction(1, 2), Fraction(82)])
def test_variances_are_those_of_the_noise(scale: Fraction) -> None:
    drawn = discrete_laplace(scale, 200_000, keyed(f"variance {scale}"))
    said = planning.variance_of(laplace(1, 1 / scale))
    assert float(drawn.var()) == pytest.approx(said, rel=0.04)
    normal = gaussian_table(100 * scale).draw(200_000, keyed(f"gaussian {scale}"))
    said = planning.variance_of(gaussian(1, 1 / (200 * scale)))
    assert float(normal.var()) == pytest.approx(said, rel=0.04)


def test_a_step_of_the_grid_counts() -> None:
    """The same bounds on a finer grid: the same error, but for what the grid rounds."""
    finer = Bounds(AGES.low, AGES.high, Fraction(1, 10), AGES.source)
    coarse, fine = (
        planning.error_of(queries.mean_of_known_rows(b, UNIT, Fraction(1))) for b in (AGES, finer)
    )
    assert coarse == pytest.approx(fine, rel=0.001)
