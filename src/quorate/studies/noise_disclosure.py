"""What a plan under privacy reveals, in words: noisy totals, their noise, what it guarantees."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import sqrt

from quorate.dp.accounting import ATTO, NANO, Charge, guarantee
from quorate.dp.caps import decimal_of
from quorate.dp.mechanisms import Gaussian, Laplace
from quorate.dp.planning import variance_of
from quorate.studies.inputs import Cells
from quorate.studies.noised import (
    Vector,
    bounds_of,
    charge_of,
    describe,
    privacy_of,
    shared,
    square_step,
)
from quorate.studies.plan import Plan
from quorate.studies.protocols import JOINT_NOISE, NOISE_IN_SHARES, ON_ROWS
from quorate.studies.records import (
    charge_of_records,
    describe_question,
    is_on_records,
    questions_of,
)
from quorate.studies.regressions import LARGEST, asked_regressions, products_of
from quorate.studies.trust_words import not_by_third, third_holds, third_noise
from quorate.studies.words import cells_in_words, listed

USUAL_DELTA = ATTO // 10**6
"""At which a rho is put as an epsilon, where no budget says."""


@dataclass(frozen=True, slots=True)
class NoiseWords:
    """What a disclosure says otherwise where there is noise."""

    reveals: tuple[tuple[str, int, str], ...]  # what, of how many cells, for which release
    noise: tuple[str, ...]
    follows: tuple[str, ...]
    withholds: str
    holds: str
    rounding: tuple[str, ...]
    not_protected: tuple[str, ...]


def noise_words(plan: Plan) -> NoiseWords:
    """Return the disclosure of a plan under privacy. The plan must have passed `check`."""
    if is_on_records(plan.study):
        return _on_records(plan)
    return NoiseWords(
        reveals=tuple(_reveal(plan, vector) for vector in plan.vectors),
        noise=(
            *_guarantee(plan, [v.column for v in plan.vectors if v.kind != "largest"]),
            *(_noise(plan, vector) for vector in plan.vectors),
            *third_noise(plan),
        ),
        follows=(
            "means, variances and totals of cells follow from the noisy totals, for free",
            *(
                f"{asked.analysis.name}: coefficients follow from its noisy sums, for free"
                for asked in asked_regressions(plan.study)
            ),
            "each member, by subtracting its own rows: the others' totals with the same noise",
        ),
        withholds=_withholds(plan),
        holds=_holds(plan),
        rounding=tuple(_rounding(plan)),
        not_protected=(
            *_not_protected(plan),
            *not_by_third(plan),
        ),
    )


def error_of(plan: Plan, vector: Vector) -> float:
    """Return the root mean square of the noise on each of a vector's totals, in its own unit."""
    if vector.mechanism is None:
        return 0.0
    whole = variance_of(vector.mechanism)
    if plan.protocol == NOISE_IN_SHARES:
        whole *= float(shared(vector.mechanism, len(plan.members)).inflation)
    return float(vector.step) / vector.factor * sqrt(whole)


def cost_of(plan: Plan) -> Charge:
    """Return what all releases of a plan cost together."""
    if is_on_records(plan.study):
        return charge_of_records(plan.study)
    return charge_of(plan.study, len(plan.members))


def noise_in_words(plan: Plan) -> tuple[str, ...]:
    """Return each noise of a plan, for a ledger."""
    if is_on_records(plan.study):
        return tuple(map(describe_question, questions_of(plan.study)))
    return tuple(f"{v.release}: {v.kind} {v.column} {describe(v)}" for v in plan.vectors)


def cost_text(charge: Charge) -> str:
    """Return what releases cost in all, as people write it."""
    pure = charge.nano_epsilon
    rho = f"rho {decimal_of(charge.nano_rho)}"
    text = rho if pure is None else f"epsilon {decimal_of(pure)} ({rho})"
    distance = float(Fraction(charge.atto_distance, ATTO))
    return f"{text}, noise off its law by at most {distance:g}"


def _reveal(plan: Plan, vector: Vector) -> tuple[str, int, str]:
    text, n = cells_in_words(plan.study, vector.cells)
    table = plan.study.table.name
    match vector.kind:
        case "rows":
            what = f"number of rows in {table}"
        case "sum":
            what = f"sum of {vector.column}"
        case "centred":
            what = f"sum of {vector.column} about the middle of its bounds"
        case "squares":
            what = f"sum of squares of {vector.column} about the middle of its bounds"
        case "largest":
            groups = Cells(vector.cells.where, vector.cells.axes[:-1])
            text, n = cells_in_words(plan.study, groups)
            what = f"place of the most frequent value of {vector.column}, and no count"
        case "products":
            what = "sums of products of its formula's columns and outcome"
            n = vector.size
    noisy = "exact " if vector.mechanism is None else "noisy "
    return f"{noisy}{what}{text}, of all members together", n, vector.release


