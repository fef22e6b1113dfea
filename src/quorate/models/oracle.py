"""The oracle of `trained`: the same steps in NumPy, on rows in the clear."""

import numpy as np

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
    if np.linalg.matrix_rank(x, tol=np.sqrt(len(x)) * 2.0**-12) < p:
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
