"""Persons who never were, some at several hospitals, where their names are written in other ways.

Numbers come from a stream with a public key: the same persons every time.
"""

import csv
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from quorate.mpc.streams import Stream

_KEY = bytes(32)
_FIRST, _DAYS = date(1935, 1, 1), 25_000
_GIVEN = ("Anna-Maria", "Béla", "Chloé", "Dmitri", "Esra", "Farid", "Grace", "Hiroshi", "Inés")
_FAMILY = ("Müller", "O'Brien", "Nowák", "de la Cruz", "Okafor", "Çelik", "Sørensen", "Tanaka")


@dataclass(frozen=True, slots=True)
class Truth:
    """What only who made them up knows: whose row each is, by hospital, and who has the event."""

    at: dict[str, tuple[int, ...]]
    events: frozenset[int]

    @property
    def persons(self) -> frozenset[int]:
        return frozenset(one for people in self.at.values() for one in people)

    @property
    def counted(self) -> int:
        """Return how many persons there seem to be where each hospital counts its own."""
        return sum(len(set(people)) for people in self.at.values())


def write_persons(
    folder: Path, hospitals: tuple[str, ...], count: int
) -> tuple[dict[str, Path], Truth]:
    """Write the files of hospitals that have `count` persons; return them, and the truth.

    Each person has a first hospital, one of six is at the next one too, and one of nine came twice.
    """
    stream = Stream(_KEY, "made-up persons")
    words = [int(word) for word in stream.words(count)]
    at: dict[str, list[int]] = {name: [] for name in hospitals}
    events: set[int] = set()
    rows: dict[str, list[tuple[str, ...]]] = {name: [] for name in hospitals}
    for person, word in enumerate(words):
        first = person % len(hospitals)
        places = [first] * (1 + (word % 9 == 0))
        places += [(first + 1) % len(hospitals)] * (word // 9 % 6 == 0)
        for place in places:
            name, happened = hospitals[place], (word >> 20) + place & 15 == 0
            at[name].append(person)
            events |= {person} if happened else set()
            rows[name].append((*_named(person, word, place), "yes" if happened else "no"))
    files = {name: _write(folder / f"{name}.csv", rows[name]) for name in hospitals}
    return files, Truth({name: tuple(people) for name, people in at.items()}, frozenset(events))


def _named(person: int, word: int, place: int) -> tuple[str, str, str]:
    """Return names and the date of birth as one hospital writes them."""
    given = _GIVEN[(word >> 32) % len(_GIVEN)]
    family = _FAMILY[(word >> 40) % len(_FAMILY)]
    born = _FIRST + timedelta(days=person * 7919 % _DAYS)
    return _written(given, place), _written(family, place), born.isoformat()


def _written(name: str, place: int) -> str:
    """Return a name as it is, all in capitals, or in plain letters, as a hospital does."""
    return (name, name.upper(), name.replace("ü", "u").replace("-", " "))[place % 3]


def _write(path: Path, rows: list[tuple[str, ...]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as lines:
        csv.writer(lines).writerows([("given", "family", "born", "infarction"), *rows])
    return path
