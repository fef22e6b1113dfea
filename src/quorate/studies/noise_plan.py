"""What noise will do to a study's values, before anything is spent: errors, and rows they need.

Nothing is read and nothing decides a guarantee, so numbers are floats: root mean squares of the
noise alone, by the first derivatives of what is computed from noisy totals. How many rows there
will be is assumed, and that a column's mean lies a quarter of its width off the middle, with
a spread of a quarter of it. The four ways are those of `dp.planning`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, sqrt

from quorate.dp import local
from quorate.dp.accounting import NANO
from quorate.dp.mechanisms import Gaussian, Unit
from quorate.dp.planning import variance_of
from quorate.errors import OutOfRange, Refused
from quorate.studies.inputs import cells_of, size
from quorate.studies.noised import (
    KINDS,
    Kind,
    Vector,
    bounds_of,
    colluders,
    counted_cells,
    privacy_of,
    vectors_of,
)
from quorate.studies.privacy import Budget
from quorate.studies.query import Output, Query
from quorate.studies.records import EVERYTHING
from quorate.studies.study import Study

EPSILONS = tuple(map(Fraction, ("1/4", "1/2", "1", "2", "4", "8")))
COUNTS = frozenset({"count", "histogram"})
WITHIN_95 = 2.1183
"""Of Laplace noise 95 of 100 draws are within so many root mean squares: ln 20 / 2^(1/2)."""

GAUSSIAN_95 = 1.96


@dataclass(frozen=True, slots=True)
class Expected:
    """Errors of one value of one cell at one epsilon of its release, in the value's unit."""

    release: str
    value: str
    unit: str
    epsilon: float  # of a budget that is a rho: the one that counts as so much
    budget: str
    one_place: float  # a third party or an enclave draws it; or three parties do, jointly
    in_shares: float
    each_alone: float
    each_record: float | None  # None: noise on records cannot give this
    rows_needed: int | None  # for the wanted accuracy from one place; of means only


@dataclass(frozen=True, slots=True)
class Assumed:
    """What a person expects: members, rows of each cell, and how near a mean should be."""

    members: int
    rows: int
    within: float | None = None


def expected_errors(
    study: Study, assumed: Assumed, epsilons: Sequence[Fraction] = EPSILONS
) -> tuple[Expected, ...]:
    """Return errors for each value of a study under privacy, at each epsilon for each release.

    Raises `Refused` for a study whose values are exact.
    """
    if study.privacy is None:
        raise Refused(
            "this study's values are exact: it has no noise to plan",
            hint="give its releases budgets: privacy = { epsilon = 1.0 }",
        )
    found: list[Expected] = []
    for place, query in enumerate(study.releases):
        outputs = [out for out in query.outputs if out.statistic != "mode"]  # which has no size
        for epsilon in epsilons:
            budgets = tuple(_at(budget, epsilon) for budget in study.privacy.budgets)
            at = replace(study, privacy=replace(study.privacy, budgets=budgets))
            own = tuple(v for v in vectors_of(at) if v.release == query.name)
            words = budgets[place].text
            found += [_expected(at, query, out, own, assumed, epsilon, words) for out in outputs]
    return tuple(found)


def _at(budget: Budget, epsilon: Fraction) -> Budget:
    """Return a budget of the same kind: with the same delta, or the rho that an epsilon counts."""
    if budget.nano_rho:
        return Budget(0, 0, max(int(epsilon**2 / 2 * NANO), 1))
    return replace(budget, nano_epsilon=int(epsilon * NANO))


def _expected(
    study: Study,
    query: Query,
    output: Output,
    vectors: Sequence[Vector],
    assumed: Assumed,
    epsilon: Fraction,
    budget: str,
) -> Expected:
    cells = counted_cells(query, output)
    of = {v.kind: v for v in vectors if v.cells == cells and v.column in {"", output.column}}
    wanted = [of[kind] for kind in KINDS[output.statistic]]
    one = sqrt(sum((w * _deviation(v)) ** 2 for w, v in _weighted(study, output, wanted, assumed)))
    n, t = assumed.members, colluders(assumed.members)
    need = None
    if output.statistic == "avg" and assumed.within is not None:
        is_gaussian = any(isinstance(vector.mechanism, Gaussian) for vector in wanted)
        reach = GAUSSIAN_95 if is_gaussian else WITHIN_95
        need = ceil(reach * one * assumed.rows / assumed.within)
    return Expected(
        query.name,
        output.name,
        _unit(study, output),
        float(epsilon),
        budget,
        one,
        one * sqrt(n / (n - t)),
        one * sqrt(n),
        _each_record(study, query, output, assumed, epsilon / max(_questions(query), 1)),
        need,
    )


def _unit(study: Study, output: Output) -> str:
    if output.statistic == "percentile":
        return "rows too high or low"
    return study.table.column(output.column).unit if output.column else "rows"


def _deviation(vector: Vector) -> float:
    """Return the root mean square of one noise on a total, in the vector's unit."""
    if vector.mechanism is None:
        return 0.0
    return float(vector.step) / vector.factor * sqrt(variance_of(vector.mechanism))


def _weighted(
    study: Study, output: Output, wanted: Sequence[Vector], assumed: Assumed
) -> list[tuple[float, Vector]]:
    """Return by how much a value moves when a total does, for each total it is computed from."""
    if output.statistic == "percentile":  # half of the bins are added up, give or take
        return [(sqrt((len(output.edges) - 1) / 2), vector) for vector in wanted]
    if output.statistic in {"count", "histogram", "sum"}:
        return [(1.0, vector) for vector in wanted]
    bounds = bounds_of(study, output.column)
    quarter, n = float(bounds.high - bounds.low) / 4, assumed.rows
    weights: dict[Kind, float] = {"rows": quarter / n, "centred": 1 / n}
    if output.statistic in {"var", "stddev"}:  # Q / n - (C / n)^2
        weights = {"rows": 0.0, "centred": 2 * quarter / n, "squares": 1 / n}
    if output.statistic == "stddev":  # whose derivative is 1 / (2 spread)
        weights = {kind: weight / (2 * quarter) for kind, weight in weights.items()}
    return [(weights[vector.kind], vector) for vector in wanted]


def _questions(query: Query) -> int:
    """Return among how many questions to each record a release's budget is shared."""
    asked = {
        (cells_of(query, output), "" if output.statistic in COUNTS else output.column)
        for output in query.outputs
    }
    return len(asked - {(EVERYTHING, "")})


def _each_record(
    study: Study, query: Query, output: Output, assumed: Assumed, epsilon: Fraction
) -> float | None:
    """Return the error where every record is noised before it leaves, as far as that is possible.

    A mean of few cells' records, or a histogram of all.
    """
    unit = Unit(privacy_of(study).rows, "replace")
    choices = size(study, cells_of(query, output))
    try:
        if output.statistic in COUNTS and choices > 1:
            response = local.response(choices, unit, epsilon)
            every = response.weight + (choices - 1) * local.V
            chance = local.V / every
            scale = every / (response.weight - local.V)
            return scale * sqrt(assumed.rows * choices * chance * (1 - chance))
        if output.statistic in {"avg", "sum"} and choices == 1:
            mechanism = local.mean(bounds_of(study, output.column), unit, epsilon)
            mean = sqrt(float(local.worst_variance(mechanism)) / assumed.rows)
            return mean if output.statistic == "avg" else mean * assumed.rows
    except (OutOfRange, Refused):  # more epsilon, or a finer grid, than records can have
        return None
    return None
