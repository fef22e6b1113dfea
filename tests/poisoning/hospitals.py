"""Rows of real patients and of two moons, dealt to hospitals, and those that lie."""

from collections.abc import Sequence

import numpy as np
from sklearn.datasets import make_moons
from sklearn.model_selection import train_test_split

from quorate.poisoning.rows import Rows, Seeded
from tests.models.data import wisconsin


def moons() -> tuple[Rows, Rows]:
    """Return the rows of the textbook's classifier: 800 to learn from, and 200 to test on."""
    features, outcome = make_moons(1000, noise=0.3, random_state=42)
    learn, test, told, right = train_test_split(features, outcome, test_size=0.2, random_state=42)
    return Rows(learn, 1.0 * told), Rows(test, 1.0 * right)


def biopsies(seed: int) -> tuple[Rows, Rows]:
    """Return the Wisconsin biopsies, a fifth of them to test on; class 1 is malignant."""
    features, benign = wisconsin()
    rows = Rows(features, np.asarray(1 - benign, np.float64))
    order = Seeded(seed).some(len(rows), np.arange(len(rows)))
    fifth = len(rows) // 5
    return rows[order[fifth:]], rows[order[:fifth]]


def all_flipped(parts: Sequence[Rows], liars: int) -> list[Rows]:
    """Return the parts with every class of the first `liars` turned round."""
    return [
        part.flipped(np.arange(len(part))) if i < liars else part for i, part in enumerate(parts)
    ]