def _on_records(plan: Plan) -> NoiseWords:
    questions, n = questions_of(plan.study), len(plan.members)
    sums = tuple(
        (
            f"of each member, what its perturbed records add up to: {describe_question(question)}",
            question.size,
            question.release,
        )
        for question in questions
    )
    names = ", ".join(query.name for query in plan.study.releases)
    return NoiseWords(
        reveals=(("of each member, how many records it has", 1, names), *sums),
        noise=(
            *_guarantee(plan, [question.column for question in questions]),
            *map(describe_question, questions),
        ),
        follows=("estimates by member follow as well as those of all together, for free",),
        withholds="nothing is withheld: each record has noise of its own",
        holds=f"against all {n - 1} other members together, and all who read the result: each "
        "record is noised before it leaves its member, and nobody need be trusted",
        rounding=(),
        not_protected=(
            "how many records each member has",
            "against a lie: a false record moves an estimate by more than a true one",
            *_not_protected(plan)[:2],
            *_not_protected(plan)[-2:],
        ),
    )


def _guarantee(plan: Plan, used: Sequence[str]) -> tuple[str, ...]:
    privacy = privacy_of(plan.study)
    names = [query.name for query in plan.study.releases]
    names += [analysis.name for analysis in plan.study.analyses]
    columns = dict.fromkeys(name for name in (*used, *_in_regressions(plan)) if name)
    each = f"{privacy.rows} row" + ("s" if privacy.rows > 1 else "")
    return (
        *(
            f"{name} costs {budget.text}"
            for name, budget in zip(names, privacy.budgets, strict=True)
        ),
        f"all together: {cost_text(cost_of(plan))}",
        *_why(plan),
        f"protects one {privacy.unit}, with at most {each}; neighbours: {privacy.neighbours}",
        *(
            f"{name} is {plan.study.table.column(name).declared} by {privacy.source}; "
            "what lies outside counts as the nearer bound"
            for name in columns
        ),
    )


def _why(plan: Plan) -> Iterator[str]:
    """Yield why the noise is of its kind, and what a rho is worth to who thinks in epsilon."""
    kinds = {type(vector.mechanism) for vector in plan.vectors}
    if Gaussian not in kinds:
        yield "noise is Laplace noise where a budget is a pure epsilon: Gaussian noise has none"
        return
    yield (
        "noise is Gaussian noise where a budget is a rho, or has a delta: it follows the Euclidean "
        "length of what a patient moves, which is shorter than the sum"
    )
    if Laplace in kinds:
        yield "for a pure epsilon, and for the place of what is largest, it is Laplace noise"
    budgets = privacy_of(plan.study).budgets
    delta = Fraction(max(budget.atto_delta for budget in budgets) or USUAL_DELTA, ATTO)
    known = guarantee(cost_of(plan), delta)
    yield (
        f"that guarantees epsilon {float(known.nano_epsilon / NANO):.4g} "
        f"at delta {float(Fraction(known.atto_delta, ATTO)):g}"
    )


def _in_regressions(plan: Plan) -> list[str]:
    """Return the numbers that regressions look at."""
    every = (products_of(asked) for asked in asked_regressions(plan.study))
    return [name for products in every for one in products for name in one.numbers]


def _noise(plan: Plan, vector: Vector) -> str:
    what = f"{vector.release}: {vector.kind}" + (f" of {vector.column}" if vector.column else "")
    if vector.mechanism is None:
        return f"{what} without noise: no patient can change it"
    return f"{what} with {describe(vector)}; off by {error_of(plan, vector):.4g} as a rule"


def _withholds(plan: Plan) -> str:
    least = plan.study.min_cell
    if least == 1:
        return "nothing is withheld: noise hides who is in a cell"
    return f"values over noisily fewer than {least} rows are withheld, where these are counted"


def _holds(plan: Plan) -> str:
    n = len(plan.members)
    if plan.protocol in ON_ROWS:
        return third_holds(plan)
    if plan.protocol == JOINT_NOISE:
        one = "whatever it does" if plan.security == "malicious" else "that follows the protocol"
        return (
            f"against any one of {listed(plan.computes)} {one}, and all who read the result: the "
            "noise is drawn by these three, and none knows it; two of them know it and all numbers"
        )
    return (
        f"against any {plan.t} of {n} members together, and all who read the result: noise of "
        f"the other {n - plan.t} is the whole noise; the vectors hold against {n - 1}"
    )


def _rounding(plan: Plan) -> list[str]:
    texts: dict[str, None] = {}
    for vector in plan.vectors:
        if vector.kind == "products":
            texts[f"{vector.release}: each product to steps of 1/{LARGEST} a row"] = None
        if vector.kind in {"rows", "products", "largest"}:
            continue
        bounds = bounds_of(plan.study, vector.column)
        texts[f"{vector.column} to steps of {float(bounds.step):g} a row"] = None
        if vector.kind == "squares" and square_step(bounds) > 1:
            texts[f"{vector.column} squares to steps of {float(vector.step):g} a row"] = None
    return list(texts)


def _not_protected(plan: Plan) -> tuple[str, ...]:
    privacy = privacy_of(plan.study)
    rows = (
        f"a patient with more rows than {privacy.rows}: here no column tells patients apart"
        if not privacy.patient
        else f"a patient whom {privacy.patient} names in two ways: it is two patients"
    )
    return (
        "a patient at two members: there it is two patients, at twice the cost",
        rows,
        "against a lie: a member may compute on rows that are false, or add no noise: it is "
        "one of those the noise holds against",
        "against a stop: a member can end the run, even after it alone saw the result",
        "what is true of patients in general: noise hides one, not what many have in common",
        "the result itself: a recipient may pass it on",
    )
