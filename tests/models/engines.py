"""Run a model on every engine: what it says, and what it costs."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from quorate.mpc.engine import Engine, Secure
from quorate.mpc.replicated import Security
from quorate.mpc.secret import SecretArray, deal
from quorate.mpc.selection import concatenate
from tests.contract.test_engine import Run
from tests.mpc.committee import measured

Model = Callable[[SecretArray], SecretArray]
Words = NDArray[np.int64]


def answered(
    run: Run, model: Model, values: NDArray[np.generic], *, limit: float, f: int = 0
) -> Words:
    """Return the words that a model reveals of what each of three owners holds a part of."""

    async def program(engine: Engine) -> list[Words]:
        return [await _revealed(engine, model, values, limit, f)]

    (words,) = run(program)
    return np.asarray(words, np.int64)


def assert_costs_what_it_says(
    model: Model, values: NDArray[np.generic], security: Security, *, limit: float, f: int = 0
) -> int:
    """Return the rounds declared: no more are counted, and just the bytes that were declared.

    They are fewer where a party's part of a step is over before that of others.
    """
    declared = []

    async def compute(engine: Engine) -> None:
        given = await _dealt(engine, values, limit, f)
        out = model(given)
        declared.append(out.cost())
        await out.compute()

    counted = measured(lambda committee: compute(Secure(committee)), security)
    dealing = measured(lambda committee: _dealt(Secure(committee), values, limit, f), security)
    assert 0 < counted.rounds - dealing.rounds <= declared[0].rounds
    sent = zip(declared[0].bytes_sent, dealing.bytes_sent, strict=True)
    assert counted.bytes_sent == tuple(a + b for a, b in sent)
    return declared[0].rounds


async def _revealed(
    engine: Engine, model: Model, values: NDArray[np.generic], limit: float, f: int
) -> Words:
    words = await model(await _dealt(engine, values, limit, f)).reveal(to=(0, 1, 2))
    assert words is not None
    return np.asarray(words, np.int64)


async def _dealt(engine: Engine, values: NDArray[np.generic], limit: float, f: int) -> SecretArray:
    """Deal values in three parts, one by each party."""
    parts = np.array_split(values.reshape(-1), 3)
    dealt = [
        await deal(
            engine,
            owner,
            part if engine.holds(owner) else None,
            shape=part.shape,
            limit=limit,
            fraction_bits=f,
        )
        for owner, part in enumerate(parts)
    ]
    return concatenate(dealt).reshape(*values.shape)
