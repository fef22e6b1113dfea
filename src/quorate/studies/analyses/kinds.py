"""All kinds of analyses, and what a plan, a committee and a certificate ask of them.

Beside a kind's own inputs each member says how many rows it has and whether it has any. An
analysis is shown if at least three members have rows for it and the rows are `min_cell`
or more, and its kind finds nothing against it either: one secret bit. With min_cell = 1
nothing is withheld.
"""

from collections.abc import Callable, Iterator
from math import prod

import numpy as np
from numpy.typing import NDArray

from quorate.mpc.secret import SecretArray
from quorate.mpc.selection import concatenate
from quorate.studies.analyses import (
    alone,
    correlation,
    cox,
    crosstab,
    kaplan_meier,
    linear,
    linkage,
    logistic,
    logrank,
    odd,
    poisson,
    quantile,
    rate,
    robust,
    robust_mean,
    t_test,
    two_by_two,
    vote,
)
from quorate.studies.analyses.asked import Asked, Kind, Stated, Sums, Value
from quorate.studies.analyses.guards import shown
from quorate.studies.analyses.stepped import Stepping, is_stepped
from quorate.studies.inputs import EACH_ROW, Input, columns_of, decimals, inputs_of
from quorate.studies.regressions import check_regressions, values_of
from quorate.studies.schema import refuse
from quorate.studies.schema import shown as printed
from quorate.studies.study import Study

KINDS: tuple[Kind, ...] = (
    correlation,
    crosstab,
    kaplan_meier,
    linear,
    logistic,
    logrank,
    odd,
    poisson,
    quantile,
    rate,
    robust,
    robust_mean,
    t_test,
    two_by_two,
    vote,
)
_ALONE: dict[str, Callable[[Asked, NDArray[np.int64]], NDArray[np.int64]]] = {
    odd.KIND: odd.own,
    robust.KIND: robust.own,
    robust_mean.KIND: robust_mean.own,
    vote.KIND: vote.own,
}
"""Kinds of which a member makes something of its rows that no sum over them is."""
_STEPPING: dict[str, Callable[[Asked], Stepping]] = {
    cox.KIND: cox.stepping,
    logistic.KIND: logistic.stepping,
    poisson.KIND: poisson.stepping,
}
_TABLED = {linkage.KIND}
"""Kinds that take everybody's rows together, in secret tables (`studies.programs`)."""

LEAST_MEMBERS = 3


def kind_of(asked: Asked) -> Stated:
    """Return the kind of an analysis. Raises `MalformedStudy`."""
    found: dict[str, Stated] = {kind.KIND: kind for kind in KINDS}
    found |= {cox.KIND: cox, linkage.KIND: linkage}
    if asked.analysis.kind not in found:
        what = f"there is no kind {printed(asked.analysis.kind)}"
        refuse(asked.place, what, f"known are {', '.join(found)}")
    return found[asked.analysis.kind]


def computed_kind(asked: Asked) -> Kind:
    """Return the kind of an analysis that is computed at once."""
    return next(kind for kind in KINDS if asked.analysis.kind == kind.KIND)


def stepping_of(study: Study, members: int) -> Stepping | None:
    """Return the steps by which a study's one analysis is computed, if it is by steps."""
    for asked in all_asked(study, members):
        if is_stepped(asked):
            return _STEPPING[asked.analysis.kind](asked)
    return None


def needs_tables(study: Study) -> bool:
    """Return whether a study is computed of everybody's rows, in secret tables."""
    return any(analysis.kind in _TABLED for analysis in study.analyses)


def all_asked(study: Study, members: int) -> tuple[Asked, ...]:
    return tuple(Asked(analysis, study, members) for analysis in study.analyses)


def check_kinds(study: Study, members: int) -> None:
    """Refuse analyses that are none, or that are too large. Raises `MalformedStudy`."""
    if study.privacy is not None:
        check_regressions(study)
        return
    for asked in all_asked(study, members):
        kind = kind_of(asked)
        known = kind.parameters()
        for parameter in asked.analysis.parameters:
            if parameter.name not in known:
                refuse(
                    f"{asked.place}.{parameter.name}",
                    f"is no parameter of {kind.KIND}",
                    f"known are kind, where, {', '.join(known)}",
                )
        kind.check(asked)


def every_input(study: Study, members: int) -> tuple[Input, ...]:
    """Return what each member computes: for the releases, then for the analyses, each once."""
    found = dict.fromkeys(inputs_of(study))
    for asked in all_asked(study, members):
        apart = is_stepped(asked) or needs_tables(study)
        more = () if apart else computed_kind(asked).needs(asked)
        found.update(dict.fromkeys((*_presence(asked), *more)))
    return tuple(found)


def every_value(study: Study, members: int) -> Iterator[tuple[Asked, Value]]:
    """Yield what the analyses reveal, in order."""
    for asked in all_asked(study, members):
        under_privacy = study.privacy is not None
        values = values_of(asked) if under_privacy else kind_of(asked).values(asked)
        for value in values:
            yield asked, value


def told_words(study: Study, members: int) -> int:
    """Return how many words the analyses reveal: values, whether each is sound, and allowed."""
    return sum(2 * len(kind_of(a).values(a)) + 1 for a in all_asked(study, members))


def told_of(asked: Asked, sums: Sums) -> SecretArray:
    """Return what is revealed of one analysis: its words, their soundness, and whether allowed."""
    told = computed_kind(asked).together(asked, sums)
    rows, members = (sums(one).reshape(1) for one in _presence(asked))
    allowed = is_allowed(asked.study, told.allowed.reshape(1), rows, members)
    sound = shown(told.sound, allowed)
    return concatenate([shown(told.words, sound), sound, allowed])


def is_allowed(
    study: Study, otherwise: SecretArray, rows: SecretArray, members: SecretArray
) -> SecretArray:
    """Return 1 where an analysis may be shown that is allowed `otherwise`, else 0."""
    if study.min_cell == 1:
        return otherwise - otherwise + 1
    enough = (rows >= study.min_cell) & (members >= LEAST_MEMBERS)
    return shown(otherwise, enough + 0)


def limit_of(study: Study, members: int, item: Input) -> int:
    """Return what no word of `item` exceeds, members' parts added up."""
    if item.amount == "members":
        return members
    if item.amount == "alone":
        return alone.LIMIT
    rows = 1 if EACH_ROW in item.cells.axes else members * study.max_rows
    if not item.column:
        return rows
    largest = prod(study.table.column(name).largest for name in columns_of(item))
    return int(rows * largest * 10 ** (decimals(study, members, item) or 0)) + members


def alone_of(study: Study, members: int, item: Input, rows: NDArray[np.int64]) -> list[int]:
    """Return what a member makes of its rows for an analysis, as the analysis's kind says."""
    asked = next(a for a in all_asked(study, members) if a.analysis.name == item.other)
    return [int(word) for word in _ALONE[asked.analysis.kind](asked, rows)]


def _presence(asked: Asked) -> tuple[Input, Input]:
    everything = asked.cells()
    return Input(everything, "count", ""), Input(everything, "members", "")
