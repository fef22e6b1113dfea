"""What a member makes of a person's name and dates, at home, before anything is linked.

The same person is written differently at two hospitals. Names are normalised, and a few exact keys
are made of each person: if one of them is common, it is the same person. What leaves is a share of
a key or of a set of letter pairs, never the key or the set.

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

from quorate.algebra.ring import Words
from quorate.errors import Refused, Usage
from quorate.mpc.tables.linkage import KEY_BITS

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
    Method.EXACT: "nothing but the result",
    Method.MATCH: "how many persons two members have in common, to the third member",
    Method.DICE: "nothing but the result",
}
"""What each method tells beyond its result and the number of rows, for people to read."""


@dataclass(frozen=True, slots=True)
class Person:
    """A row of a member's own table."""

    given: str
    family: str
    born: date
    insurance: str = ""


def method(name: str) -> Method:
    """Return the method of that name. Raises `Refused` for hashes, `Usage` for what is none."""
    if "hash" in name:
        raise Refused(
            "a hash of persons that all members can compute is refused: "
            "whoever has a list of possible persons reads off who is there",
            hint="link by exact keys: method = 'exact' reveals nothing",
        )
    if name not in set(map(str, Method)):
        raise Usage(f"no method '{name}' to link persons", hint="exact, match or dice")
    return Method(name)


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


def keys(person: Person) -> tuple[int, ...]:
    """Return the exact keys of a person, below 2^62: by sound, by swapped date, by insurance."""
    names = sound(person.given), sound(person.family)
    born = person.born
    dates = [born.isoformat()]
    if born.day <= 12:
        dates.append(born.replace(month=born.day, day=born.month).isoformat())
    found = [_key("sound", *names, min(dates))]
    if person.insurance:
        found.append(_key("insurance", normalised(person.insurance)))
    return tuple(found)


def filters(persons: Sequence[Person]) -> Words:
    """Return for each person the set of its pairs of letters, (persons, 500) zeros and ones."""
    out = np.zeros((len(persons), FILTER_BITS), np.uint64)
    for row, person in zip(out, persons, strict=True):
        row[_places(person)] = 1
    return out


def _places(person: Person) -> list[int]:
    """Return the places that the pairs of letters of a person's names and date set."""
    found: list[int] = []
    for text in (person.given, person.family, person.born.isoformat()):
        padded = f"_{normalised(text)}_"
        for first, second in pairwise(padded):
            digest = hashlib.blake2b((first + second).encode(), digest_size=4 * HASHES).digest()
            found += (np.frombuffer(digest, "<u4") % FILTER_BITS).tolist()
    return found


def _key(*parts: str) -> int:
    digest = hashlib.blake2b("\0".join(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> (8 * len(digest) - KEY_BITS)
