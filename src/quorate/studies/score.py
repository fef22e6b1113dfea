"""A published score over a patient's whole record, of which each member holds a part.

    [record] who holds which columns, for which patients, and who treats them
    [score]  a table of points, or a logistic model, with its source, as it was published

A score adds up items, each of one column: points between edges or of a category, or a weight
times a number; `only` where another column of the same member has a value. So every member adds
up its own items, and what is computed together is a sum (`points`).

Whole numbers stand for points: of a logistic model for millionths of its logarithm of the odds.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from typing import Literal

from quorate.studies.points import Range
from quorate.studies.schema import (
    Column,
    Kind,
    Table,
    check_name,
    check_number,
    check_text,
    refuse,
    shown,
)

Link = Literal["points", "logistic"]
Shows = Literal["points", "band"]
DECIMALS: dict[str, int] = {"points": 0, "logistic": 6}
MOST_PATIENTS = 1 << 17
MOST_ITEMS = 100
MOST_BANDS = 20
MOST = 1 << 40  # of what stands for a member's points
DIGEST_BYTES = 32


@dataclass(frozen=True, slots=True)
class Only:
    """A condition: `column`, a category, is `value`."""

    column: str
    value: str


@dataclass(frozen=True, slots=True)
class Item:
    """What one column adds: `points` below, between and from `edges` on, or `weight` times it."""

    column: str
    only: tuple[Only, ...]
    edges: tuple[str, ...]  # of a number
    points: tuple[str, ...]  # one more than edges; of a category one for each value
    weight: str  # of a number without points; else empty


@dataclass(frozen=True, slots=True)
class Score:
    name: str
    source: str
    link: Link
    start: str  # what everybody has; of a logistic model its constant
    shows: Shows
    bands: tuple[str, ...]
    edges: tuple[str, ...]  # where each band but the first begins: points, or a risk
    items: tuple[Item, ...]

    def words(self, text: str | Fraction) -> Fraction:
        unit: int = 10 ** DECIMALS[self.link]
        return Fraction(text) * unit

    @property
    def start_word(self) -> int:
        return int(self.words(self.start))

    @property
    def edge_words(self) -> tuple[int, ...]:
        """Return the least words that are in each band but the first."""
        if self.link == "points":
            return tuple(int(edge) for edge in self.edges)
        odds = (Decimal(edge) / (1 - Decimal(edge)) for edge in self.edges)
        return tuple(ceil(self.words(Fraction(one.ln()))) for one in odds)


@dataclass(frozen=True, slots=True)
class Part:
    member: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """Whose record: `patients` pseudonyms, whose list has this digest, in every node's `listed`."""

    listed: str  # the table of each node that names the patients agreed on
    pseudonym: str  # the column that names a patient, there and in each part
    patients: int
    digest: bytes
    treating: str  # the member that alone learns
    parts: tuple[Part, ...]

    def columns_of(self, member: str) -> tuple[str, ...]:
        return next((part.columns for part in self.parts if part.member == member), ())


@dataclass(frozen=True, slots=True)
class Scoring:
    """A score, and the record it is of."""

    score: Score
    record: Record

    def items_of(self, member: str) -> tuple[Item, ...]:
        columns = self.record.columns_of(member)
        return tuple(item for item in self.score.items if item.column in columns)

    def range_of(self, member: str, table: Table) -> Range:
        """Return between what a member's points are, whatever its rows."""
        found = [_bounds(self.score, item, table) for item in self.items_of(member)]
        return Range(sum(floor(low) for low, _ in found), sum(ceil(high) for _, high in found))


def check_scoring(scoring: Scoring, table: Table) -> None:
    """Refuse a score that breaks a rule, wherever it came from. Raises `MalformedStudy`."""
    score, record = scoring.score, scoring.record
    check_text("score.name", score.name, 100)
    check_text("score.source", score.source, 400)
    if score.link not in DECIMALS:
        refuse("score.link", f"{shown(score.link)} is none", "known are points, logistic")
    _check_value("score.start", score, score.start)
    _check_bands(score)
    if not 1 <= len(score.items) <= MOST_ITEMS:
        refuse("score.items", f"a score has 1 to {MOST_ITEMS} items")
    for i, item in enumerate(score.items):
        _check_item(f"score.items, number {i + 1}", score, item, table)
    _check_record(record, table)
    _check_held(scoring, table)
    for part in record.parts:
        found = scoring.range_of(part.member, table)
        if max(abs(found.low), abs(found.high)) > MOST:
            refuse(f"record.parts.{part.member}", "its points could be too large to add up")


def check_members(record: Record, members: tuple[str, ...]) -> None:
    """Refuse a record of which somebody else holds a part. Raises `MalformedStudy`."""
    for name in (record.treating, *(part.member for part in record.parts)):
        if name not in members:
            refuse("record", f"{shown(name)} is no member of the group")


