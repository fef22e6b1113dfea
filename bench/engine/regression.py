"""Logistic regression on 569 patients: nobody sees a patient, nor the model before the end."""

import numpy as np

from bench.inputs import FRACTION_BITS, RATE, Ints, batches, patients, right, trained
from quorate.algebra.ring import Words, to_signed
from quorate.mpc import replicated
from quorate.mpc.cost import Cost
from quorate.mpc.engine import Engine, Oracle, Secure
from quorate.mpc.expression import Held, node
from quorate.mpc.functions import sigmoid
from quorate.mpc.replicated import Committee, Share
from quorate.mpc.secret import SecretArray, promised

UNIT = 1 << FRACTION_BITS
LARGEST, LARGEST_WEIGHT, LARGEST_SUM = 16, 4, 32
"""Bounds on standardised measurements, on weights, and on a patient's weighted sum."""

OFF_BY = UNIT >> 7
"""Weights, of which the largest is about 0.5, may be off by less than 0.008."""


def words() -> tuple[Ints, Ints]:
    given = patients()
    scaled = (np.rint(part * UNIT).astype(np.int64) for part in (given.x, given.benign))
    x, benign = scaled
    return x, benign


async def train(committee: Committee, x: Share, benign: Share) -> Share:
    """Return shares of the weights after all steps."""
    weights = await _weights(Secure(committee), x, benign).compute()
    held = weights.node.operation
    assert isinstance(held, Held)
    assert isinstance(held.value, Share)
    return held.value


def cost() -> Cost:
    """Return what the plan of the training says before anything runs."""
    x, benign = (part.view(np.uint64) for part in words())
    return _weights(Oracle("semi-honest"), x, benign).cost()


def plain(_: Ints, __: Ints) -> Ints:
    return np.rint(trained(patients()) * UNIT).astype(np.int64)


async def model(committee: Committee) -> Ints:
    """Deal, train, reveal: return the weights as words."""
    shares = [
        await replicated.deal(committee, owner, part.view(np.uint64))
        for owner, part in enumerate(words())
    ]
    found = await replicated.reveal(committee, await train(committee, *shares), range(3))
    assert found is not None
    return to_signed(found)


def right_of(weights: Ints) -> int:
    """Return how many patients a model, as words, puts on the right side."""
    return right(patients(), weights / UNIT)


def _weights(engine: Engine, x_words: Share | Words, benign_words: Share | Words) -> SecretArray:
    x = _held(engine, x_words, LARGEST)
    benign = _held(engine, benign_words, 1)
    weights = SecretArray(engine, (x[0] * 0).node)
    for rows in batches(len(x)):
        here, steps = x[rows], rows.stop - rows.start
        error = sigmoid(promised(here @ weights, LARGEST_SUM * UNIT)) - benign[rows]
        weights = promised(weights - here.T @ error * (RATE / steps), LARGEST_WEIGHT * UNIT)
    return weights


def _held(engine: Engine, value: Share | Words, largest: int) -> SecretArray:
    leaf = node(Held(value), [], value.shape, largest * UNIT, FRACTION_BITS)
    return SecretArray(engine, leaf)
