"""How many persons the members have together, where some are at several: linked without a number.

    [analyses.persons]
    kind = "linkage"
    key = ["sound given", "sound family", "date born"]   # columns of each member's own file
    outcome = "infarction"                               # a declared category, and its event
    event = "yes"

What is counted, and how, is in `studies.linking`; here is what is told of it. Nothing is shown
where persons, those counted again, those with the event or those without it are 1 to min_cell - 1,
or fewer than three members have persons: decided on shares, and one bit is told of it.
"""

from quorate.studies.analyses import tails
from quorate.studies.analyses.asked import Asked, Derived, Found, Value
from quorate.studies.persons import Method, Part, method, part
from quorate.studies.schema import Column, refuse
from quorate.studies.trust import MPC

KIND = "linkage"
PER, MOST_PER = 1000, 1_000_000
MOST_PARTS = 8


def parameters() -> tuple[str, ...]:
    return "key", "method", "outcome", "event", "per"


def check(asked: Asked) -> None:
    parts_of(asked)
    if method_of(asked) is not Method.EXACT:
        refuse(f"{asked.place}.method", "is for programs in Python", 'method = "exact"')
    asked.check_rows()
    asked.whole("per", PER, MOST_PER)
    if asked.values("event") and not has_event(asked):
        refuse(f"{asked.place}.outcome", "names the category that the event is a value of")
    if has_event(asked):
        asked.value_of("event", outcome_of(asked))
    if asked.study.trust != MPC:
        refuse(asked.place, "is computed by three members", 'leave out trust, or set trust = "mpc"')
    if len(asked.study.analyses) > 1 or asked.study.releases:
        refuse(asked.place, "stands alone", "propose the rest as a study of its own")


def values(asked: Asked) -> tuple[Value, ...]:
    most = asked.rows
    with_event = (Value("events", "persons", 1, 0, most),) if has_event(asked) else ()
    return (
        Value("persons", "persons", 1, 0, most),
        Value("duplicates", "rows", 1, 0, most),
        *with_event,
    )


def derived(asked: Asked, found: Found) -> tuple[Derived, ...]:
    if not has_event(asked) or None in found or not found[0]:
        return ()
    persons, _, events = (float(number or 0) for number in found)
    per = asked.whole("per", PER, MOST_PER)
    ends = (events, *tails.poisson_interval(events))
    names = ("rate", "rate, 95 % from", "rate, 95 % to")
    unit = f"per {per} persons"
    return tuple(
        Derived(name, (), unit, per * end / persons) for name, end in zip(names, ends, strict=True)
    )


def sentences(asked: Asked) -> tuple[str, ...]:
    named = ", ".join(f"{one.way} of {one.column}" for one in parts_of(asked))
    return (
        f"two rows are of one person where these are the same: {named}",
        "duplicates are rows of a person that is at another member already, whose own rows of "
        "one person count once; a person has the event if any row has it",
        "a member that makes up rows of persons it thinks of learns from duplicates how many of "
        "them are at others",
        f"every member's table is filled up to {asked.study.max_rows} rows: how many persons it "
        "has is not told",
    )


def method_of(asked: Asked) -> Method:
    """Return how persons are linked. Raises `Refused`, `MalformedStudy`."""
    return method(f"{asked.place}.method", asked.one("method", Method.EXACT))


def parts_of(asked: Asked) -> tuple[Part, ...]:
    """Return the parts of the key. Raises `MalformedStudy`."""
    place, given = f"{asked.place}.key", asked.values("key")
    if not 1 <= len(given) <= MOST_PARTS:
        refuse(place, f"has 1 to {MOST_PARTS} parts", 'such as ["sound family", "date born"]')
    return tuple(part(place, text) for text in given)


def has_event(asked: Asked) -> bool:
    return bool(asked.values("outcome"))


def outcome_of(asked: Asked) -> Column:
    """Return the category of which the event is a value. Raises `MalformedStudy`."""
    return asked.column("outcome", "category")
