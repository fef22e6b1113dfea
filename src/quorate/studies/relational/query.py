"""How many persons of several tables satisfy a condition: the question as a tree, and as SQL.

    select count(distinct patient) as n from diagnosis where code = 8 and year >= 2020
    and patient in (select patient from medication where drug = 3)
    and patient not in (select patient from deceased)

A person's rows may lie at different members: that somebody has a row of a kind anywhere is
what a semi-join asks, and that nobody has one an anti-join.
"""

from dataclasses import dataclass

from quorate.mpc.tables.keys import Column as Bits
from quorate.mpc.tables.keys import Layout
from quorate.studies.query import Predicate, condition, quoted
from quorate.studies.schema import Column, Table

MAX_PARTS = 16


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of one table that satisfy a condition: a person has to have one, or none."""

    table: Table
    where: tuple[Predicate, ...]
    is_absent: bool = False


@dataclass(frozen=True, slots=True)
class CountDistinct:
    """How many keys there are of which each part has a row, or none: the first is counted."""

    name: str
    key: str
    parts: tuple[Part, ...]

    @property
    def column(self) -> Column:
        return self.parts[0].table.column(self.key)

    @property
    def least(self) -> int:
        return int(self.column.low)

    @property
    def layout(self) -> Layout:
        """Return how a key is written: in the bits that its declared bounds take."""
        return Layout((Bits(max(1, (int(self.column.high) - self.least).bit_length())),))

    @property
    def sql(self) -> str:
        """Return the one text of the question."""
        first, *others = self.parts
        of_first = [condition((one,), first.table) for one in first.where]
        conditions = [f"({one})" if " or " in one else one for one in of_first]
        for part in others:
            word = "not in" if part.is_absent else "in"
            conditions.append(f"{quoted(self.key)} {word} ({self._keys(part, '')})")
        text = f"select count(distinct {quoted(self.key)}) as {quoted(self.name)}"
        where = f" where {' and '.join(conditions)}" if conditions else ""
        return f"{text} from {quoted(first.table.name)}{where}"

    def local_sql(self, part: Part) -> str:
        """Return what each member runs on its own rows, whatever others have: its own keys."""
        return self._keys(part, "distinct ")

    def _keys(self, part: Part, word: str) -> str:
        text = f"select {word}{quoted(self.key)} from {quoted(part.table.name)}"  # noqa: S608
        return text + (f" where {condition(part.where, part.table)}" if part.where else "")
