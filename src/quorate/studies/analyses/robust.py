"""Coefficients that no minority of members can move far: each learns alone, the middle is shown.

Each member fits a logistic regression to its own rows and deals the coefficients (`alone`). The
committee takes, of each coefficient, the median of all members', or their mean without the lowest
and the highest `liars` [YCRB18]. Shown is that vector only. As many members as `liars` may deal
any model; one that deals none, or one out of range, is among these.

Coefficients are of measurements about a `middle` that should be near most rows: the median of the
constants belongs to the median of the slopes only there.
"""

import numpy as np
from numpy.typing import NDArray

from quorate.models.products import brought
from quorate.mpc.selection import concatenate
from quorate.poisoning import secure
from quorate.poisoning.robust import median, trimmed_mean
from quorate.studies.analyses.alone import (
    BITS,
    MIDDLE,
    by_member,
    check_alone,
    coefficient_values,
    dealt_models,
    joined,
    measured,
    middle_of,
    model_input,
    model_words,
    plain_models,
    refuse_few_members,
)
from quorate.studies.analyses.asked import Asked, Derived, Found, Sums, Told, Totals, Value
from quorate.studies.analyses.linear import formula_of
from quorate.studies.analyses.stepped import Rows
from quorate.studies.inputs import Input
from quorate.studies.schema import refuse
from quorate.studies.statistics import decimal_text

KIND = "robust"
WAYS = {"median": "median", "trimmed mean": "mean without the lowest and the highest"}
MOST_LIARS = 100


def parameters() -> tuple[str, ...]:
    return "formula", MIDDLE, "by", "liars"


def check(asked: Asked) -> None:
    check_alone(asked)
    if way_of(asked) not in WAYS:
        refuse(f"{asked.place}.by", "is neither median nor trimmed mean")
    refuse_few_members(asked, liars_of(asked))


def needs(asked: Asked) -> tuple[Input, ...]:
    return (model_input(asked),)


def own(asked: Asked, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    return model_words(asked, Rows(asked, numbers))


def values(asked: Asked) -> tuple[Value, ...]:
    return coefficient_values(asked)


def together(asked: Asked, sums: Sums) -> Told:
    (item,) = needs(asked)
    models = dealt_models(asked, by_member(asked, sums(item)))
    if way_of(asked) == "median":
        found = secure.median(models.coefficients)
    else:
        found = secure.trimmed_mean(models.coefficients, liars_of(asked))
    there = models.there.sum().reshape(1)
    sound = there - there + 1
    enough = (there >= asked.members - liars_of(asked)) + 0
    words = joined([brought(found, BITS)])
    return Told(words, concatenate([sound] * words.size), enough)


def plain(asked: Asked, totals: Totals) -> tuple[float | None, ...]:
    (item,) = needs(asked)
    models = plain_models(asked, totals(item).reshape(asked.members, -1))
    nothing = np.zeros(len(values(asked)))
    vectors = np.array([nothing if model is None else model.coefficients for model in models])
    way = median if way_of(asked) == "median" else None
    found = way(vectors) if way else trimmed_mean(vectors, liars_of(asked))
    over = [float(value.over) / 2.0**BITS for value in values(asked)]
    return tuple(float(one) for one in found / over)


def derived(asked: Asked, found: Found) -> tuple[Derived, ...]:
    terms = formula_of(asked).terms
    return tuple(
        Derived("odds ratio", (term.name,), "", float(np.exp(np.clip(float(one), -700, 700))))
        for term, one in list(zip(terms, found, strict=True))[1:]
        if one is not None
    )


def sentences(asked: Asked) -> tuple[str, ...]:
    formula, liars = formula_of(asked), liars_of(asked)
    middles = [f"{c.name} {decimal_text(middle_of(asked, c))}" for c in measured(asked)]
    about = f"; (Intercept) is at {', '.join(middles)}" if middles else ""
    return (
        f"how {formula.outcome.name} depends on {', '.join(t.name for t in formula.terms[1:])}: "
        f"of each member's own coefficients the {WAYS[way_of(asked)]}{about}, and no standard "
        "error: a member's rows count as one vote, be they many or few",
        "each member learns from its own rows alone, and deals its coefficients in shares",
        f"defended: up to {liars} of {asked.members} members may deal any coefficients",
        f"nothing where fewer than {asked.members - liars} members have coefficients in range",
    )


def way_of(asked: Asked) -> str:
    return asked.one("by", "median")


def liars_of(asked: Asked) -> int:
    return asked.whole("liars", max((asked.members - 1) // 2, 1), MOST_LIARS)
