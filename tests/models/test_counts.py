"""Tables, quantiles, moments and rates on shares: what NumPy says of the same rows."""

import asyncio

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray

from quorate.algebra import ring
from quorate.errors import OutOfRange
from quorate.models import contingency, moments, quantiles, rates
from quorate.models.products import read
from quorate.mpc import secret
from quorate.mpc.engine import Oracle
from quorate.mpc.secret import SecretArray
from quorate.mpc.selection import concatenate
from tests.contract.test_engine import ENGINES, Run
from tests.models.engines import answered
from tests.studies.analyses.oracles import stats

Floats = NDArray[np.float64]


@pytest.fixture(params=ENGINES)
def run(request: pytest.FixtureRequest) -> Run:
    return ENGINES[request.param]


class Clear:
    """Secrets of one who sees all, and back."""

    def __init__(self) -> None:
        self.engine = Oracle()

    def put(self, values: ArrayLike, limit: int) -> SecretArray:
        words = ring.from_signed(np.array(values, np.int64))
        return secret.held(self.engine, words, shape=words.shape, limit=limit)

    def take(self, x: SecretArray) -> Floats:
        return np.asarray(asyncio.run(x.reveal(to=[0])), np.float64)


@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=40),
    st.sampled_from([(1, 2), (1, 4), (9, 10), (3, 7), (1, 1000), (999, 1000)]),
)
def test_a_quantile_is_that_of_the_rows(rows: list[int], part: tuple[int, int]) -> None:
    clear, counts = Clear(), np.bincount(rows, minlength=31)
    found = clear.take(quantiles.quantile(clear.put(counts, 1000), *part)) / part[1]
    assert found == pytest.approx(np.quantile(rows, part[0] / part[1]), abs=1e-9)


@pytest.mark.parametrize(("rows", "bits"), [(3000, 17), (3000, 9), (100_000, 12), (100_000, 7)])
def test_welch_has_the_errors_it_states(rows: int, bits: int) -> None:
    clear, sizes = Clear(), moments.Sizes(rows.bit_length(), bits)
    most = 2**bits - 1
    groups = [
        np.clip(most * (at + stats.norm.ppf((np.arange(n) + 0.5) / n) / wide), 0, most).astype(int)
        for at, wide, n in ((0.4, 12, rows // 3), (0.45, 32, rows // 7))
    ]
    n, s, q = ([float((x.astype(np.float64) ** k).sum()) for x in groups] for k in range(3))
    found = moments.welch(
        clear.put(n, rows), clear.put(s, rows * most), clear.put(q, rows * most**2), sizes
    )
    each = np.array([x.var(ddof=1) / len(x) for x in groups])
    difference = groups[0].mean() - groups[1].mean()
    freedom = each.sum() ** 2 / (each**2 / (np.array(n) - 1)).sum()
    assert abs(clear.take(found.difference) - difference) < 2.0**-28
    assert clear.take(found.variance) == pytest.approx(each.sum(), rel=2.0**-15)
    assert clear.take(found.freedom) == pytest.approx(freedom, rel=2.0**-14)
    assert clear.take(found.sound) == 1


@given(st.integers(1, 2**12 - 1), st.integers(-(2**28), 2**28))
def test_a_mean_has_the_error_it_states(n: int, total: int) -> None:
    clear = Clear()
    found = clear.take(moments.mean(clear.put(total, 2**29 - 1), clear.put(n, 2**12 - 1)))
    assert abs(found - total / n) <= 2.0**-29 + abs(total / n) * 2.0**-40


@given(st.lists(st.integers(0, 900), min_size=6, max_size=6))
def test_chi_squared_has_the_error_it_states(cells: list[int]) -> None:
    clear, table = Clear(), np.array(cells).reshape(2, 3)
    chi, freedom = contingency.chi_squared(clear.put(table, 1 << 13), 1 << 13)
    kept = table[table.sum(1) > 0][:, table.sum(0) > 0]
    expected = np.outer(kept.sum(1), kept.sum(0)) / max(kept.sum(), 1)
    plain = ((kept - expected) ** 2 / expected).sum()
    assert clear.take(chi) == pytest.approx(plain, rel=1e-5, abs=1e-4)
    assert clear.take(freedom) == (
        max((kept.shape[0] - 1) * (kept.shape[1] - 1), 0) if kept.size else 0
    )


@pytest.mark.parametrize(
    ("most", "table"),
    [
        (100_000, [[14_900, 12_050, 3020], [30_000, 24_100, 5930]]),
        (100_000, [[15_000, 14_970, 30], [29_900, 30_050, 50]]),
        (100_000, [[21_000, 8998, 2], [42_000, 18_000, 3]]),
        (1_000_000, [[150_000, 149_700, 300], [300_300, 298_900, 600]]),
    ],
)
def test_rare_values_among_many_rows_do_not_spoil_chi_squared(
    most: int, table: list[list[int]]
) -> None:
    clear = Clear()
    chi, freedom = contingency.chi_squared(clear.put(table, most), most)
    expected = stats.chi2_contingency(table, correction=False)
    assert clear.take(chi) == pytest.approx(expected.statistic, rel=1e-4)
    p = stats.chi2.sf(clear.take(chi), clear.take(freedom))
    assert p == pytest.approx(expected.pvalue, rel=1e-3)


def test_a_table_that_may_be_too_large_is_refused() -> None:
    clear = Clear()
    with pytest.raises(OutOfRange):
        contingency.chi_squared(clear.put(np.ones((2, 2)), 1 << 26), 1 << 26)


def test_chi_squared_on_every_engine(run: Run) -> None:
    table = np.array([[30, 10, 5], [12, 25, 9]])

    def model(counts: SecretArray) -> SecretArray:
        chi, freedom = contingency.chi_squared(counts, 1000)
        return concatenate([read(chi, 0).reshape(1), freedom.reshape(1)])

    chi, freedom = answered(run, model, table, limit=1000)
    expected = np.outer(table.sum(1), table.sum(0)) / table.sum()
    plain = ((table - expected) ** 2 / expected).sum()
    assert chi / 2**contingency.CHI_BITS == pytest.approx(plain, rel=1e-5)
    assert freedom == 2


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(50, 3000)), min_size=3, max_size=3))
def test_a_standardised_rate_has_the_error_it_states(strata: list[tuple[int, int]]) -> None:
    clear, weights = Clear(), np.array([20, 50, 30])
    d, t = np.array(strata).T
    found = rates.standardised(clear.put(d, 1000), clear.put(t, 1 << 20), weights)
    rate, variance, sound = map(clear.take, found)
    plain = (weights * d / t).sum()
    assert sound == (d.sum() > 0)
    if sound:
        assert rate == pytest.approx(plain, rel=1e-5)
        expected = (weights**2 * d / t**2).sum() / plain**2
        assert variance == pytest.approx(expected, rel=1e-4, abs=1e-6)
