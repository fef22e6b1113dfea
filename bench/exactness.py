"""How near models on shares come to statsmodels and lifelines, for real patients.

`python -m bench.exactness --write` writes docs/reference/exactness.md. Members' sums are computed
apart and added up; the arithmetic is that of the engine's oracle, which the three parties'
differs from by single roundings only.
"""

import asyncio
import csv
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from math import ceil, log10
from pathlib import Path

import numpy as np
import pandas as pd
import statsmodels.api as sm
from lifelines import CoxPHFitter, KaplanMeierFitter
from lifelines.statistics import logrank_test
from numpy.typing import NDArray
from scipy import stats

from bench.answers import (
    MOST,
    Floats,
    Line,
    Right,
    climbed,
    halved,
    line_of,
    right_of,
    scaled,
    told,
)
from bench.markdown import table
from quorate.models.counting import counted, counting, learned_rates
from quorate.models.cox import (
    Followed,
    Ties,
    divisor_of,
    efron_likelihood,
    partial_likelihood,
    risk_sums,
)
from quorate.models.glm import LOGISTIC, Family, Rows, contribution, poisson
from quorate.models.linear import Least, linear, moments, read_linear
from quorate.models.logrank import compared, read_logrank
from quorate.models.newton import Likeliest
from quorate.models.outputs import Degenerate
from quorate.models.survival import kaplan_meier, read_curves
from quorate.models.trained import DESIGN_BITS, Learned, learned, trained, training
from quorate.models.whitening import GRAM_BITS
from quorate.mpc.engine import Oracle
from quorate.mpc.secret import SecretArray, deal
from quorate.studies.points import Range, scored

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reference" / "exactness.md"
WIDTH = 30.0

TEXT = """\
# Exactness

Written by `python -m bench.exactness --write`. Patients of `examples/data`, split between members
(those with lung cancer by their institutions, the others in turn), and what models on shares say of
them, beside statsmodels and lifelines with all rows in one place. Errors are the largest of all
coefficients, rounded up to a power of ten: of estimates and standard errors relative, of p
absolute. Bars are 10^-4 and 10^-3.
"""


def lines() -> Iterator[Line]:
    """Yield every comparison."""
    for name, columns, last in (("diabetes", "diabetes", 10), ("wisconsin", "wisconsin", 30)):
        rows = _numbers(columns)
        yield _linear(f"linear, {name}, {last} columns", rows[:, :last], rows[:, last])
    yield from _breast_cancer()
    yield from _lung_cancer()


def page() -> str:
    head = ["model", "rows", "members", "estimates", "standard errors", "p"]
    body = [(x.model, str(x.rows), str(x.members), *map(_shown, x.errors)) for x in lines()]
    return f"{TEXT}\n{table(head, body)}\n"


def _breast_cancer() -> Iterator[Line]:
    found = _rows("gbsg2")
    yes = [[r["horTh"] == "yes", r["menostat"] == "Post", r["tgrade"] == "II"] for r in found]
    rest = [
        [r["tgrade"] == "III", *(float(r[c]) for c in ("age", "tsize", "pnodes"))] for r in found
    ]
    columns = np.column_stack([np.array(yes, float), np.array(rest, float)])
    days = np.array([float(r["time"]) for r in found])
    event = np.array([r["cens"] == "1" for r in found])
    outcome, zeros, years = event.astype(float), np.zeros(len(days)), np.log(days / 365.25)
    full, member = sm.add_constant(columns), np.arange(len(days)) % 3
    logit = right_of(sm.Logit(outcome, full).fit(disp=0))
    yield _likeliest("logistic, gbsg2, steps seen", LOGISTIC, columns, outcome, zeros, logit)
    yield _trained("logistic, gbsg2, no step seen", columns, outcome, logit)
    counts = sm.GLM(outcome, full, family=sm.families.Poisson(), offset=years).fit()
    rates = right_of(counts)
    yield _likeliest("Poisson, gbsg2, steps seen", poisson(1), columns, outcome, years, rates)
    yield _counted("Poisson, gbsg2, no step seen", columns, outcome, np.exp(years), rates)
    yield _risk("score, gbsg2, risk by a logistic model", full, logit.estimates)
    yield from _survival("gbsg2", columns, days, event, columns[:, 0] == 1, member)


