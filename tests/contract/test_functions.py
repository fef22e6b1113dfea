"""Functions of secret numbers: within the error they state, over their whole domain."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from quorate.errors import OutOfRange
from quorate.mpc.functions import divided, exp, log, reciprocal, sigmoid, sqrt
from quorate.mpc.secret import SecretArray, promised
from tests.contract.test_engine import ENGINES, Run, applied

UNIT = 2.0**-16
Floats = NDArray[np.float64]


def error_of(
    run: Run, function: Callable[[SecretArray], SecretArray], right: Any, x: Floats, limit: float
) -> Floats:
    """Return the error in units, for numbers that are dealt without rounding."""
    x = np.rint(x / UNIT) * UNIT
    (got,) = applied(run, function, x, limit=limit, f=16)
    error: Floats = np.abs(np.asarray(got) - right(x)) / UNIT
    return error


@pytest.fixture(params=ENGINES)
def run(request: pytest.FixtureRequest) -> Run:
    return ENGINES[request.param]


@pytest.mark.parametrize("limit", [0.25, 3, 9])
def test_exp(run: Run, limit: float) -> None:
    assert error_of(run, exp, np.exp, np.linspace(-limit, limit, 701), limit).max() < 4


@pytest.mark.parametrize("limit", [1, 8, 500])
def test_sigmoid(run: Run, limit: float) -> None:
    def right(x: Floats) -> Floats:
        return 1 / (1 + np.exp(-x))

    assert error_of(run, sigmoid, right, np.linspace(-limit, limit, 701), limit).max() < 4


def spread(low: float, high: float) -> Floats:
    """Numbers evenly over the orders of magnitude, the powers of two, and their neighbours."""
    powers = 2.0 ** np.arange(np.ceil(np.log2(low)), np.floor(np.log2(high)) + 1)
    near = [powers, powers - UNIT, powers + UNIT, np.geomspace(low, high, 300)]
    x: Floats = np.clip(np.concatenate(near), low, high)
    return x


@pytest.mark.parametrize("limit", [1, 1000, 2.0**20])
def test_log(run: Run, limit: float) -> None:
    assert error_of(run, log, np.log, spread(UNIT, limit), limit).max() < 2


@pytest.mark.parametrize("limit", [1, 1000, 2.0**20])
def test_sqrt(run: Run, limit: float) -> None:
    x = spread(UNIT, limit)
    allowed = 2 + np.sqrt(x) / UNIT * 2.0**-22
    assert (error_of(run, sqrt, np.sqrt, x, limit) < allowed).all()


@pytest.mark.parametrize(("low", "limit"), [(UNIT, 1), (2.0**-7, 1000), (1, 2.0**20)])
def test_reciprocal(run: Run, low: float, limit: float) -> None:
    x = spread(low, limit)
    allowed = 2 + 1 / x / UNIT * 2.0**-22
    error = error_of(run, lambda x: reciprocal(x, at_least=low), np.reciprocal, x, limit)
    assert (error < allowed).all()


@pytest.mark.parametrize(
    ("largest", "low", "high", "f"),
    [(1000, 1, 1000, 16), (3, UNIT, 2, 16), (2.0**20, 2.0**-4, 2.0**8, 16), (1e6, 1, 5e4, 0)],
)
def test_divided(run: Run, largest: float, low: float, high: float, f: int) -> None:
    unit, result_unit = 2.0**-f, 2.0 ** -(f or 16)
    y = np.maximum(np.rint(spread(low, high) / unit) * unit, low)
    x = np.rint(np.linspace(-largest, largest, y.size) / unit) * unit
    length, span = int(largest / unit).bit_length(), np.ceil(np.log2(high / low))
    (got,) = applied(
        run,
        lambda x, y: divided(
            promised(x, int(largest / unit)), promised(y, int(high / unit)), at_least=low
        ),
        x,
        y,
        limit=max(largest, high),
        f=f,
    )
    relative = 2.0 ** -min(22, 57 - length) * np.abs(x / y)
    allowed = 2 * result_unit + relative + 2.0 ** -(59 - length - span) * unit / y
    assert (np.abs(np.asarray(got) - x / y) < allowed).all()


def test_quotients_of_either_sign(run: Run) -> None:
    x, y = np.array([7.5, -3.0, 0.0, 900.0, 1.0]), np.array([-2.0, 0.5, 3.0, -17.0, 1000.0])
    got = applied(run, lambda x, y: [x / y, 1 / y], x, y, limit=1000, f=8)
    for mine, right in zip(got, (x / y, 1 / y), strict=True):
        assert np.abs(np.asarray(mine) - right).max() < 2.5 * 2.0**-8


def test_a_mean_of_a_secret_number_of_rows(run: Run) -> None:
    """Sums over counts, both whole numbers: a fraction of 16 bits."""
    sums, counts = np.array([7723, 0, 1, 50_000]), np.array([160, 1, 3, 997])
    (got,) = applied(run, lambda s, n: s / n, sums, counts, limit=60_000)
    assert np.abs(np.asarray(got) - sums / counts).max() < 2 * UNIT + 2.0**-22 * 50_000


def test_a_quotient_that_has_no_room_is_refused_when_written(run: Run) -> None:
    with pytest.raises(OutOfRange, match="59 together"):
        applied(run, lambda x, y: x / y, np.array([1.0]), np.array([1.0]), limit=2**28, f=16)


def test_a_logistic_regression_goes_the_way_of_the_plain_one(run: Run) -> None:
    """Twenty steps down a gradient: what errors there are do not add up to anything."""
    rows, columns, rate = 40, 3, 0.5
    x = np.sin(np.arange(rows * columns)).reshape(rows, columns)
    y = (x @ [1.0, -2.0, 0.5] > 0).astype(np.float64)

    def steps(x: Any, y: Any, sigmoid_of: Callable[[Any], Any], kept: Callable[[Any], Any]) -> Any:
        weights = y[:columns] * 0
        for _ in range(20):
            error = sigmoid_of(kept(x @ weights)) - y
            weights = kept(weights - x.T @ error * (rate / rows))
        return weights

    def in_secret(x: SecretArray, y: SecretArray) -> SecretArray:
        return steps(x, y, sigmoid, lambda v: promised(v, 16 << 16))  # type: ignore[no-any-return]

    (got,) = applied(run, in_secret, x, y, limit=1, f=16)
    right = steps(x, y, lambda v: 1 / (1 + np.exp(-v)), lambda v: v)
    assert np.abs(np.asarray(got) - right).max() < 100 * UNIT
