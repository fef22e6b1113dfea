"""What a kind of analysis is: the seven functions of its file, and what they speak of.

    needs     what each member computes of its own rows: vectors of integers
    values    what is revealed, in words and units, known before anything runs
    together  what the committee computes on shares of everybody's vectors, added up
    plain     the same numbers from the vectors in the clear: the oracle
    derived   what anyone can compute from what is revealed, such as a p-value
    sentences what approving it means

The bins of numbers and the categories come from the study's declarations, never from data.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from quorate.mpc.secret import SecretArray
from quorate.studies.analysis import Analysis
from quorate.studies.inputs import Axis, Cells, Input
from quorate.studies.schema import Column, refuse, shown
from quorate.studies.study import Study

MOST_ROWS = 1 << 20
"""Of all members: the ratios of `models` take counts of 20 bits."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One analysis in its study, among so many members."""

    analysis: Analysis
    study: Study
    members: int

    @property
    def rows(self) -> int:
        """Return the most rows all members have together."""
        return self.members * self.study.max_rows

    @property
    def place(self) -> str:
        return f"analyses.{self.analysis.name}"

    def values(self, name: str) -> tuple[str, ...]:
        """Return a parameter's values; nothing where it is not given."""
        return next((p.values for p in self.analysis.parameters if p.name == name), ())

    def one(self, name: str, default: str = "") -> str:
        """Return a parameter's one value. Raises `MalformedStudy` where it has more or none."""
        values = self.values(name) or ((default,) if default else ())
        if len(values) != 1:
            refuse(f"{self.place}.{name}", "must have one value")
        return values[0]

    def column(self, name: str, *kinds: str) -> Column:
        """Return the column a parameter names. Raises `MalformedStudy` for one of other kinds."""
        given = self.one(name)
        if given not in self.study.table.names:
            refuse(f"{self.place}.{name}", f"there is no column {shown(given)}")
        column = self.study.table.column(given)
        if column.kind not in kinds:
            refuse(f"{self.place}.{name}", f"{given} is no {' or '.join(kinds)}")
        return column

    def check_rows(self, most: int = MOST_ROWS) -> None:
        """Raise `MalformedStudy` if the members may have more rows than `most` together."""
        if self.rows > most:
            refuse(
                "max_rows",
                f"{self.analysis.kind} takes at most {most} rows of all members together",
                f"set max_rows = {most // self.members} or less",
            )

    def whole(self, name: str, default: int, most: int) -> int:
        """Return a parameter's whole number, 1 to `most`. Raises `MalformedStudy`."""
        text = self.one(name, str(default))
        if not text.isdecimal() or not text.isascii() or not 1 <= int(text[:20]) <= most:
            refuse(f"{self.place}.{name}", f"not a whole number from 1 to {most}")
        return int(text)

    def value_of(self, name: str, column: Column) -> int:
        """Return the place of a parameter among a category's values. Raises `MalformedStudy`."""
        given = self.one(name)
        if given not in column.values:
            refuse(f"{self.place}.{name}", f"{column.name} has no value {shown(given)}")
        return column.values.index(given)

    def cells(self, *axes: Axis) -> Cells:
        """Return the rows of the analysis, told apart by `axes`."""
        return Cells(self.analysis.where, axes)


@dataclass(frozen=True, slots=True)
class Value:
    """One number that is revealed: a word over `over`, within `low` and `high`."""

    name: str
    unit: str
    over: int | Fraction
    low: float
    high: float
    cell: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """What is to be revealed, on shares: the words of `values`, and 0 or 1 whether each is sound.

    Words are integers. One that is not sound is revealed as such: 0/0 is no number. Where
    `allowed`, a single 0 or 1, is not set, nothing is revealed but that.
    """

    words: SecretArray
    sound: SecretArray
    allowed: SecretArray


@dataclass(frozen=True, slots=True)
class Derived:
    """A number that follows from what is revealed."""

    name: str
    cell: tuple[str, ...]
    unit: str
    value: float


Sums = Callable[[Input], SecretArray]
"""Everybody's numbers of one input added up, in the shape of its cells: integers, in units of
10^-decimals."""

Totals = Callable[[Input], NDArray[np.float64]]
"""The same in the clear, as the numbers they stand for."""

Found = Sequence[Fraction | None]
"""The numbers revealed, in the order of `values`; None is no number, or withheld."""


class Stated(Protocol):
    """What a kind says of itself before a run and after; `KIND` is its name in the study file."""

    @property
    def KIND(self) -> str: ...  # noqa: N802 - a constant of the file

    def check(self, asked: Asked) -> None:
        """Refuse parameters that make no sense. Raises `MalformedStudy`."""
        ...

    def parameters(self) -> tuple[str, ...]: ...

    def values(self, asked: Asked) -> tuple[Value, ...]: ...

    def derived(self, asked: Asked, found: Found) -> tuple[Derived, ...]: ...

    def sentences(self, asked: Asked) -> tuple[str, ...]: ...


class Kind(Stated, Protocol):
    """The functions of the file of a kind that is computed once, from what members deal once."""

    def needs(self, asked: Asked) -> tuple[Input, ...]: ...

    def together(self, asked: Asked, sums: Sums) -> Told: ...

    def plain(self, asked: Asked, totals: Totals) -> tuple[float | None, ...]: ...
