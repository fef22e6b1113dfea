"""What one patient can do to the integers of each query: never more than said, and as much."""

from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.dp import estimates, queries
from quorate.dp.mechanisms import (
    Bounds,
    Laplace,
    Neighbours,
    Unit,
    gaussian,
    laplace,
)
from quorate.dp.queries import Noised
from quorate.dp.tables import Integers
from quorate.errors import OutOfRange, Refused

ONE = Fraction(1)
NEIGHBOURS: tuple[Neighbours, ...] = ("add or remove", "replace")
CELLS = 5

bounds_drawn = st.builds(
    lambda low, width, step: Bounds(low * step, (low + width) * step, step, "protocol, section 3"),
    st.integers(-50, 50),
    st.integers(1, 60),
    st.sampled_from([Fraction(1), Fraction(1, 10), Fraction(5, 2)]),
)
wild = st.integers(-(10**18), 10**18) | st.integers(-120, 120)
rows_drawn = st.lists(wild, max_size=6)


def steps(values: Sequence[int]) -> Integers:
    return np.array(values, np.int64)


def without_and_with(
    others: list[int], one: list[int], another: list[int], unit: Unit
) -> tuple[Integers, Integers]:
    """Return two sets of rows that differ by one patient, of at most `unit.rows` rows."""
    first, second = one[: unit.rows], another[: unit.rows]
    if unit.neighbours == "add or remove":
        second = []
    return steps(others + first), steps(others + second)


def moved(vector: Callable[[Integers], Integers], sets: tuple[Integers, Integers]) -> int:
    return int(np.abs(vector(sets[0]) - vector(sets[1])).sum())


def l1(noised: Noised) -> int:
    assert isinstance(noised.mechanism, Laplace)
    return noised.mechanism.sensitivity


def cells_of(rows: Integers) -> Integers:
    return np.bincount(rows % CELLS, minlength=CELLS).astype(np.int64)


units = st.builds(Unit, st.integers(1, 3), st.sampled_from(NEIGHBOURS))


@given(bounds_drawn, rows_drawn, rows_drawn, rows_drawn, units)
def test_no_patient_moves_a_query_further_than_said(
    bounds: Bounds, others: list[int], one: list[int], another: list[int], unit: Unit
) -> None:
    sets = without_and_with(others, one, another, unit)
    assert moved(lambda r: steps([r.size]), sets) <= l1(queries.count(unit, ONE))
    assert moved(cells_of, sets) <= l1(queries.histogram(CELLS, unit, ONE))
    assert moved(lambda r: estimates.total(bounds, r), sets) <= l1(queries.total(bounds, unit, ONE))
    tree = queries.quantile(CELLS, unit, ONE)
    assert moved(lambda r: estimates.tree(cells_of(r)), sets) <= l1(tree)
    assert estimates.tree(cells_of(sets[0])).size == tree.cells
    for i, part in enumerate(queries.variance(bounds, unit, ONE)):
        whole = moved(lambda r, i=i: estimates.centred_sums(bounds, r)[i : i + 1], sets)  # type: ignore[misc]
        assert whole <= l1(part)


@given(bounds_drawn, rows_drawn, st.lists(wild, min_size=3, max_size=3), st.integers(1, 3))
def test_of_known_rows_no_patient_moves_the_sum_further(
    bounds: Bounds, others: list[int], pair: list[int], rows: int
) -> None:
    unit = Unit(rows, "replace")
    sets = steps(others + pair[:1] * rows), steps(others + pair[1:2] * rows)
    known = queries.mean_of_known_rows(bounds, unit, ONE)
    assert moved(lambda r: estimates.above(bounds, r), sets) <= l1(known)


