"""What nodes say to each other on a link outside sessions: a greeting, questions, answers."""

from dataclasses import dataclass
from typing import Literal, TypeVar

from quorate import wire
from quorate.errors import Error, Refused, Unavailable
from quorate.transport.link import printable
from quorate.wire import ABSENT, Absent

T = TypeVar("T")

WIRE_VERSION = 1
OLDEST_VERSION = 1
"""The versions of what nodes say that this release speaks: all from the oldest to the newest."""


@dataclass(frozen=True, slots=True)
class Greeting:
    """The first record on a link."""

    wire: int  # the newest version its node speaks
    group: bytes
    software: str
    clock: int
    oldest: int | Absent = ABSENT  # the oldest version, where that is another


@dataclass(frozen=True, slots=True)
class Record:
    """Everything else in session 0."""

    kind: Literal["ask", "answer", "refuse"]
    id: int
    topic: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Refusal:
    """The body of a record that refuses. Nothing private belongs in it."""

    message: str
    hint: str


def agreed_version(theirs: Greeting) -> int:
    """Return the version both nodes speak. Raises `Unavailable`, naming who must upgrade."""
    if theirs.wire < OLDEST_VERSION:
        needs = f"this node {OLDEST_VERSION} or later: its node must be upgraded"
        raise Unavailable(f"it speaks wire version {theirs.wire}, {needs}")
    oldest = theirs.wire if theirs.oldest is ABSENT else theirs.oldest
    if oldest > WIRE_VERSION:
        raise Unavailable(
            f"it speaks wire version {oldest}, this node {WIRE_VERSION}: upgrade this node"
        )
    return min(theirs.wire, WIRE_VERSION)


def encoded(record: Record) -> bytes:
    """Return the bytes of `record`. Raises `Error` where its receiver would have to refuse them."""
    data = wire.encode(record)
    if len(data) > wire.MAX_RECORD:
        raise Error(f"{len(data)} bytes are too many for one record: the most is {wire.MAX_RECORD}")
    return data


def refusal(record: Record, error: Error) -> bytes:
    """Return the bytes that refuse what `record` asks."""
    body = wire.encode(Refusal(str(error), error.hint))
    return wire.encode(Record("refuse", record.id, "", body))


def answer_in(record: Record, name: str, kind: type[T]) -> T:
    """Return what `name` answered. Raises `Refused` and why, or `MalformedMessage`."""
    if record.kind == "refuse":
        said = wire.decode(record.body, Refusal)
        raise Refused(f"{name}: {printable(said.message)}", hint=printable(said.hint))
    return wire.decode(record.body, kind)