def _lung_cancer() -> Iterator[Line]:
    found = [row for row in _rows("lung") if row["inst"]]
    columns = np.array([[float(r["age"]), float(r["sex"])] for r in found])
    days = np.array([float(r["time"]) for r in found])
    event = np.array([r["status"] == "1" for r in found])
    member = np.unique(np.array([float(r["inst"]) for r in found]), return_inverse=True)[1]
    yield from _survival("lung", columns, days, event, columns[:, 1] == 2, member)


def _linear(model: str, columns: Floats, outcome: Floats) -> Line:
    (design, scale), top = halved(columns), 2.0 ** np.ceil(np.log2(outcome.max()))
    parts = [moments(design[i::3], outcome[i::3] / top, MOST) for i in range(3)]
    found = read_linear(told(linear, parts, GRAM_BITS), MOST)
    assert isinstance(found, Least)
    right = sm.OLS(outcome, sm.add_constant(columns)).fit()
    estimates, errors = found.estimates * top / scale, found.standard_errors * top / scale
    chances = 2 * stats.t.sf(np.abs(estimates / errors), found.rows - len(scale))
    return line_of(model, len(outcome), 3, Right(estimates, errors, chances), right_of(right))


def _likeliest(
    model: str, family: Family, columns: Floats, outcome: Floats, offset: Floats, right: Right
) -> Line:
    (design, scale), divisor = halved(columns), family.divisor(MOST)
    parts = [Rows(design[i::3], outcome[i::3], offset[i::3]) for i in range(3)]

    def sums(at: Floats) -> list[Floats]:
        return [contribution(family, part, at, divisor) for part in parts]

    found = climbed(sums, len(scale), divisor, lambda total: total)
    return line_of(model, len(outcome), 3, scaled(found, scale), right)


def _trained(model: str, columns: Floats, outcome: Floats, right: Right) -> Line:
    design, scale = halved(columns)
    of = training(len(outcome), len(scale), 8, 0.0)
    words = _of_rows(design, outcome, 1, lambda x, y: trained(of, x, y))
    return _learned(model, learned(words, of), len(outcome), scale, right)


def _counted(model: str, columns: Floats, outcome: Floats, years: Floats, right: Right) -> Line:
    design, scale = halved(columns)
    most, unit = int(outcome.max()), 2.0 ** np.ceil(np.log2(years.max()))
    of = counting(len(outcome), len(scale), 8, most, unit)
    given = np.column_stack([design, years / unit])
    words = _of_rows(given, outcome, most, lambda x, y: counted(of, x[:, :-1], y, x[:, -1]))
    return _learned(model, learned_rates(words, of), len(outcome), scale, right)


def _learned(
    model: str, found: Learned | Degenerate, rows: int, scale: Floats, right: Right
) -> Line:
    assert isinstance(found, Learned), found
    return line_of(model, rows, 3, scaled(found, scale), right)


def _of_rows(
    design: Floats,
    outcome: Floats,
    most: int,
    model: Callable[[SecretArray, SecretArray], SecretArray],
) -> NDArray[np.int64]:
    """Return what a model reveals of rows nobody sees."""

    async def run() -> NDArray[np.int64]:
        engine = Oracle()
        x = await deal(engine, 0, design, shape=design.shape, limit=1, fraction_bits=DESIGN_BITS)
        y = await deal(engine, 0, outcome.astype(np.int64), shape=outcome.shape, limit=most)
        return np.asarray(await model(x, y).reveal(to=(0, 1, 2)), np.int64)

    return asyncio.run(run())


def _risk(model: str, columns: Floats, weights: Floats) -> Line:
    """Return how near risks come whose logarithms of odds are added up in millionths."""
    held = np.array_split(np.arange(len(weights)), 3)
    parts = [np.rint(columns[:, mine] @ weights[mine] * 1e6).astype(np.int64) for mine in held]
    ranges = [Range(int(part.min()), int(part.max())) for part in parts]

    def added(all_parts: SecretArray) -> SecretArray:
        return scored([all_parts[i] for i in range(3)], ranges, 0)

    risk = 1 / (1 + np.exp(-told(added, [np.array(parts)], 0, 1 << 40) / 1e6))
    right = 1 / (1 + np.exp(-columns @ weights))
    return Line(model, len(columns), 3, (float(np.abs(risk / right - 1).max()), None, None))


