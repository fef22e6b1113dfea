"""Rows to learn from, and choices among them that a seed repeats."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from quorate.mpc.streams import Stream

Floats = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Rows:
    """Measurements (n, d) and what is to be learnt of each: a class 0 or 1, or a number."""

    features: Floats
    outcome: Floats

    def __len__(self) -> int:
        return len(self.outcome)

    def __getitem__(self, places: Places | slice) -> "Rows":
        return Rows(self.features[places], self.outcome[places])

    def flipped(self, places: Places) -> "Rows":
        """Return the same with the other class at `places`."""
        outcome = self.outcome.copy()
        outcome[places] = 1 - outcome[places]
        return replace(self, outcome=outcome)

    def ranges(self) -> tuple[Floats, Floats]:
        """Return the lowest and the highest of each measurement."""
        return self.features.min(axis=0), self.features.max(axis=0)


def joined(*parts: Rows) -> Rows:
    return Rows(
        np.concatenate([part.features for part in parts]),
        np.concatenate([part.outcome for part in parts]),
    )


class Seeded:
    """Choices that look random and are the same each time: for experiments, never for secrets."""

    def __init__(self, seed: int) -> None:
        key = seed.to_bytes(32, "little")
        self._stream = Stream(key, "choices of an experiment")

    def words(self, count: int) -> NDArray[np.uint64]:
        return self._stream.words(count)

    def uniform(self, *shape: int) -> Floats:
        """Return numbers from 0 up to 1, without 1."""
        words = (self.words(int(np.prod(shape))) >> np.uint64(11)).reshape(shape)
        return words.astype(np.float64) * 2.0**-53

    def some(self, count: int, places: Places) -> Places:
        """Return `count` of `places`, or all where there are fewer, in no order."""
        return places[np.argsort(self.words(len(places)))[:count]]

    def again(self, count: int, of: int) -> Places:
        """Return `count` numbers below `of`, which may repeat."""
        return (self.uniform(count) * of).astype(np.int64)
