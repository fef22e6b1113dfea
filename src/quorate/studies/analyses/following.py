"""What anyone can compute from the results of analyses, such as p-values and intervals.

It is no part of a certificate: the results are, and it follows from them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from quorate.studies.analyses.asked import Asked, Derived
from quorate.studies.analyses.kinds import all_asked, kind_of
from quorate.studies.plan import Plan
from quorate.studies.results import Result
from quorate.studies.statistics import from_exact


@dataclass(frozen=True, slots=True)
class Followed:
    """One number that follows, as people read it."""

    name: str  # of the analysis, which of its numbers, and the cell
    analysis: str
    number: str
    cell: tuple[str, ...]
    formula: str
    value: str
    unit: str


def follows(plan: Plan, results: Iterable[Result]) -> tuple[Followed, ...]:
    """Return what follows from the `results` of `plan`. Raises `Unavailable` without SciPy."""
    found: list[Followed] = []
    for asked, derived in derived_of(plan, results):
        for one in derived:
            analysis, value = asked.analysis, f"{one.value:.6g}"
            name = ", ".join((f"{analysis.name} {one.name}", *one.cell))
            own = (analysis.name, one.name, one.cell, analysis.text)
            found.append(Followed(name, *own, value, one.unit))
    return tuple(found)


def derived_of(
    plan: Plan, results: Iterable[Result]
) -> Iterator[tuple[Asked, tuple[Derived, ...]]]:
    """Yield the same as numbers, analysis by analysis; under privacy nothing.

    Raises `Unavailable` without SciPy.
    """
    if plan.study.privacy is not None:
        return  # errors of coefficients do not follow from noisy ones
    given = tuple(results)
    for asked in all_asked(plan.study, len(plan.members)):
        mine = [from_exact(r.exact) for r in given if r.release == asked.analysis.name]
        yield asked, kind_of(asked).derived(asked, [n if n is None else n[0] for n in mine])