def _survival(
    name: str,
    columns: Floats,
    days: Floats,
    event: NDArray[np.bool_],
    group: NDArray[np.bool_],
    member: NDArray[np.int64],
) -> Iterator[Line]:
    """Yield proportional hazards, logrank test and curves."""
    at, members = (days // WIDTH).astype(np.int64), int(member.max()) + 1
    bins = int(at.max()) + 1
    design, scale = halved(columns)
    design, scale = design[:, 1:], scale[1:]
    people = [Followed(design[i], at[i], event[i]) for i in (member == m for m in range(members))]
    breslow = right_of(sm.PHReg(at.astype(float), columns, event, ties="breslow").fit())
    for ties, right in ((Ties.EFRON, _fitted(at, columns, event)), (Ties.BRESLOW, breslow)):
        found = scaled(_proportional(people, bins, ties), scale)
        yield line_of(f"Cox, {name}, ties as {ties.capitalize()}", len(days), members, found, right)
    counts = [
        _counts(at[i], event[i], group[i], bins) for i in (member == m for m in range(members))
    ]
    chi = read_logrank(told(compared, counts, 0))
    assert not isinstance(chi, Degenerate)
    test = logrank_test(at[group], at[~group], event[group], event[~group])
    p = abs(float(stats.chi2.sf(chi, 1)) - test.p_value)
    yield Line(
        f"logrank, {name}", len(days), members, (abs(chi / test.test_statistic - 1), None, p)
    )
    curves = read_curves(told(partial(kaplan_meier, min_cell=5), counts, 0), 2)
    worst = 0.0
    for curve, mine in zip(curves, (group, ~group), strict=True):
        fitted = KaplanMeierFitter().fit(at[mine], event[mine]).survival_function_.iloc[:, 0]
        worst = max(worst, float(np.abs(curve.survival / fitted[list(curve.bins)] - 1).max()))
    yield Line(f"Kaplan-Meier, {name}", len(days), members, (worst, None, None))


def _proportional(people: Sequence[Followed], bins: int, ties: Ties) -> Likeliest:
    divisor, p = divisor_of(MOST), people[0].design.shape[1]

    def sums(place: Floats) -> list[Floats]:
        return [risk_sums(one, place, bins, divisor, ties) for one in people]

    def inner(total: SecretArray) -> SecretArray:
        if ties == Ties.BRESLOW:
            return partial_likelihood(total, p)
        return efron_likelihood(total, p, divisor)

    return climbed(sums, p, divisor, inner)


def _fitted(at: NDArray[np.int64], columns: Floats, event: NDArray[np.bool_]) -> Right:
    """Return what lifelines says, whose ties are Efron's."""
    rows = pd.DataFrame(columns.astype(float)).assign(at=at + 1, event=event)
    found = CoxPHFitter().fit(rows, "at", "event", fit_options={"precision": 1e-12})
    names = (found.params_, found.standard_errors_, found.summary["p"])
    return Right(*(np.asarray(one, np.float64) for one in names))


def _counts(
    at: NDArray[np.int64], event: NDArray[np.bool_], group: NDArray[np.bool_], bins: int
) -> NDArray[np.int64]:
    counts = np.zeros((2, 2, bins), np.int64)
    for i, mine in enumerate((group, ~group)):
        counts[i, 0] = np.bincount(at[mine & event], minlength=bins)
        counts[i, 1] = np.bincount(at[mine], minlength=bins)[::-1].cumsum()[::-1]
    return counts


def _shown(error: float | None) -> str:
    return "" if error is None else f"10^{max(ceil(log10(max(error, 1e-12))), -9)}"


def _rows(name: str) -> list[dict[str, str]]:
    with (ROOT / "examples" / "data" / f"{name}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _numbers(name: str) -> Floats:
    files = ("north", "south", "west") if name == "diabetes" else (name,)
    rows = [[float(value) for value in row.values()] for file in files for row in _rows(file)]
    return np.array(rows)


if __name__ == "__main__":
    if "--write" in sys.argv:
        PAGE.write_text(page(), encoding="utf-8")
    else:
        sys.stdout.write(page())
