"""The most frequent value of a category: of noisy numbers of rows, only where the largest is.

The numbers stay shared: three members have drawn noise on them that none knows (`dp.joint`), and
compare them as any other secrets. What is revealed is a place for each group. Its guarantee is
that of report-noisy-max, `dp.queries.noisy_max`.
"""

from collections.abc import Iterator

import numpy as np

from quorate.dp import geometric, joint
from quorate.dp.mechanisms import Laplace
from quorate.mpc import expression, secret
from quorate.mpc.engine import Oracle
from quorate.mpc.secret import SecretArray, promised
from quorate.mpc.selection import argmax
from quorate.studies.noised import Vector
from quorate.studies.plan import Plan


def largest_of(plan: Plan, noisy: SecretArray) -> Iterator[SecretArray]:
    """Yield the places of the largest of each vector of which only these are revealed.

    `noisy` is all vectors with their noise, one after the other.
    """
    for vector, here in placed(plan):
        if vector.choices > 1:
            numbers = promised(noisy[here], _limit(plan, vector))
            yield argmax(numbers.reshape(vector.revealed, vector.choices), axis=1)


def steps_of(plan: Plan) -> int:
    """Return in how many steps the largest are looked for, known from the plan alone."""
    zeros = np.zeros(plan.numbers, np.uint64)
    total = secret.held(Oracle(plan.security), zeros, shape=zeros.shape, limit=1)
    return len(list(expression.steps([array.node for array in largest_of(plan, total)])))


def placed(plan: Plan) -> Iterator[tuple[Vector, slice]]:
    """Yield each vector, and where it stands among all numbers."""
    ends = np.cumsum([vector.size for vector in plan.vectors]).tolist()
    for vector, end in zip(plan.vectors, ends, strict=True):
        yield vector, slice(end - vector.size, end)


def _limit(plan: Plan, vector: Vector) -> int:
    """Return what no noisy number of rows exceeds."""
    if not isinstance(vector.mechanism, Laplace):
        raise TypeError("what is looked for among secrets has Laplace noise")
    rows = len(plan.members) * plan.study.max_rows
    return rows + (1 << geometric.bits_of_scale(vector.mechanism.scale, joint.PRECISION))