def _check_bands(score: Score) -> None:
    if score.shows not in {"points", "band"}:
        refuse("score.shows", f"{shown(score.shows)} is nothing", "known are points, band")
    if (score.shows == "band") != bool(score.bands):
        refuse("score.bands", "are there where bands are shown, and only there")
    if score.bands and not 2 <= len(score.bands) <= MOST_BANDS:
        refuse("score.bands", f"there are 2 to {MOST_BANDS}")
    if len(score.edges) != max(len(score.bands) - 1, 0):
        refuse("score.edges", "there is one between any two bands")
    for band in score.bands:
        check_text("score.bands", band, 60)
    if len(set(score.bands)) < len(score.bands):
        refuse("score.bands", "two are the same")
    kind: Kind = "integer" if score.link == "points" else "number"
    for edge in score.edges:
        check_number("score.edges", edge, kind)
        if score.link == "logistic" and not 0 < Fraction(edge) < 1:
            refuse("score.edges", f"{edge} is no risk", "a risk is above 0 and below 1")
    _check_rising("score.edges", score.edges)


def _check_item(place: str, score: Score, item: Item, table: Table) -> None:
    column = _column(place, table, item.column)
    for only in item.only:
        other = _column(place, table, only.column)
        if only.value not in other.values:
            refuse(place, f"{only.column} has no value {shown(only.value)}")
    if bool(item.weight) == bool(item.points):
        refuse(place, "has either points or a weight")
    for text in item.points or (item.weight,):
        _check_value(place, score, text)
    _check_shape(place, score, item, column)


def _check_shape(place: str, score: Score, item: Item, column: Column) -> None:
    """Refuse points that are not as many as there are values, or ranges between edges."""
    if column.kind == "category":
        if item.weight or item.edges or len(item.points) != len(column.values):
            refuse(place, "a category has points, one for each value in the order declared")
        return
    if item.points and (not item.edges or len(item.points) != len(item.edges) + 1):
        refuse(place, "a number has edges, and points for below, between and above them")
    if item.weight and item.edges:
        refuse(place, "a weight needs no edges")
    if item.weight and score.link == "points":
        refuse(place, "points are of ranges", 'a weight is of a score with link = "logistic"')
    for edge in item.edges:
        check_number(place, edge, column.kind)
    _check_rising(place, item.edges)


def _check_record(record: Record, table: Table) -> None:
    check_name("record.list", record.listed)
    check_name("record.pseudonym", record.pseudonym)
    if record.listed == table.name:
        refuse("record.list", "is a table of its own", "it has pseudonyms and nothing else")
    if record.pseudonym in table.names:
        refuse("record.pseudonym", "is no column of the record: nothing is computed of it")
    if not 1 <= record.patients <= MOST_PATIENTS:
        refuse("record.patients", f"must be 1 to {MOST_PATIENTS}", "or make two studies of it")
    if len(record.digest) != DIGEST_BYTES:
        refuse("record.digest", "not the digest of a list", "quorate study patients FILE")
    members = [part.member for part in record.parts]
    if len(members) < 2 or len(set(members)) < len(members):
        refuse("record.parts", "a record has parts of two members or more, each named once")


def _check_held(scoring: Scoring, table: Table) -> None:
    """Refuse columns that are in no part, or in two, or asked for by nothing."""
    held = [name for part in scoring.record.parts for name in part.columns]
    if sorted(held) != sorted(table.names):
        refuse("record.parts", f"every column of {table.name} is in one part")
    used: set[str] = set()
    for item in scoring.score.items:
        columns = {item.column, *(only.column for only in item.only)}
        if not any(columns <= set(part.columns) for part in scoring.record.parts):
            what = f"{', '.join(sorted(columns))} belong to two members"
            refuse("score.items", what, "an item is computed by one member")
        used |= columns
    if unused := sorted(set(table.names) - used):
        refuse(f"tables.{table.name}", f"the score asks for no {unused[0]}", "leave it out")


def _bounds(score: Score, item: Item, table: Table) -> tuple[Fraction, Fraction]:
    found = list(_possible(score, item, table.column(item.column)))
    return min(found), max(found)


def _possible(score: Score, item: Item, column: Column) -> Iterator[Fraction]:
    """Yield what an item may be at the ends, in words."""
    if item.only:
        yield Fraction(0)
    if item.points:
        yield from map(score.words, item.points)
    else:
        yield from (
            score.words(Fraction(item.weight) * Fraction(b)) for b in (column.low, column.high)
        )


def _column(place: str, table: Table, name: str) -> Column:
    if name not in table.names:
        refuse(place, f"there is no column {shown(name)}")
    return table.column(name)


def _check_value(place: str, score: Score, text: str) -> None:
    check_number(place, text, "integer" if score.link == "points" else "number")
    if score.words(text).denominator != 1:
        refuse(place, f"{text} has more than {DECIMALS[score.link]} decimals")


def _check_rising(place: str, edges: tuple[str, ...]) -> None:
    found = [Fraction(edge) for edge in edges]
    if found != sorted(set(found)):
        refuse(place, "edges rise")
