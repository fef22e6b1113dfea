"""What a member makes of a person's names and dates, at home, before anything is linked.

The same person is written differently at two hospitals, so each part of a key is written in one
way first: a name without marks or by its sound, a date whose day and month may be swapped. What
leaves is a share of a key or of a set of letter pairs, never the key or the set.

A keyed hash that all members can compute is refused: who has a list of possible persons
computes it for each of them, and reads off who is there.
"""

import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from quorate.algebra.ring import Words
from quorate.errors import DataError, Refused
from quorate.mpc.tables.linkage import KEY_BITS
from quorate.studies.schema import is_name, refuse, shown

FILTER_BITS = 500
HASHES = 10
"""Bits that a pair of letters sets in a filter."""

SOUND_DIGITS = 3
_SOUNDS = {
    **dict.fromkeys("bfpv", "1"),
    **dict.fromkeys("cgjkqsxz", "2"),
    **dict.fromkeys("dt", "3"),
    "l": "4",
    **dict.fromkeys("mn", "5"),
    "r": "6",
}


class Method(StrEnum):
    """How persons are linked."""

    EXACT = "exact"
    MATCH = "match"
    DICE = "dice"


LEAKS = {
    Method.EXACT: "nothing",
    Method.MATCH: "how many persons two members have in common, and how many of those "
    "with the event, to the third member, withheld or not",
    Method.DICE: "nothing",
}
"""What each method tells beyond its result and the number of rows, for people to read."""


class Way(StrEnum):
    """How a part of a key is written, whoever wrote it."""

    TEXT = "text"
    SOUND = "sound"
    DATE = "date"


@dataclass(frozen=True, slots=True)
class Part:
    """A column of a member's own file, and how it is written in a key."""

    way: Way
    column: str

    def written(self, value: str) -> str:
        """Return a value as it stands in a key. Raises `DataError`, which does not quote it."""
        text = {Way.TEXT: normalised, Way.SOUND: sound, Way.DATE: _day}[self.way](value)
        if not text:
            raise DataError(f"column {self.column} has a row without a value to link by")
        return text


def method(place: str, name: str) -> Method:
    """Return the method of that name. Raises `Refused` for hashes, `MalformedStudy`."""
    if "hash" in name:
        raise Refused(
            "a hash of persons that all members can compute is refused: "
            "whoever has a list of possible persons reads off who is there",
            hint='link by exact keys: method = "exact" reveals nothing',
        )
    if name not in set(map(str, Method)):
        refuse(place, f"no method {shown(name)} to link persons", "exact, match or dice")
    return Method(name)


def part(place: str, text: str) -> Part:
    """Return the part that a study names, such as "sound family". Raises `MalformedStudy`."""
    way, _, column = text.partition(" ")
    if way not in set(map(str, Way)) or not is_name(column):
        refuse(place, f"{shown(text)} is no part of a key", 'such as "sound family", "date born"')
    return Part(Way(way), column)


def normalised(text: str) -> str:
    """Return letters and digits alone, without marks, in lower case."""
    letters = unicodedata.normalize("NFKD", text).casefold()
    return "".join(one for one in letters if one.isalnum())


def sound(name: str) -> str:
    """Return the Soundex code of a name: names that sound alike have the same."""
    letters = [one for one in normalised(name) if one.isascii() and one.isalpha()]
    if not letters:
        return normalised(name)
    code, last = "", _SOUNDS.get(letters[0], "")
    for one in letters[1:]:
        digit = _SOUNDS.get(one, "")
        if digit and digit != last:
            code += digit
        if one not in "hw":  # these two do not part letters that sound alike
            last = digit
    return letters[0] + (code + "0" * SOUND_DIGITS)[:SOUND_DIGITS]


def keys(parts: Sequence[Part], columns: Sequence[Sequence[str]]) -> Words:
    """Return the key of each row, below 2^62, of its value in the column of each part.

    Raises `DataError`.
    """
    return np.array([_key(row) for row in _written(parts, columns)], np.uint64)


def filters(parts: Sequence[Part], columns: Sequence[Sequence[str]]) -> Words:
    """Return for each row the set of its pairs of letters, (rows, 500) zeros and ones.

    Raises `DataError`.
    """
    rows = _written(parts, columns)
    out = np.zeros((len(rows), FILTER_BITS), np.uint64)
    for filled, row in zip(out, rows, strict=True):
        filled[_places(row)] = 1
    return out


def blocks(part: Part, values: Sequence[str], count: int) -> NDArray[np.int64]:
    """Return in which of so many blocks each row is, by a part that all write alike.

    Raises `DataError`.
    """
    return np.array([_key((part.written(value),)) % count for value in values], np.int64)


def _written(parts: Sequence[Part], columns: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    """Return the rows, each value as it stands in a key."""
    made = [[p.written(value) for value in one] for p, one in zip(parts, columns, strict=True)]
    return list(zip(*made, strict=True))


def _places(row: Sequence[str]) -> list[int]:
    """Return the places that the pairs of letters of a row's parts set."""
    found: list[int] = []
    for text in row:
        for first, second in pairwise(f"_{text}_"):
            digest = hashlib.blake2b((first + second).encode(), digest_size=4 * HASHES).digest()
            found += (np.frombuffer(digest, "<u4") % FILTER_BITS).tolist()
    return found


def _day(text: str) -> str:
    """Return a date such as 1970-04-03, the earlier of two where day and month may be swapped."""
    try:
        day = date.fromisoformat(text.strip()[:10])
    except ValueError:
        return ""
    swapped = day.replace(month=day.day, day=day.month) if day.day <= 12 else day
    return min(day, swapped).isoformat()


def _key(row: Sequence[str]) -> int:
    digest = hashlib.blake2b("\0".join(row).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> (8 * len(digest) - KEY_BITS)
