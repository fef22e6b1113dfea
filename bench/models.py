"""Statistical models on shares, among three processes over TLS, beside the bars for them."""

import statistics
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from bench.markdown import table
from bench.trio import run_three
from quorate.models.linear import linear, moments
from quorate.models.logrank import compared
from quorate.models.quantiles import quantile
from quorate.models.trained import DESIGN_BITS, trained_in_blocks, training
from quorate.models.whitening import GRAM_BITS
from quorate.mpc.engine import Engine, Secure
from quorate.mpc.replicated import Committee, Security
from quorate.mpc.secret import SecretArray, deal
from quorate.mpc.selection import concatenate
from quorate.studies.points import Range, banded, scored, within_table

TEXT = """\
## Statistical models

Three processes over TLS. *Verified*: all work is verified, as a study asks for; *followed*: where
nobody deviates. What members add up in their own databases is not counted. Medians after one run
to warm up; of what takes minutes, one run.
"""

TIMES = 5
LONG_S = 20.0


@dataclass(frozen=True, slots=True)
class Work:
    """A model, and what it may take verified and followed, in seconds."""

    name: str
    run: Callable[[Engine], Awaitable[SecretArray]]
    bars: tuple[float, float]


def works() -> Iterator[Work]:
    """Yield what there are bars for."""
    yield Work("logrank test, 100,000 patients, 365 bins", _logrank, (2, 1))
    yield Work("median of 10,000,000 ages, 121 bins", _median, (2, 1))
    yield Work("linear regression, 1,000,000 × 20", _linear, (3, 1.5))
    yield Work("logistic regression, 569 × 30, no step shown", partial(_trained, 569, 30), (8, 4))
    yield Work("score of 100,000 patients, three parts, five bands", _score, (4, 2))
    yield Work(
        "logistic regression, 100,000 × 20, no step shown",
        partial(_trained, 100_000, 20),
        (120, 60),
    )


def section() -> str:
    """Run everything; return Markdown."""
    body = [
        (
            one.name,
            *(f"{_seconds(one, security):.2f} s, bar {bar:g} s" for security, bar in _both(one)),
        )
        for one in works()
    ]
    return "\n".join([TEXT, table(["model", "verified", "followed"], body)])


def _both(one: Work) -> list[tuple[Security, float]]:
    return [("malicious", one.bars[0]), ("semi-honest", one.bars[1])]


def _seconds(one: Work, security: Security) -> float:
    return max(run_three(partial(_timed, one.run), encrypted=True, security=security))


async def _timed(run: Callable[[Engine], Awaitable[SecretArray]], committee: Committee) -> float:
    taken: list[float] = []
    for i in range(TIMES + 1):
        engine = Secure(committee.at(f"run {i}"))
        started = time.perf_counter()
        await (await run(engine)).reveal(to=(0, 1, 2))
        taken.append(time.perf_counter() - started)
        if taken[0] > LONG_S:
            return taken[0]
    return statistics.median(taken[1:])


async def _logrank(engine: Engine) -> SecretArray:
    risk = np.linspace(50_000, 10_000, 365).astype(np.int64)
    counts = np.array([[risk // 900, risk], [risk // 1000, risk]])
    return compared(await _deal(engine, counts, limit=100_000))


async def _median(engine: Engine) -> SecretArray:
    counts = np.full(121, 10_000_000 // 121)
    return quantile(await _deal(engine, counts, limit=10_000_000), 1, 2).reshape(1)


async def _linear(engine: Engine) -> SecretArray:
    design, outcome = _rows(1000, 19)
    total = moments(design, outcome.astype(np.float64), 1 << 10)
    return linear(await _deal(engine, total, limit=1, f=GRAM_BITS))


async def _score(engine: Engine) -> SecretArray:
    points = np.arange(100_000) % 9
    parts = [
        await deal(engine, owner, points, shape=points.shape, limit=1 << 40) for owner in range(3)
    ]
    ranges = [Range(0, 8)] * 3
    bands = banded(scored(parts, ranges, 0), [7, 12, 15, 21])
    return concatenate([within_table(parts, ranges), bands])


async def _trained(rows: int, columns: int, engine: Engine) -> SecretArray:
    design, outcome = _rows(rows, columns)
    of = training(rows, columns + 1, 8, 0.0)
    return await trained_in_blocks(
        of,
        await _deal(engine, design, limit=1, f=DESIGN_BITS),
        await _deal(engine, outcome, limit=1),
    )


def _rows(count: int, columns: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return rows that are the same at everybody, spread evenly."""
    at = np.arange(count * columns, dtype=np.float64).reshape(count, columns)
    spread = (at * 0.6180339887498949 + at**2 * 1e-7) % 1 * 2 - 1
    design = np.column_stack([np.ones(count), spread])
    chance = 1 / (1 + np.exp(-design @ np.linspace(-1, 1, columns + 1)))
    return design, (np.arange(count) * 0.7548776662466927 % 1 < chance).astype(np.int64)


async def _deal(
    engine: Engine, values: NDArray[np.generic], *, limit: float, f: int = 0
) -> SecretArray:
    return await deal(engine, 0, values, shape=values.shape, limit=limit, fraction_bits=f)
