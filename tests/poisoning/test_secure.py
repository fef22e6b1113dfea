"""Defences on shares say what their references say, in the open and among three parties."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

from quorate.errors import Refused
from quorate.mpc.engine import Engine
from quorate.mpc.numbers import Revealed
from quorate.mpc.replicated import Security
from quorate.mpc.secret import SecretArray, deal
from quorate.mpc.selection import concatenate
from quorate.poisoning import robust, secure
from quorate.poisoning.lab import dealt
from quorate.poisoning.learners import Model, fitted
from quorate.poisoning.networks import selecting
from quorate.poisoning.rows import Seeded
from tests.contract.test_engine import ENGINES, Run
from tests.models.engines import answered, assert_costs_what_it_says
from tests.poisoning.hospitals import all_flipped, biopsies

BITS = 20
UNIT = 2.0**-BITS


@pytest.fixture(params=ENGINES)
def run(request: pytest.FixtureRequest) -> Run:
    return ENGINES[request.param]


def told(
    run: Run, model: Callable[[SecretArray], SecretArray], values: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the numbers that a model reveals of values below 50."""

    async def program(engine: Engine) -> list[Revealed | None]:
        mine = values if engine.holds(0) else None
        given = await deal(engine, 0, mine, shape=values.shape, limit=50, fraction_bits=BITS)
        return [await model(given).reveal(to=(0, 1, 2))]

    (found,) = run(program)
    return np.asarray(found, np.float64)


def numbers(count: int, length: int, seed: int = 1) -> NDArray[np.float64]:
    return np.round((Seeded(seed).uniform(count, length) - 0.5) * 100 / UNIT) * UNIT


@pytest.mark.parametrize("hospitals", [3, 4, 5, 10])
def test_the_median_is_the_median(run: Run, hospitals: int) -> None:
    values = numbers(hospitals, 6)
    values[0, :3] = values[1, :3]  # ties
    found = told(run, secure.median, values)
    assert_allclose(found, robust.median(values), atol=2 * UNIT)


@pytest.mark.parametrize(("hospitals", "liars"), [(3, 1), (5, 1), (5, 2), (4, 1)])
def test_the_trimmed_mean_is_the_trimmed_mean(run: Run, hospitals: int, liars: int) -> None:
    values = numbers(hospitals, 4)
    values[0] = 50 - UNIT
    found = told(run, lambda x: secure.trimmed_mean(x, liars), values)
    assert_allclose(found, robust.trimmed_mean(values, liars), atol=4 * UNIT)


def test_a_trimmed_mean_of_too_many_liars_is_refused() -> None:
    with pytest.raises(Refused, match="not fewer than half"):
        told(ENGINES["oracle"], lambda x: secure.trimmed_mean(x, 2), numbers(4, 1))


def test_rows_in_range_are_those_in_range(run: Run) -> None:
    values = np.array([[0, 5], [10, 7], [-1, 5], [3, 8], [3, 4], [11, 9]])
    low, high = np.array([0, 5]), np.array([10, 7])
    right = ((values >= low) & (values <= high)).all(axis=1)
    assert right.sum() == 2
    found = answered(run, lambda x: secure.rows_in_range(x, low, high), values, limit=100)
    assert_array_equal(found, right)


@pytest.mark.parametrize("columns", [1, 2, 3, 7])
def test_one_value_out_of_range_is_enough(run: Run, columns: int) -> None:
    values = np.tile(np.zeros(columns, np.int64), (columns + 1, 1))
    values[np.arange(columns), np.arange(columns)] = 2
    ones = np.ones(columns)
    found = answered(run, lambda x: secure.rows_in_range(x, -ones, ones), values, limit=2)
    assert_array_equal(found, [0] * columns + [1])


def test_rows_that_are_not_kept_are_zeros(run: Run) -> None:
    values = np.array([[1, 2], [99, 4], [5, 6]])

    def kept(x: SecretArray) -> SecretArray:
        return secure.kept_rows(x, secure.rows_in_range(x, [0, 0], [9, 9]))

    assert_array_equal(answered(run, kept, values, limit=100), [[1, 2], [0, 0], [5, 6]])


def ballots(liars: int) -> tuple[list[Model], NDArray[np.float64]]:
    """Return three hospitals' models of a few measurements, and rows to tell the class of."""
    learn, test = biopsies(3)
    chosen = np.array([0, 1, 7, 20, 27])
    parts = [
        type(part)(part.features[:, chosen], part.outcome)
        for part in all_flipped(dealt(learn, 3), liars)
    ]
    return [fitted(part) for part in parts], test.features[:20, chosen]


@pytest.mark.parametrize("liars", [0, 1])
def test_a_vote_on_shares_is_the_vote(run: Run, liars: int) -> None:
    models, rows = ballots(liars)
    scale = np.abs(rows).max(axis=0)
    coefficients = np.array([m.coefficients * np.append(1, scale) for m in models])
    coefficients /= np.abs(coefficients).max(axis=1, keepdims=True)
    design = np.column_stack([np.ones(len(rows)), rows / scale])
    given = np.concatenate([coefficients, design])

    def model(x: SecretArray) -> SecretArray:
        counts = secure.votes(x[:3], x[3:])
        return concatenate(
            [
                one.reshape(1, -1)
                for one in (counts, secure.majority(counts, 3), secure.margin(counts, 3))
            ]
        )

    counts, classes, gap = answered(run, model, given, limit=1, f=24)
    right = robust.vote(models, rows)
    assert_array_equal(classes, right.classes)
    assert_array_equal(gap // 2, right.withstands)
    assert_array_equal(counts, np.sum([m.classes(rows) for m in models], axis=0))


@pytest.mark.parametrize("limit", [5.0, 90.0])
def test_influence_flags_are_those_of_the_reference(run: Run, limit: float) -> None:
    sums, counts = np.array([400, 520, 9000, 0]), np.array([10, 12, 100, 0])

    def model(x: SecretArray) -> SecretArray:
        return secure.influence_flags(x[:4], x[4:], limit)

    found = answered(run, model, np.append(sums, counts), limit=10_000)
    right = robust.influence_flags(1.0 * sums, 1.0 * counts, limit)
    assert any(right) == (limit == 5.0)
    assert_array_equal(found, right)


def test_one_hospital_alone_is_flagged(run: Run) -> None:
    def model(x: SecretArray) -> SecretArray:
        return secure.influence_flags(x[:3], x[3:], 1.0)

    assert_array_equal(answered(run, model, np.array([5, 0, 0, 1, 0, 0]), limit=10), [1, 0, 0])


@pytest.mark.parametrize("security", ["semi-honest", "malicious"])
@pytest.mark.parametrize(
    "model",
    [
        secure.median,
        lambda x: secure.rows_in_range(x, [-1] * 8, [1] * 8),
        lambda x: secure.majority(secure.votes(x[:3], x), 3),
    ],
)
def test_costs_are_declared(
    model: Callable[[SecretArray], SecretArray], security: Security
) -> None:
    assert_costs_what_it_says(model, numbers(5, 8) / 50, security, limit=1, f=BITS)


def test_a_median_takes_a_comparison_and_a_product_for_each_pair() -> None:
    """Rounds of five: as deep as the network is."""
    one = assert_costs_what_it_says(
        lambda x: (x[:1] > x[1:2]) * (x[:1] - x[1:2]),
        numbers(5, 8) / 50,
        "semi-honest",
        limit=1,
        f=BITS,
    )
    five = assert_costs_what_it_says(
        secure.median, numbers(5, 8) / 50, "semi-honest", limit=1, f=BITS
    )
    assert five == len(selecting(5, (2,))) * one
