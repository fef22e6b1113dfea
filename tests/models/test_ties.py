"""Efron's ties with a number of events that nobody knows: the sums themselves, and their cost."""

import numpy as np
import pytest
from numpy.typing import NDArray

from quorate.models.products import brought, read, within
from quorate.models.scaling import HALF_BITS
from quorate.models.ties import Surviving, surviving
from quorate.mpc.secret import SecretArray, promised
from quorate.mpc.selection import concatenate
from tests.contract.test_engine import ENGINES
from tests.models.engines import answered, assert_costs_what_it_says

Floats = NDArray[np.float64]
BITS = 21
UNIT = 2.0 ** (BITS - HALF_BITS)
EVENTS = (0, 1, 2, 3, 7, 8, 9, 10, 30, 1000, 100_000, 1 << 20)
PARTS = (1e-6, 1e-3, 0.05, 0.3, 0.5, 0.9, 0.99, 0.99999, 1.0)
"""Of the hazard of all at risk, what those with an event have."""


def given(events: tuple[int, ...], parts: tuple[float, ...]) -> NDArray[np.int64]:
    """Return hazards of survivors and of those with an event, and how many these are."""
    of, part = (one.reshape(-1) for one in np.meshgrid(np.array(events), np.array(parts)))
    whole = 0.25 + 0.7 * (np.arange(of.size) * 0.618 % 1)
    dying = np.where(of > 0, whole * part, 0)
    hazards = np.rint(np.array([whole - dying, dying]) * 2.0**HALF_BITS)
    return np.column_stack([*hazards.astype(np.int64), of])


def words(columns: SecretArray) -> SecretArray:
    alive, dying = (within(read(columns[:, i : i + 1], HALF_BITS), 1) for i in range(2))
    found: Surviving = surviving(alive, dying, promised(columns[:, 2:], 1 << (BITS - 1)), BITS)
    return concatenate([read(found.first, 0), read(found.second, 0)], axis=1)


def right(columns: NDArray[np.int64], power: int) -> Floats:
    sums = []
    for alive, dying, events in columns.astype(float).tolist():
        i = np.arange(1, events + 1)
        parts = events * alive / np.maximum(events * alive + i * dying, 1e-300)
        sums.append(float((parts**power).sum()))
    return np.array(sums)


@pytest.mark.parametrize("engine", ["oracle", "three parties that check"])
def test_sums_over_ties_are_those_of_every_single_event(engine: str) -> None:
    events = EVENTS if engine == "oracle" else (0, 1, 3, 9, 1000)
    columns = given(events, PARTS)
    found = answered(ENGINES[engine], words, columns, limit=1 << HALF_BITS) * UNIT
    for power in (1, 2):
        wrong = np.abs(found[:, power - 1] - right(columns, power))
        assert (wrong <= 3 * UNIT + 1e-6 * columns[:, 2]).all()


def test_costs_what_it_says() -> None:
    columns = given((0, 1, 9), (0.1, 1.0))
    rounds = assert_costs_what_it_says(
        lambda x: brought(words(x), 0), columns, "semi-honest", limit=1 << HALF_BITS
    )
    assert rounds == 144  # the figure of the docstring
