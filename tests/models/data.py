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


def centred(columns: Floats) -> tuple[Floats, Floats, Floats]:
    """Return columns as numbers in [-1, 1] after a column of 1, with middles and half widths."""
    low, high = columns.min(axis=0), columns.max(axis=0)
    middle, half = (low + high) / 2, (high - low) / 2
    return np.column_stack([np.ones(len(columns)), (columns - middle) / half]), middle, half
