"""Do two groups differ in survival? The logrank test, and not one count.

Each member counts its rows by group, event and bin of time. Revealed is chi squared, from which
anyone has p.
"""

from quorate.models import logrank
from quorate.models.products import within
from quorate.studies.analyses import followed, tails
from quorate.studies.analyses.asked import Asked, Derived, Found, Sums, Told, Totals, Value
from quorate.studies.analyses.guards import all_of, is_large_or_none
from quorate.studies.inputs import Input
from quorate.studies.schema import refuse

KIND = "logrank"


def parameters() -> tuple[str, ...]:
    return (*followed.PARAMETERS, "group")


def check(asked: Asked) -> None:
    followed.check_followed(asked)
    if len(asked.column("group", "category").values) != 2:
        refuse(f"{asked.place}.group", "must have two values", "name two with where")


def needs(asked: Asked) -> tuple[Input, ...]:
    return (followed.table(asked, asked.one("group")),)


def values(asked: Asked) -> tuple[Value, ...]:
    return (Value("chi-squared", "", 1 << logrank.CHI_BITS, 0, float(2 * asked.rows)),)


def together(asked: Asked, sums: Sums) -> Told:
    counts = followed.counts(asked, asked.one("group"), sums)
    words = logrank.compared(counts)
    return Told(
        words[:1],
        within(words[1:], 1),
        all_of(is_large_or_none(counts[:, 1, 0], asked.study.min_cell)),
    )


def plain(asked: Asked, totals: Totals) -> tuple[float | None, ...]:
    counts = followed.counted(asked, totals(needs(asked)[0]))
    score, variance = logrank.plain(counts)
    return (score**2 / variance if variance > logrank.LEAST_VARIANCE else None,)


def derived(asked: Asked, found: Found) -> tuple[Derived, ...]:  # noqa: ARG001 - as all kinds
    (chi,) = found
    return () if chi is None else (Derived("p", (), "", tails.chi_squared(float(chi), 1)),)


def sentences(asked: Asked) -> tuple[str, ...]:
    return (
        f"whether {asked.one('event')} comes sooner in one {asked.one('group')} than in the other, "
        f"and no count; time is cut into bins of {asked.one('width')}",
    )
