"""From totals to answers: without noise the exact ones, with noise within what is possible."""

from fractions import Fraction
from statistics import mean, pvariance

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.dp import estimates
from quorate.dp.mechanisms import Bounds
from quorate.errors import OutOfRange

AGES = Bounds(Fraction(18), Fraction(100), Fraction(1, 2), "protocol, section 3")
ages = st.lists(st.integers(36, 200), min_size=1, max_size=30)


@given(ages)
def test_without_noise_mean_and_variance_are_exact(rows: list[int]) -> None:
    values = [Fraction(row, 2) for row in rows]
    n, centred, squares = estimates.centred_sums(AGES, np.array(rows)).tolist()
    assert estimates.mean_from(AGES, n, centred) == mean(values)
    assert estimates.variance_from(AGES, n, centred, squares) == pvariance(values)
    (excess,) = estimates.above(AGES, np.array(rows)).tolist()
    assert estimates.mean_above(AGES, len(rows), excess) == sum(values) / len(rows)
    (total,) = estimates.total(AGES, np.array(rows)).tolist()
    assert total * AGES.step == sum(values)


@given(*[st.integers(-(10**12), 10**12)] * 3)
def test_whatever_the_noise_answers_are_possible(n: int, centred: int, squares: int) -> None:
    assert AGES.low <= estimates.mean_from(AGES, n, centred) <= AGES.high
    assert 0 <= estimates.variance_from(AGES, n, centred, squares) <= Fraction(82**2)


@given(
    st.lists(st.integers(0, 9), min_size=2, max_size=17).filter(any),
    st.fractions(min_value=0, max_value=1),
)
def test_without_noise_a_quantile_is_the_cell_it_lies_in(counts: list[int], q: Fraction) -> None:
    place = estimates.quantile_from(estimates.tree(np.array(counts)), q)
    rank = q * sum(counts)
    assert sum(counts[:place]) <= rank <= sum(counts[: place + 1])


@given(st.lists(st.integers(-50, 50), min_size=14, max_size=14), st.fractions(0, 1))
def test_with_any_noise_a_quantile_is_some_cell(noisy: list[int], q: Fraction) -> None:
    assert 0 <= estimates.quantile_from(np.array(noisy), q) < 8


def test_ranges_are_checked_before_any_row_is_read() -> None:
    wide = Bounds(Fraction(0), Fraction(1 << 30), Fraction(1), "protocol")
    estimates.check_range([AGES], most_rows=10**12)
    with pytest.raises(OutOfRange, match="rows"):
        estimates.check_range([AGES, wide], most_rows=10)
