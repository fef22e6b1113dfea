"""Regressions under privacy: which products rows add up, and the coefficients that follow.

    [analyses.risk]
    kind = "logistic"                        # or "linear"
    formula = "died ~ age + C(drug)"
    privacy = { epsilon = 1.0 }

Every column is between -1 and 1: a number of bounds L..H is (2 x - (L + H)) / (H - L), a category's
level is 1 for a row that has it, else 0; a logistic outcome is 1 for its second value, and
-1 for anything else. The products of all pairs of columns, and of each with the outcome, are what
a row adds, each once and rounded to 1/256. Their sums get noise; the rest, in `dp.regression`, is
arithmetic on what is released, and free.
"""

from dataclasses import dataclass

from quorate.studies.analyses.asked import Asked, Value
from quorate.studies.analyses.terms import Formula, Term, read_formula
from quorate.studies.inputs import Axis, Input
from quorate.studies.schema import refuse
from quorate.studies.study import Study

LARGEST = 256
"""What a row adds to a sum, at most, in steps."""

MOST_COLUMNS = 16
STEPS = 10**9
"""Coefficients are rounded to 10^-9."""

KINDS = ("linear", "logistic")


@dataclass(frozen=True, slots=True)
class Product:
    """What a row with all of `levels` adds: a product of numbers, with the outcome's sign."""

    numbers: tuple[str, ...]  # columns, sorted, each between -1 and 1
    levels: tuple[tuple[str, str], ...]  # of column and value, sorted
    sign: tuple[tuple[str, str], ...] = ()  # -1 but for rows with this value


def asked_regressions(study: Study) -> tuple[Asked, ...]:
    """Return the regressions of a study under privacy."""
    return tuple(Asked(analysis, study, 1) for analysis in study.analyses)


def check_regressions(study: Study) -> None:
    """Refuse analyses that are no regression of this kind. Raises `MalformedStudy`."""
    for asked in asked_regressions(study):
        if asked.analysis.kind not in KINDS:
            what = f"{asked.analysis.kind} cannot be released under privacy"
            refuse(asked.place, what, f"what can be: {', '.join(KINDS)}")
        if [parameter.name for parameter in asked.analysis.parameters] != ["formula"]:
            refuse(asked.place, "has a formula, and under privacy no other parameter")
        formula, is_number = formula_of(asked), asked.analysis.kind == "linear"
        if bool(formula.outcome.number) != is_number:
            what = "a number" if is_number else "a category of two values"
            refuse(f"{asked.place}.formula", f"the outcome must be {what}")
        if len(formula.terms) > MOST_COLUMNS:
            refuse(f"{asked.place}.formula", f"under privacy makes at most {MOST_COLUMNS} columns")


def formula_of(asked: Asked) -> Formula:
    return read_formula(asked, asked.one("formula"))


def products_of(asked: Asked) -> tuple[Product, ...]:
    """Return what is added up, each product once; that of the constant with itself counts rows."""
    terms, outcome = formula_of(asked).terms, outcome_of(asked)
    pairs = [times(plain(a), plain(b)) for i, a in enumerate(terms) for b in terms[: i + 1]]
    with_outcome = [times(plain(term), outcome) for term in terms]
    found = (one for one in (*pairs, *with_outcome) if one is not None)
    return tuple(dict.fromkeys(found))


def columns_read(study: Study) -> tuple[Input, ...]:
    """Return inputs that name every column the regressions look at."""
    return tuple(
        Input(asked.cells(*(Axis(name, ()) for name, _ in (*one.levels, *one.sign))), "sum", number)
        for asked in asked_regressions(study)
        for one in products_of(asked)
        for number in one.numbers or ("",)
    )


def values_of(asked: Asked) -> tuple[Value, ...]:
    """Return what is released of one regression."""
    most = float(1 << 62)
    estimates = (
        Value("estimate", "", STEPS, -most / STEPS, most / STEPS, (term.name,))
        for term in formula_of(asked).terms
    )
    return (
        *estimates,
        Value("rows", "rows", LARGEST, -most / LARGEST, most / LARGEST),
        Value("ridge", "", STEPS, 0, most / STEPS),
    )


def plain(term: Term) -> Product:
    """Return a column by itself."""
    return Product((term.number,) if term.number else (), term.levels)


def outcome_of(asked: Asked) -> Product:
    """Return the outcome by itself: a number, or a sign."""
    outcome = formula_of(asked).outcome
    return plain(outcome) if outcome.number else Product((), (), outcome.levels)


def times(one: Product, other: Product) -> Product | None:
    """Return the product of two; None where no row has both levels."""
    levels = tuple(sorted({*one.levels, *other.levels}))
    if len({column for column, _ in levels}) < len(levels):
        return None
    return Product(tuple(sorted((*one.numbers, *other.numbers))), levels, one.sign + other.sign)
