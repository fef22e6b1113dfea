"""Cox's regression on binned time, by steps that all see.

The outcome of the formula is the column of times; `event`, `happened` and `width` are as of a
logrank test. Events in one bin are tied, as `ties` says: "efron" [Efr77] unless told "breslow"
[Bre74], as in R.
"""

from quorate.models.cox import (
    Followed,
    Ties,
    dealt_columns,
    divisor_of,
    efron_likelihood,
    partial_likelihood,
    risk_sums,
)
from quorate.models.outputs import Floats
from quorate.mpc.secret import SecretArray
from quorate.studies.analyses import followed
from quorate.studies.analyses.asked import Asked, Derived, Found, Value
from quorate.studies.analyses.linear import formula_of
from quorate.studies.analyses.stepped import (
    CHOICE,
    Rows,
    Stepping,
    check_stepped,
    sentences_of,
    table_of,
    values_of,
)
from quorate.studies.analyses.terms import Term
from quorate.studies.schema import refuse

KIND = "cox"
MOST_TERMS = 20


def parameters() -> tuple[str, ...]:
    return "formula", *followed.PARAMETERS, "ties", CHOICE


def check(asked: Asked) -> None:
    check_stepped(asked, always=True)
    followed.check_followed(asked)
    if formula_of(asked).outcome.number != asked.one("time"):
        refuse(f"{asked.place}.formula", f"the outcome must be {asked.one('time')}, the time")
    if not 1 <= len(_terms(asked)) <= MOST_TERMS:
        refuse(f"{asked.place}.formula", f"needs 1 to {MOST_TERMS} columns")
    _ties(asked)


def values(asked: Asked) -> tuple[Value, ...]:
    return values_of(asked, _terms(asked))


def derived(asked: Asked, found: Found) -> tuple[Derived, ...]:
    return tuple(table_of(_terms(asked), found, _divisor(asked), "hazard ratio"))


def sentences(asked: Asked) -> tuple[str, ...]:
    width = asked.one("width")
    whose = _ties(asked).capitalize()
    tied = f"time is cut into bins of {width}; events in one bin are tied, as {whose} has it"
    return (*sentences_of(asked, formula_of(asked)), tied)


def stepping(asked: Asked) -> Stepping:
    terms, bins, divisor = _terms(asked), followed.bins_of(asked), _divisor(asked)
    p, ties = len(terms), _ties(asked)

    def sums(rows: Rows, estimates: Floats) -> Floats:
        happened = ((asked.one("event"), asked.one("happened")),)
        place = followed.bin_of(asked, rows.raw(asked.one("time")))
        people = Followed(rows.design(terms), place, rows.has(happened) == 1)
        return risk_sums(people, estimates, bins, divisor, ties)

    def equations(total: SecretArray) -> SecretArray:
        if ties == Ties.BRESLOW:
            return partial_likelihood(total, p)
        return efron_likelihood(total, p, divisor)

    return Stepping(terms, divisor, (bins, dealt_columns(p, ties)), sums, equations)


def _terms(asked: Asked) -> tuple[Term, ...]:
    """Return the columns: the constant is the baseline's hazard, which is not estimated."""
    return formula_of(asked).terms[1:]


def _divisor(asked: Asked) -> float:
    return divisor_of(asked.rows)


def _ties(asked: Asked) -> Ties:
    """Return how ties count. Raises `MalformedStudy`."""
    given = asked.one("ties", Ties.EFRON)
    if given not in set(Ties):
        refuse(f"{asked.place}.ties", f"is none of {', '.join(Ties)}")
    return Ties(given)
