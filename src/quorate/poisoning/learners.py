"""Models that one hospital trains on its own rows, in the clear: what is voted on, and attacked.

A logistic regression with a ridge, by Newton's steps, on measurements brought to mean 0 and
spread 1 by the hospital's own rows; `cubic` for shapes that no straight line follows.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import combinations_with_replacement

import numpy as np

from quorate.poisoning.rows import Floats, Rows

STEPS, NEAR = 50, 1e-9
PENALTY = 1.0

Map = Callable[[Floats], Floats]


def plain(features: Floats) -> Floats:
    return features


def cubic(features: Floats) -> Floats:
    """Return all products of up to three measurements."""
    columns = range(features.shape[1])
    powers = [p for k in (1, 2, 3) for p in combinations_with_replacement(columns, k)]
    return np.column_stack([features[:, list(power)].prod(axis=1) for power in powers])


@dataclass(frozen=True, slots=True)
class Model:
    """Coefficients (k + 1,) of mapped measurements, the constant first; above 0 is class 1."""

    coefficients: Floats = field(repr=False)
    mapped: Map

    def score(self, features: Floats) -> Floats:
        found: Floats = self.coefficients[0] + self.mapped(features) @ self.coefficients[1:]
        return found

    def classes(self, features: Floats) -> Floats:
        return (self.score(features) > 0).astype(np.float64)


def fitted(rows: Rows, mapped: Map = plain, penalty: float = PENALTY) -> Model:
    """Return the regression of the largest likelihood, less `penalty` / 2 times its square."""
    columns = mapped(rows.features)
    middle, spread = columns.mean(axis=0), columns.std(axis=0)
    spread[spread == 0] = 1.0
    found = logistic((columns - middle) / spread, rows.outcome, penalty)
    slopes = found[1:] / spread
    return Model(np.append(found[0] - slopes @ middle, slopes), mapped)


def logistic(columns: Floats, outcome: Floats, penalty: float) -> Floats:
    """Return coefficients, the constant first, which is not penalised."""
    design = np.column_stack([np.ones(len(columns)), columns])
    ridge = penalty * np.append(0.0, np.ones(columns.shape[1]))
    found = np.zeros(design.shape[1])
    for _ in range(STEPS):
        mean = chance(design @ found)
        score = design.T @ (outcome - mean) - ridge * found
        step = np.linalg.solve(information(design, mean, ridge), score)
        found = found + step / max(1.0, float(np.abs(step).max()) / 10)
        if np.abs(step).max() < NEAR:
            break
    return found


def information(design: Floats, mean: Floats, ridge: Floats) -> Floats:
    """Return the second derivatives of what is minimised."""
    weight = np.maximum(mean * (1 - mean), 1e-9)
    found: Floats = design.T @ (design * weight[:, None]) + np.diag(ridge + 1e-9)
    return found


def chance(score: Floats) -> Floats:
    found: Floats = 1 / (1 + np.exp(-np.clip(score, -500, 500)))
    return found


def accuracy(classes: Floats, rows: Rows) -> float:
    """Return the share of rows whose class was told rightly."""
    return float((classes == rows.outcome).mean())


def curve_area(scores: Floats, outcome: Floats) -> float:
    """Return how often a row of class 1 scores above one of class 0; half for ties [HanM82].

    Not a number where a class has no rows.
    """
    one, none = scores[outcome == 1], np.sort(scores[outcome == 0])
    if not (len(one) and len(none)):
        return float("nan")
    below = np.searchsorted(none, one, "left") + np.searchsorted(none, one, "right")
    return float(below.mean() / 2 / len(none))
