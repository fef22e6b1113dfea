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

from fractions import Fraction

from quorate.mpc.replicated import SEATS
from quorate.mpc.tables.linkage import Likeness
from quorate.studies.analyses import tails
from quorate.studies.analyses.asked import Asked, Derived, Found, Value
from quorate.studies.persons import Method, Part, method, part
from quorate.studies.schema import Column, check_number, refuse
from quorate.studies.trust import MPC

KIND = "linkage"
PER, MOST_PER = 1000, 1_000_000
MOST_PARTS = 8
MOST_BLOCKS = 8
"""Each is a matrix product for two members, of which much has to be verified, however small."""

MOST_PAIRS = 1 << 17
"""Pairs of rows whose likeness is computed: the three keep what they have to verify of them."""

_OF_DICE = ("block", "blocks", "likeness")
LEAST_LIKENESS, STEPS_OF_LIKENESS = Fraction(1, 2), 100
ROOM = 2
"""How many times the persons of a block there is room for, if all blocks had as many."""


def parameters() -> tuple[str, ...]:
    return "key", "method", "outcome", "event", "per", *_OF_DICE


def check(asked: Asked) -> None:
    parts_of(asked)
    if method_of(asked) is Method.MATCH and asked.members != SEATS:
        refuse(f"{asked.place}.method", "is of three members", 'method = "exact" is of any number')
    _check_likeness(asked)
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
    size = asked.study.max_rows
    alike = f"two rows are of one person where these are the same: {named}"
    if method_of(asked) is Method.DICE:
        size, likeness = blocks_of(asked) * room_of(asked), likeness_of(asked)
        by = block_of(asked)
        within = f", of persons with the same {by.way} of {by.column}" if by else ""
        alike = (
            f"two persons are one where the letter pairs of these are alike to "
            f"{likeness.numerator}/{likeness.denominator} or more: {named}{within}; who is like "
            "somebody of a member before, in the order of the members, does not count again"
        )
    return (
        alike,
        "duplicates are rows of a person that is at another member already, whose own rows of "
        "one person count once; a person has the event if any row has it",
        "a member that makes up rows of persons it thinks of learns from duplicates how many of "
        "them are at others",
        f"every member's table is filled up to {size} rows: how many persons it has is not told",
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


def read_parts(asked: Asked) -> tuple[Part, ...]:
    """Return all parts that are read of a member's file: those of the key, then the block's."""
    block = block_of(asked)
    return (*parts_of(asked), *([block] if block else []))


def block_of(asked: Asked) -> Part | None:
    """Return by what persons are put into blocks, if they are. Raises `MalformedStudy`."""
    place = f"{asked.place}.block"
    return part(place, asked.one("block")) if asked.values("block") else None


def blocks_of(asked: Asked) -> int:
    return asked.whole("blocks", 1, MOST_BLOCKS)


def room_of(asked: Asked) -> int:
    """Return how many persons of one member there is room for in a block."""
    most, count = asked.study.max_rows, blocks_of(asked)
    return most if count == 1 else min(most, -(-ROOM * most // count))


def likeness_of(asked: Asked) -> Likeness:
    """Return from what likeness on two persons are one. Raises `MalformedStudy`."""
    place, text = f"{asked.place}.likeness", asked.one("likeness", "0.8")
    check_number(place, text, "number")
    likeness = Fraction(text)
    if not LEAST_LIKENESS <= likeness <= 1 or STEPS_OF_LIKENESS % likeness.denominator:
        refuse(place, "is from 0.5 to 1, with at most 2 decimals")
    return Likeness(likeness.numerator, likeness.denominator)


def has_event(asked: Asked) -> bool:
    return bool(asked.values("outcome"))


def outcome_of(asked: Asked) -> Column:
    """Return the category of which the event is a value. Raises `MalformedStudy`."""
    return asked.column("outcome", "category")


def _check_likeness(asked: Asked) -> None:
    """Refuse what makes no sense of a likeness, or is too much. Raises `MalformedStudy`."""
    given = [name for name in _OF_DICE if asked.values(name)]
    if method_of(asked) is not Method.DICE:
        if given:
            refuse(f"{asked.place}.{given[0]}", "is of a likeness", 'method = "dice"')
        return
    likeness_of(asked)
    if blocks_of(asked) > 1 and block_of(asked) is None:
        refuse(f"{asked.place}.block", "says by what persons are put into blocks")
    pairs = asked.members * (asked.members - 1) // 2 * blocks_of(asked) * room_of(asked) ** 2
    if pairs > MOST_PAIRS:
        what = f"{pairs} pairs of rows would be compared, and the most is {MOST_PAIRS}"
        refuse(f"{asked.place}.blocks", what, "ask for more blocks, or set a smaller max_rows")