@pytest.mark.parametrize("k", [1, 2])
def test_what_is_said_is_reached(k: int) -> None:
    """So that the sensitivities are not merely large."""
    bounds = Bounds(Fraction(18), Fraction(100), ONE, "protocol")
    low, high = [18] * k, [100] * k
    added, replaced = Unit(k), Unit(k, "replace")
    total = lambda r: estimates.total(bounds, r)  # noqa: E731
    assert moved(total, (steps(high), steps([]))) == l1(queries.total(bounds, added, ONE))
    assert moved(cells_of, (steps([1] * k), steps([2] * k))) == l1(
        queries.histogram(CELLS, replaced, ONE)
    )
    above = lambda r: estimates.above(bounds, r)  # noqa: E731
    assert moved(above, (steps(low), steps(high))) == l1(
        queries.mean_of_known_rows(bounds, replaced, ONE)
    )
    tree = lambda r: estimates.tree(cells_of(r))  # noqa: E731
    assert moved(tree, (steps([0] * k), steps([4] * k))) == l1(
        queries.quantile(CELLS, replaced, ONE)
    )
    for i, part in enumerate(queries.variance(bounds, added, ONE)):
        vector = lambda r, i=i: estimates.centred_sums(bounds, r)[i : i + 1]  # noqa: E731
        assert moved(vector, (steps(high), steps([]))) == l1(part)


def test_control_without_clamping_one_patient_moves_a_sum_anywhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bounds = Bounds(Fraction(18), Fraction(100), ONE, "protocol")
    sets = steps([40, 10**15]), steps([40])
    said = l1(queries.total(bounds, Unit(), ONE))
    assert moved(lambda r: estimates.total(bounds, r), sets) <= said
    monkeypatch.setattr(Bounds, "clamped", lambda _, rows: rows)
    assert moved(lambda r: estimates.total(bounds, r), sets) > said


@given(st.fractions(min_value=Fraction(1, 1000), max_value=20), st.integers(1, 10**6))
def test_noise_gives_exactly_the_guarantee_asked_for(budget: Fraction, sensitivity: int) -> None:
    assert laplace(sensitivity, budget).epsilon == budget
    assert laplace(sensitivity, budget).rho == budget**2 / 2
    assert gaussian(sensitivity**2, budget).rho == budget


def test_parts_of_a_query_cost_its_budget_together() -> None:
    bounds = Bounds(Fraction(0), Fraction(10), ONE, "protocol")
    for parts in (queries.mean(bounds, Unit(), ONE), queries.variance(bounds, Unit(), ONE)):
        epsilons = [p.mechanism.epsilon for p in parts if isinstance(p.mechanism, Laplace)]
        assert sum(epsilons) == 1


def test_values_are_clamped_and_then_put_on_the_grid() -> None:
    bounds = Bounds(Fraction(0), Fraction(10), Fraction(1, 2), "protocol")
    values = [Fraction(v) for v in ("-1e9", "0.24", "0.25", "0.75", "9.9", "1e9")]
    assert bounds.on_grid(values).tolist() == [0, 0, 0, 2, 20, 20]


@pytest.mark.parametrize(
    ("low", "high", "step", "error"),
    [
        (1, 1, 1, OutOfRange),
        (2, 1, 1, OutOfRange),
        (0, 1, 0, OutOfRange),
        (0, 5, 2, OutOfRange),
        (0, 1 << 31, 1, OutOfRange),
    ],
)
def test_bounds_that_are_none_are_refused(
    low: int, high: int, step: int, error: type[Exception]
) -> None:
    with pytest.raises(error):
        Bounds(Fraction(low), Fraction(high), Fraction(step), "protocol")


def test_bounds_without_a_source_are_refused() -> None:
    with pytest.raises(Refused, match="public source") as refused:
        Bounds(Fraction(0), Fraction(1), ONE, " ")
    assert "source" in refused.value.hint


@pytest.mark.parametrize("epsilon", [Fraction(0), Fraction(-1)])
def test_no_budget_is_no_guarantee(epsilon: Fraction) -> None:
    with pytest.raises(Refused):
        laplace(1, epsilon)
    with pytest.raises(OutOfRange):
        laplace(0, ONE)


def test_queries_that_make_no_sense_are_refused() -> None:
    bounds = Bounds(Fraction(0), Fraction(1), ONE, "protocol")
    with pytest.raises(Refused, match="replaced"):
        queries.mean_of_known_rows(bounds, Unit(), ONE)
    wrongs: tuple[Callable[[], Noised], ...] = (
        lambda: queries.histogram(0, Unit(), ONE),
        lambda: queries.quantile(1, Unit(), ONE),
        lambda: queries.noisy_max(1, Unit(), ONE),
        lambda: queries.products(0, 1, Unit(), ONE, pure=True),
    )
    for wrong in wrongs:
        with pytest.raises(OutOfRange):
            wrong()
    with pytest.raises(Refused):
        Unit(0)
