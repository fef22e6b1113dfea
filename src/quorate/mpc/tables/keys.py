"""What rows are sorted, grouped and joined by: declared columns, in the bits of a few words.

From the highest bit: invalid (rows that only fill up come last), the columns, the first counting
most, and room for the number of the row. A column is 1 if it is NULL, then its value: with the sign
turned where it has one, complemented where it sorts descending. NULL comes last either way.
A column never lies in two words. Owners write their own rows so, and share the bits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from quorate.algebra.bits import BITS, Bits
from quorate.algebra.ring import Words
from quorate.errors import OutOfRange
from quorate.mpc.boolean import BitShare
from quorate.mpc.decomposition import to_bits
from quorate.mpc.replicated import Committee, Share, local, public

TIE_BITS = 24
"""Room for the numbers of 16 million rows."""

INVALID = np.uint64(1 << (BITS - 1))


@dataclass(frozen=True, slots=True)
class Column:
    """A column of whole numbers of so many bits."""

    bits: int
    signed: bool = False
    descending: bool = False
    nullable: bool = False

    @property
    def width(self) -> int:
        return self.bits + self.nullable


@dataclass(frozen=True, slots=True)
class Place:
    """Where a column's lowest bit stands."""

    lane: int
    shift: int


@dataclass(frozen=True, slots=True)
class Layout:
    """How columns are written into words."""

    columns: tuple[Column, ...]
    tie_bits: int = TIE_BITS

    def __post_init__(self) -> None:
        if any(not 0 < one.width < BITS for one in self.columns) or not 0 <= self.tie_bits < BITS:
            raise OutOfRange("a column to sort by has 1 to 62 bits, and one more where it is NULL")

    @property
    def places(self) -> list[Place]:
        """Return where the columns stand."""
        return self._all_places()[:-1]

    @property
    def lanes(self) -> int:
        return self._all_places()[-1].lane + 1

    def _all_places(self) -> list[Place]:
        places, lane, left = [], 0, BITS - 1
        for width in (*(one.width for one in self.columns), self.tie_bits):
            if width > left:
                lane, left = lane + 1, BITS
            left -= width
            places.append(Place(lane, left))
        # The number of the row stands at the very bottom of the last word.
        return [*places[:-1], Place(places[-1].lane, 0)]

    def packed(
        self, values: Sequence[NDArray[np.int64]], nulls: Sequence[Bits | None] = ()
    ) -> Words:
        """Return rows (rows, lanes) of these columns. Raises `OutOfRange`."""
        out = np.zeros((len(values[0]), self.lanes), np.uint64)
        unknown = [*nulls, *[None] * (len(self.columns) - len(nulls))]
        for one, place, value, null in zip(self.columns, self.places, values, unknown, strict=True):
            out[:, place.lane] |= _written(one, value, null) << np.uint64(place.shift)
        return out

    def padding(self, rows: int) -> Words:
        """Return rows that only fill up."""
        out = np.zeros((rows, self.lanes), np.uint64)
        out[:, 0] = INVALID
        return out

    def mask(self, *columns: int, invalid: bool = True) -> Words:
        """Return the bits of some columns, and the mark of invalid rows, (lanes,)."""
        out = np.zeros(self.lanes, np.uint64)
        for i in columns:
            place, ones = self.places[i], (1 << self.columns[i].width) - 1
            out[place.lane] |= np.uint64(ones << place.shift)
        if invalid:
            out[0] |= INVALID
        return out

    def without_tie(self) -> Words:
        return self.mask(*range(len(self.columns)))


def column_of(committee: Committee, bits: Share, layout: Layout, i: int) -> Share:
    """Return column i as words of bits, as it was before it was written; NULL is 0, or all ones."""
    found = local(lambda part: _as_written(part, layout, i), bits)
    turned = np.full(found.shape, _turned(layout.columns[i]))
    return local(np.bitwise_xor, found, public(committee, turned))


def read_column(bits: Words, layout: Layout, i: int) -> Words:
    """Return column i of rows in the clear, as `column_of` does."""
    return _as_written(bits, layout, i) ^ _turned(layout.columns[i])


