"""What is computed on, the same for the engine and its peers; nothing is needed but NumPy.

Peers run in environments of their own, where the project is not installed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

SIZES = (100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000)
MANY, SIDE, IN_TURN = 1_000_000, 1_000, 1_000
"""Numbers at once; rows and columns of a matrix; products one after the other."""

REPEATS = 5
FRACTION_BITS = 16

EPOCHS, BATCH, RATE = 10, 128, 0.25
PATIENTS = Path(__file__).parent / "data" / "wisconsin.csv"


@dataclass(frozen=True, slots=True)
class Patients:
    """Standardised measurements, a last column of ones, and who has a benign tumour (1 or 0)."""

    x: Floats
    benign: Floats


def operands(shape: tuple[int, ...]) -> tuple[Ints, Ints]:
    """Return numbers of 20 bits and a sign, made by arithmetic, with some equals."""
    count = np.arange(int(np.prod(shape)))
    x, y = (count * 48271 % (1 << 21) - (1 << 20), count * 16807 % (1 << 21) - (1 << 20))
    y[::4] = x[::4]
    return x.reshape(shape), y.reshape(shape)


def patients() -> Patients:
    """Read the patients of `data/README.md`."""
    rows = np.loadtxt(PATIENTS, delimiter=",", skiprows=1)
    x, benign = rows[:, :-1], rows[:, -1]
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    return Patients(np.hstack([x, np.ones((len(x), 1))]), benign)


def batches(rows: int) -> Iterator[slice]:
    """Yield the rows of each step, epoch after epoch, always in the same order."""
    for _ in range(EPOCHS):
        for start in range(0, rows, BATCH):
            yield slice(start, min(start + BATCH, rows))


def logistic(z: Floats) -> Floats:
    return 1 / (1 + np.exp(-z))


def trained(given: Patients, function: Callable[[Floats], Floats] = logistic) -> Floats:
    """Return the weights of a logistic regression, in the clear: gradient descent by batches."""
    weights = np.zeros(given.x.shape[1])
    for rows in batches(len(given.benign)):
        x, y = given.x[rows], given.benign[rows]
        weights = weights - x.T @ (function(x @ weights) - y) * (RATE / len(y))
    return weights


def right(given: Patients, weights: Floats) -> int:
    """Return how many of the patients a model puts on the right side."""
    return int(np.sum((given.x @ weights > 0) == (given.benign == 1)))
