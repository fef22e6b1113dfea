"""Defences on shares: what hospitals give stays secret, and what comes out is what was asked.

`robust` says what each defends against; here the same is computed on secret arrays. Values
outside what is declared are no reason to stop, as that would tell: their rows count as none.

Adversary: that of the engine. That owners deal what they like is what these defend against.
Unreviewed.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from quorate.models.products import matmul
from quorate.mpc.secret import SecretArray, promised
from quorate.mpc.selection import concatenate
from quorate.poisoning.networks import selecting
from quorate.poisoning.robust import refuse_few


def rows_in_range(values: SecretArray, low: ArrayLike, high: ArrayLike) -> SecretArray:
    """Return 0 or 1 for each row of (n, d): whether all of its values are within public bounds.

    `low` and `high` (d,). Cost: two comparisons a value, side by side, and an AND for each two.
    """
    inside = (values >= np.asarray(low)) & (values <= np.asarray(high))
    columns = [inside[:, i : i + 1] for i in range(inside.shape[1])]
    while len(columns) > 1:
        pairs = range(0, len(columns) - 1, 2)
        odd = columns[len(columns) // 2 * 2 :]
        columns = [columns[i] & columns[i + 1] for i in pairs] + odd
    return promised(columns[0].reshape(inside.shape[0]) + 0, 1)


def kept_rows(values: SecretArray, kept: SecretArray) -> SecretArray:
    """Return the rows (n, d), zeros in place of those of which `kept` is 0."""
    return promised(values * kept.reshape(-1, 1), values.node.limit)


def sorted_places(vectors: SecretArray, places: Sequence[int]) -> SecretArray:
    """Return (places, m): the numbers of these places in each column of (n, m), 0 is the lowest.

    Cost: a comparison and a product for each pair of `networks.selecting`, of m numbers.
    """
    rows = [vectors[i] for i in range(vectors.shape[0])]
    limit = vectors.node.limit
    for layer in selecting(len(rows), tuple(sorted(places))):
        first = concatenate([rows[i].reshape(1, -1) for i, _ in layer])
        second = concatenate([rows[j].reshape(1, -1) for _, j in layer])
        moved = promised(((first > second) + 0) * (second - first), 2 * limit)
        for k, (i, j) in enumerate(layer):
            rows[i] = promised(first[k] + moved[k], limit)
            rows[j] = promised(second[k] - moved[k], limit)
    return concatenate([rows[place].reshape(1, -1) for place in places])


def median(vectors: SecretArray) -> SecretArray:
    """Return the middle of each column of (n, m), of an even number the mean of the two."""
    n = vectors.shape[0]
    if n % 2:
        return sorted_places(vectors, [n // 2])[0]
    return sorted_places(vectors, [n // 2 - 1, n // 2]).mean(axis=0)


def trimmed_mean(vectors: SecretArray, liars: int) -> SecretArray:
    """Return the mean of each column without its `liars` lowest and highest. Raises `Refused`."""
    n = vectors.shape[0]
    refuse_few(n, liars)
    return sorted_places(vectors, range(liars, n - liars)).mean(axis=0)


def scores(coefficients: SecretArray, rows: SecretArray) -> SecretArray:
    """Return what each model says of each row, (m, hospitals), above 0 is class 1.

    `coefficients` (hospitals, p) and `rows` (m, p), whose first column is 1. Nothing is rounded,
    so a model of zeros says 0. Cost: one matrix product.
    """
    x, y = rows.node, coefficients.node
    f, p = x.f + y.f, rows.shape[1]
    return matmul(rows, coefficients.T, bound=x.limit * y.limit * p / 2.0**f, f=f)


def votes(coefficients: SecretArray, rows: SecretArray) -> SecretArray:
    """Return how many of the models say class 1 of each row, as integers.

    Cost: that of `scores`, and a comparison for each model and row.
    """
    return ((scores(coefficients, rows) > 0) + 0).sum(axis=1)


def majority(counts: SecretArray, voters: int | SecretArray) -> SecretArray:
    """Return 1 where most of those who vote said class 1; a tie is class 0."""
    return (2 * counts > voters) + 0


def margin(counts: SecretArray, voters: int | SecretArray) -> SecretArray:
    """Return by how many votes a class won: twice the liars that it withstands, or one more."""
    wins = majority(counts, voters)
    gap = 2 * counts - voters
    most = voters if isinstance(voters, int) else voters.node.limit
    return promised((2 * wins - 1) * gap - wins, most)


def withstands(counts: SecretArray, voters: SecretArray) -> SecretArray:
    """Return how many lying hospitals could not have changed each answer.

    Cost: beside that of `margin` a comparison for each two who may vote.
    """
    by = margin(counts, voters)
    steps = ((by >= 2 * liars) + 0 for liars in range(1, voters.node.limit // 2 + 1))
    return promised(sum(steps, by * 0), voters.node.limit)


def influence_flags(sums: SecretArray, counts: SecretArray, limit: float) -> SecretArray:
    """Return 0 or 1 for each hospital: does the mean of all move by more than `limit` without it?

    `sums` (hospitals,) are numbers and `counts` integers. Two comparisons a hospital.
    """
    rows, whole = counts.sum(), sums.sum()
    others = rows - counts
    moved = sums * rows - counts * whole
    most = others * rows * limit
    alone = (others == 0) & (counts > 0)
    return (((moved > most) | (-moved > most)) | alone) + 0
