"""The oracles of `trained` and `counting`: the same steps in NumPy, on rows in the clear."""

import numpy as np

from quorate.models.counting import HIGHEST, LOWEST, Counting
from quorate.models.outputs import Floats
from quorate.models.trained import SETTLED, Training, logistic


def plain_training(
    of: Training, design: Floats, outcome: Floats, units: Floats
) -> tuple[float | None, ...]:
    """Return coefficients, roots of the diagonal of N H^(-1), and 1, in the clear: the oracle.

    `units` are what the columns are divided by where a penalty counts. Of an outcome that is
    separated there are None and 1, of collinear columns None and 0.
    """
    p = of.columns
    x = design / units
    if _is_collinear(x):
        return (*[None] * (2 * p), 0.0)
    ridge = of.penalty * np.diag(np.append(0.0, np.ones(p - 1)))
    place: Floats = np.zeros(p)
    last: Floats = np.zeros(p)
    curved = x.T @ x / 4 + ridge
    for _ in range(of.steps):
        gradient = x.T @ (outcome - logistic(x @ place) * x[:, 0]) - ridge @ place
        last = np.asarray(np.linalg.solve(curved, gradient), np.float64)
        place = place + last
        weight = logistic(x @ place) * logistic(-x @ place)
        curved = x.T @ (x * weight[:, None]) + ridge
    side = np.linalg.cholesky(x.T @ x / of.divisor + 4 * ridge / of.divisor).T @ last
    if np.abs(side).max() > SETTLED:
        return (*[None] * (2 * p), 1.0)
    roots = np.sqrt(np.diag(np.linalg.inv(curved)) * of.divisor)
    return (*(place / units).tolist(), *(roots / units).tolist(), 1.0)


def plain_counting(
    of: Counting, design: Floats, outcome: Floats, exposure: Floats, units: Floats
) -> tuple[float | None, ...]:
    """Return the same of `counting`: coefficients, roots of the diagonal of C N H^(-1), and 1."""
    p, x = of.columns, design / units
    if _is_collinear(x):
        return (*[None] * (2 * p), 0.0)
    events = float(outcome.sum())
    if events < 1:
        return (*[None] * (2 * p), 1.0)
    rate = events / float(exposure.sum())
    place: Floats = np.zeros(p)
    last: Floats = np.zeros(p)
    curved: Floats = np.eye(p)
    for _ in range(of.steps):
        mean = rate * exposure * np.exp(np.clip(x @ place, LOWEST, HIGHEST))
        curved = x.T @ (x * mean[:, None])
        last = np.asarray(np.linalg.solve(curved, x.T @ (outcome - mean)), np.float64)
        place = place + last
    if np.abs(last).max() > SETTLED:
        return (*[None] * (2 * p), 1.0)
    place[0] += np.log(rate)
    roots = np.sqrt(np.diag(np.linalg.inv(curved)) * of.scale)
    return (*(place / units).tolist(), *(roots / units).tolist(), 1.0)


def _is_collinear(x: Floats) -> bool:
    return bool(np.linalg.matrix_rank(x, tol=np.sqrt(len(x)) * 2.0**-12) < x.shape[1])
