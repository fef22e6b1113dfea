"""Patients to fit models to, as in `examples/data`."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
DATA = Path(__file__).parents[2] / "examples" / "data"


def diabetes() -> tuple[Floats, Floats]:
    """Return ten measurements of 442 patients, and the progression of their disease."""
    parts = [
        np.genfromtxt(DATA / f"{name}.csv", delimiter=",", skip_header=1)
        for name in ("north", "south", "west")
    ]
    rows = np.concatenate(parts)
    return rows[:, :10], rows[:, 10]


def halved(columns: Floats) -> tuple[Floats, Floats]:
    """Return a column of 1 and columns halved until they are at most 1, and what was divided by."""
    scale = 2.0 ** np.ceil(np.log2(np.abs(columns).max(axis=0)))
    return np.column_stack([np.ones(len(columns)), columns / scale]), np.append(1.0, scale)


def wisconsin() -> tuple[Floats, NDArray[np.int64]]:
    """Return thirty measurements of 569 biopsies, and whether each was benign."""
    rows = np.genfromtxt(DATA / "wisconsin.csv", delimiter=",", skip_header=1)
    return rows[:, :30], rows[:, 30].astype(np.int64)
