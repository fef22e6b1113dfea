"""What anyone can compute from the results of analyses, such as p-values and intervals.

It is no part of a certificate: the results are, and it follows from them.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from quorate.studies.analyses.kinds import all_asked, kind_of
from quorate.studies.plan import Plan
from quorate.studies.results import Result
from quorate.studies.statistics import from_exact


@dataclass(frozen=True, slots=True)
class Followed:
    """One number that follows, as people read it."""

    name: str
    analysis: str
    value: str
    unit: str


def follows(plan: Plan, results: Iterable[Result]) -> tuple[Followed, ...]:
    """Return what follows from the `results` of `plan`: under privacy nothing.

    Raises `Unavailable` without SciPy.
    """
    if plan.study.privacy is not None:
        return ()  # errors of coefficients do not follow from noisy ones
    given = tuple(results)
    found: list[Followed] = []
    for asked in all_asked(plan.study, len(plan.members)):
        mine = [from_exact(r.exact) for r in given if r.release == asked.analysis.name]
        for one in kind_of(asked).derived(asked, [n if n is None else n[0] for n in mine]):
            name = ", ".join((f"{asked.analysis.name} {one.name}", *one.cell))
            found.append(Followed(name, asked.analysis.text, f"{one.value:.6g}", one.unit))
    return tuple(found)
