"""Secret rows: columns of bits and columns of numbers, one row of both for one row of the table."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from quorate.algebra.ring import Words
from quorate.mpc.replicated import Committee, Share, local, public
from quorate.mpc.tables.permutations import Places

VALUE_BITS = 42
"""Numbers in tables are modulo 2^42: what a shuffle's tags hold them to (`tables.tagged`)."""

UNUSED = np.uint64(64 - VALUE_BITS)


@dataclass(frozen=True, slots=True)
class Table:
    """Secret rows. The numbers are modulo 2^42: bits above may be anything."""

    bits: Share
    """(rows, lanes), XOR-shared: what is compared."""

    numbers: Share
    """(rows, columns), shared in the ring: what is added up."""

    @property
    def rows(self) -> int:
        return self.bits.shape[0]


def none_of(rows: int) -> Share:
    """Return no columns for so many rows."""
    return Share(np.zeros((rows, 0), np.uint64), np.zeros((rows, 0), np.uint64))


def taken(x: Share, places: Places | slice) -> Share:
    """Return some rows, in an order that everybody knows."""
    if isinstance(places, slice):
        return Share(x.own[places], x.next[places])
    return local(lambda part: part.take(places, axis=0), x)


def take(table: Table, places: Places | slice) -> Table:
    return Table(taken(table.bits, places), taken(table.numbers, places))


def stacked(shares: Sequence[Share]) -> Share:
    """Return the rows of several, one after the other."""
    return _concatenated(shares, 0)


def beside(*shares: Share) -> Share:
    """Return the columns of several side by side; what is flat is one column."""
    shaped = [local(lambda part: part.reshape(len(part), -1), one) for one in shares]
    return _concatenated(shaped, 1)


def column(x: Share, place: int) -> Share:
    """Return one column, flat."""
    return local(lambda part: np.ascontiguousarray(part[:, place]), x)


def columns(x: Share, here: slice) -> Share:
    return local(lambda part: np.ascontiguousarray(part[:, here]), x)


def numbered(committee: Committee, rows: int) -> Share:
    """Return the numbers of rows, as numbers or as bits, shared for nothing."""
    return public(committee, np.arange(rows, dtype=np.uint64))


def settled(x: Share) -> Share:
    """Return numbers times 2^22, of which nothing is left but what counts: to compare or reveal."""
    return local(lambda part: part << UNUSED, x)


def read(words: Words) -> Words:
    """Return the numbers 0 <= x < 2^42 of which `settled` ones were revealed."""
    return words >> UNUSED


def _concatenated(shares: Sequence[Share], axis: int) -> Share:
    return Share(
        np.concatenate([one.own for one in shares], axis),
        np.concatenate([one.next for one in shares], axis),
    )
