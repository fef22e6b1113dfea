"""What models on shares say of real patients, beside what another library says: one comparison."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from quorate.models.newton import (
    Likeliest,
    improved,
    improvement,
    likeliest,
    start,
    uncertainty,
)
from quorate.models.outputs import Degenerate
from quorate.models.trained import Learned
from quorate.models.whitening import GRAM_BITS
from quorate.mpc.engine import Oracle
from quorate.mpc.secret import SecretArray, deal

MOST = 1000  # patients of all together

Floats = NDArray[np.float64]
Model = Callable[[SecretArray], SecretArray]


@dataclass(frozen=True, slots=True)
class Right:
    """What another library says."""

    estimates: Floats
    errors: Floats
    chances: Floats


@dataclass(frozen=True, slots=True)
class Line:
    """One model: the largest errors of estimates, standard errors and p."""

    model: str
    rows: int
    members: int
    errors: tuple[float | None, ...]


def climbed(
    sums: Callable[[Floats], Sequence[Floats]], columns: int, divisor: float, inner: Model
) -> Likeliest:
    search = start(columns)
    while not search.is_over:
        words = told(lambda t: improvement(inner(t)), sums(search.estimates), GRAM_BITS)
        after = improved(search, words)
        assert not isinstance(after, Degenerate)
        search = after
    words = told(lambda t: uncertainty(inner(t)), sums(search.estimates), GRAM_BITS)
    found = likeliest(search, words, divisor)
    assert isinstance(found, Likeliest)
    return found


def told(
    model: Model, parts: Sequence[NDArray[np.generic]], f: int, most: int = MOST
) -> NDArray[np.int64]:
    """Return what is revealed of everybody's parts."""

    async def run() -> NDArray[np.int64]:
        engine, whole = Oracle(), np.sum(np.array(parts), axis=0)
        limit = 1 if f else most
        given = await deal(engine, 0, whole, shape=whole.shape, limit=limit, fraction_bits=f)
        return np.asarray(await model(given).reveal(to=(0, 1, 2)), np.int64)

    return asyncio.run(run())


def halved(columns: Floats) -> tuple[Floats, Floats]:
    scale = 2.0 ** np.ceil(np.log2(np.abs(columns).max(axis=0)))
    return np.column_stack([np.ones(len(columns)), columns / scale]), np.append(1.0, scale)


def scaled(found: Likeliest | Learned, scale: Floats) -> Right:
    estimates, errors = found.estimates / scale, found.standard_errors / scale
    return Right(estimates, errors, 2 * stats.norm.sf(np.abs(estimates / errors)))


def right_of(found: object) -> Right:
    names = ("params", "bse", "pvalues")
    return Right(*(np.asarray(getattr(found, name), np.float64) for name in names))


def line_of(model: str, rows: int, members: int, found: Right, right: Right) -> Line:
    errors = (
        float(np.abs(found.estimates / right.estimates - 1).max()),
        float(np.abs(found.errors / right.errors - 1).max()),
        float(np.abs(found.chances - right.chances).max()),
    )
    return Line(model, rows, members, errors)
