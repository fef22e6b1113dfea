"""Programs over secret tables: what lies between what a study asks and the run of it.

    a member's file --reads--> Rows --own--> OwnTable --dealt--> Table --compute--> words, to all

A program says what each member reads of its own file, how it makes a table of that at home, filled
up to a number of rows that everybody knows, and what the committee computes of everybody's tables.
`studies.programs` makes it of a study, `runners.tables` runs it, and neither knows what it is for.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from quorate.algebra.ring import Words
from quorate.mpc.cost import Cost
from quorate.mpc.replicated import Committee, Security, Share
from quorate.mpc.tables.table import Table
from quorate.studies.query import Predicate
from quorate.studies.results import Result
from quorate.studies.schema import Column


@dataclass(frozen=True, slots=True)
class Reads:
    """What is read of a member's file: declared columns, and texts that are not declared."""

    columns: tuple[Column, ...]
    texts: tuple[str, ...]
    where: tuple[Predicate, ...]


@dataclass(frozen=True, slots=True)
class Rows:
    """A member's rows that satisfy the condition, in its own memory."""

    numbers: NDArray[np.int64] = field(repr=False)
    """(rows, columns): whole numbers; of a category the place of each value."""

    texts: tuple[tuple[str, ...], ...] = field(repr=False)
    """Of each text that of every row; empty where there is none."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How large a member's table is, which everybody knows."""

    rows: int
    lanes: int
    """Words of bits in a row: what is compared."""

    numbers: int = 0
    """Numbers in a row: what is added up, modulo 2^42."""

    @property
    def words(self) -> int:
        return self.rows * (self.lanes + self.numbers)


@dataclass(frozen=True, slots=True)
class OwnTable:
    """A member's table before it is dealt: of the shape that the program says."""

    bits: Words = field(repr=False)
    numbers: Words = field(repr=False)

    @property
    def flat(self) -> Words:
        """Return all words, the bits first: how a node holds them until the run."""
        return np.concatenate((self.bits.reshape(-1), self.numbers.reshape(-1)))


def own_table(words: Words, shape: Shape) -> OwnTable:
    """Return the table of which these are the flat words."""
    end = shape.rows * shape.lanes
    return OwnTable(
        words[:end].reshape(shape.rows, shape.lanes),
        words[end:].reshape(shape.rows, shape.numbers),
    )


class Compute(Protocol):
    """What the committee does with everybody's tables, by seat, and with its party's own.

    Returns the shares of the words that are revealed to all, verified or not. Every party calls
    it with the same tables; `own` is for steps between two owners alone.
    """

    def __call__(
        self, committee: Committee, own: OwnTable, tables: Sequence[Table], /
    ) -> Awaitable[Share]: ...


@dataclass(frozen=True, slots=True)
class Program:
    """What a study is computed by, where it takes everybody's rows together."""

    reads: Reads
    shapes: tuple[Shape, ...]
    """Of the table of each member, by seat."""

    own: Callable[[Rows], OwnTable]
    """Makes this member's rows its table, filled up. Raises `DataError`."""

    compute: Compute
    words: int
    """How many words are revealed to all."""

    results: Callable[[tuple[int, ...]], tuple[Result, ...]]
    """What the study's results are when these words were revealed. Raises `Abort`."""

    cost: Callable[[Security], Cost]
    """What `compute` and verifying it take: exact, or at most, as `depends_on_luck` says."""

    is_curious_only: bool
    """Whether it holds only against who follows the protocol: members have to accept that."""

    depends_on_luck: bool
    """Whether rounds and bytes follow from the random order of a sort, and from nothing else."""

    tells: tuple[str, ...] = ()
    """What a run tells beyond its results and sizes, and to whom, for people to read."""