def _as_written(bits: Words, layout: Layout, i: int) -> Words:
    place, ones = layout.places[i], np.uint64((1 << layout.columns[i].bits) - 1)
    found: Words = (bits[:, place.lane] >> np.uint64(place.shift)) & ones
    return found


def is_set(words: Share) -> BitShare:
    """Return a column of one bit as bits."""
    return BitShare(words.own != 0, words.next != 0)


def numbered(committee: Committee, bits: Share, layout: Layout) -> Share:
    """Return rows with their own numbers at the bottom, so that no two are alike."""
    rows = len(bits.own)
    if rows > 1 << layout.tie_bits:
        raise OutOfRange(f"{rows} rows to sort where {1 << layout.tie_bits} have a number")
    places = np.zeros(bits.shape, np.uint64)
    places[:, layout.lanes - 1] = np.arange(rows, dtype=np.uint64)
    return local(np.bitwise_xor, bits, public(committee, places))


def masked(bits: Share, mask: Words) -> Share:
    """Return rows with only some of the bits of their first lanes, and all of the others'."""
    rest = np.full(bits.shape[1] - mask.size, ~np.uint64(0))
    return local(lambda part: part & np.concatenate((mask, rest)), bits)


def only_masked(bits: Share, mask: Words) -> Share:
    """Return some bits of the first lanes of rows, and no other lanes."""
    return local(lambda part: part[:, : mask.size] & mask, bits)


def written(committee: Committee, layout: Layout, values: Sequence[Share]) -> Share:
    """Return rows of columns of secret bits, flat words of non-negative numbers, none NULL."""
    out = public(committee, np.zeros((len(values[0].own), layout.lanes), np.uint64))
    for one, place, value in zip(layout.columns, layout.places, values, strict=True):
        turned = public(committee, np.full(value.shape, _turned(one)))
        shifted = local(partial(_shifted, place, layout.lanes), value, turned)
        out = local(np.bitwise_xor, out, shifted)
    return out


async def in_bits(committee: Committee, numbers: Share, count: int) -> Share:
    """Return flat numbers below 2^count as words of bits, of which columns are written.

    Cost: that of `decomposition.to_bits` of the next power of two
    """
    bits = await to_bits(committee, numbers, 1 << (count - 1).bit_length())
    return Share(*(_words(part[:count]) for part in (bits.own, bits.next)))


def _words(bits: Bits) -> Words:
    """Return the words of bits along the first axis: XOR of shifted bits."""
    shifts = np.arange(len(bits), dtype=np.uint64)
    total: Words = np.bitwise_or.reduce(bits.astype(np.uint64) << shifts[:, None], axis=0)
    return total


def _shifted(place: Place, lanes: int, value: Words, turned: Words) -> Words:
    out = np.zeros((value.size, lanes), np.uint64)
    out[:, place.lane] = (value ^ turned) << np.uint64(place.shift)
    return out


def _turned(one: Column) -> np.uint64:
    """Return the bits of a column that are written the other way round."""
    ones = (1 << one.bits) - 1
    sign = 1 << (one.bits - 1) if one.signed else 0
    return np.uint64(ones ^ sign if one.descending else sign)


def _written(one: Column, value: NDArray[np.int64], null: Bits | None) -> Words:
    least, past = (-(1 << one.bits - 1), 1 << one.bits - 1) if one.signed else (0, 1 << one.bits)
    known = value if null is None else np.where(null, 0, value)
    if known.size and (known.min() < least or known.max() >= past):
        raise OutOfRange(f"a column of {one.bits} bits does not hold this")
    ones = np.uint64((1 << one.bits) - 1)
    words = (known.astype(np.int64).view(np.uint64) & ones) ^ _turned(one)
    if null is None:
        return words
    if not one.nullable:
        raise OutOfRange("a column that is never NULL does not hold this")
    words = np.where(null, np.uint64(0), words)
    return words | (null.astype(np.uint64) << np.uint64(one.bits))
