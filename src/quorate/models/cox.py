"""Proportional hazards on binned time: what a member adds up, and what is done with the sums.

Time is cut into bins that the plan declares; events in one bin are tied. At public coefficients
b, with e = exp(X b - c), c public and so large that e <= 1, member i adds up over those at risk at
the start of bin j, and, for Efron's ties, over those with an event in it (D0, D1, D2),

    S0_j = sum e,    S1_j = sum e x,    S2_j = sum e x x^T,    d_j events,    E = sum x of events

each over D, a power of two and at least twice the number of patients of all together. Of
everybody's sums, in shares, come the gradient and the information of [Cox72]. As [Bre74] has
ties, with the means r_j = S1_j / S0_j and R_j = S2_j / S0_j,

    g = E - sum d_j r_j,    H = sum d_j (R_j - r_j r_j^T)

As [Efr77] has them, the i-th event from a bin's last is compared with the survivors and with i / d
of those with an event: a mean b v + (1 - b) u of their means v and u, with b of `ties`. So

    g = E - sum (B1 v + (d - B1) u)
    H = sum (B1 V + (d - B1) U - B2 v v^T - (B1 - B2)(v u^T + u v^T) - (d - 2 B1 + B2) u u^T)

Both go to `newton`. Nothing of a bin is revealed. Work depends on the bins, not on patients.

Adversary: that of the engine. What members deal is not checked. Unreviewed.
"""

from dataclasses import dataclass
from enum import StrEnum
from math import ceil, log2

import numpy as np
from numpy.typing import NDArray

from quorate.models.outputs import Floats
from quorate.models.products import brought, matmul, read, times, within
from quorate.models.scaling import HALF_BITS, ratios, root_scale, scaled_by
from quorate.models.ties import LEAST_BITS, surviving
from quorate.models.whitening import GRAM_BITS
from quorate.mpc.secret import SecretArray
from quorate.mpc.selection import concatenate

SCALE_STEPS = 16
"""Sums of those at risk are told apart from nothing down to 2^-34 of all patients."""


class Ties(StrEnum):
    """How events of one bin are compared."""

    EFRON = "efron"
    BRESLOW = "breslow"


@dataclass(frozen=True, slots=True)
class Followed:
    """One member's patients: columns at most 1, the bin each was last seen in, and if by event."""

    design: Floats
    bin: NDArray[np.int64]
    event: NDArray[np.bool_]


def divisor_of(rows: int) -> float:
    """Return D for at most `rows` patients of all together."""
    return 2.0 ** max(ceil(log2(2 * rows)), LEAST_BITS)


def dealt_columns(columns: int, ties: Ties) -> int:
    """Return how many numbers a member deals of a bin."""
    moments = 1 + columns + columns**2
    return moments * (1 + (ties == Ties.EFRON)) + 1 + columns


def risk_sums(
    people: Followed, estimates: Floats, bins: int, divisor: float, ties: Ties = Ties.EFRON
) -> Floats:
    """Return what a member deals: (bins, 2 + 2 p + p p), S0, d, S1, S2, and E in the first.

    For Efron's ties D0, D1, D2 follow.
    """
    p = people.design.shape[1]
    largest = float(np.abs(estimates).sum())
    hazard = np.exp(people.design @ estimates - largest)
    squares = people.design[:, :, None] * people.design[:, None, :]
    weighed = np.column_stack([np.ones(len(hazard)), people.design, squares.reshape(-1, p * p)])
    weighed = weighed * hazard[:, None]
    sums, dying = np.zeros((2, bins, 1 + p + p * p))
    np.add.at(sums, people.bin, weighed)
    np.add.at(dying, people.bin[people.event], weighed[people.event])
    at_risk = sums[::-1].cumsum(axis=0)[::-1]
    events = np.bincount(people.bin[people.event], minlength=bins)
    explained = np.zeros((bins, p))
    explained[0] = people.design[people.event].sum(axis=0)
    dealt = [at_risk[:, :1], events, at_risk[:, 1:], explained]
    dealt += [dying] if ties == Ties.EFRON else []
    return np.asarray(np.column_stack(dealt) / divisor, np.float64)


def partial_likelihood(total: SecretArray, columns: int) -> SecretArray:
    """Return [H g] (p, p + 1), 60 bits of fraction, of everybody's sums, ties as [Bre74] has them.

    `total` has 60 bits of fraction, entries at most 1.

    Cost, 12 bins: 75 rounds, hardly more for more; nothing is revealed
    """
    p, events = columns, brought(total[:, 1:2], HALF_BITS)
    first, second = _means(_moments(total, p), p)
    expected = matmul(events.T, first, bound=1, f=GRAM_BITS)
    spread = matmul(times(first, events, bound=1, f=HALF_BITS).T, first, bound=1, f=GRAM_BITS)
    squares = matmul(events.T, second, bound=1, f=GRAM_BITS)
    return _equations(total, squares, spread, expected, p)


def efron_likelihood(total: SecretArray, columns: int, divisor: float) -> SecretArray:
    """Return the same, ties as [Efr77] has them, for what members divided by `divisor`.

    Cost, 12 bins: 181 rounds, hardly more for more; nothing is revealed
    """
    p, bits = columns, round(log2(divisor))
    at_risk, dying = _moments(total, p), total[:, 2 + 2 * p + p * p :]
    alive = within(at_risk - dying, 1)
    scale = root_scale(at_risk[:, :1], steps=SCALE_STEPS)
    staying, leaving = (_scaled(one, scale) for one in (alive[:, :1], dying[:, :1]))
    events = brought(read(total[:, 1:2], GRAM_BITS - bits), 0)
    of = surviving(staying, leaving, events, bits)
    deaths = brought(total[:, 1:2], HALF_BITS)
    (v, live), (u, dead) = (_means(one, p) for one in (alive, dying))
    mixed = within(of.first - of.second, 1)
    fallen = within(deaths - of.first, 1)
    weights = concatenate([of.first, fallen])
    expected = matmul(weights.T, concatenate([v, u]), bound=1, f=GRAM_BITS)
    squares = matmul(weights.T, concatenate([live, dead]), bound=1, f=GRAM_BITS)
    parts = [(v, of.second), (u, mixed), (v, mixed), (u, within(fallen - mixed, 1))]
    one, other, third, last = (times(x, w, bound=1, f=HALF_BITS) for x, w in parts)
    sides = within(concatenate([one + other, third + last]), 1)
    spread = matmul(sides.T, concatenate([v, u]), bound=1, f=GRAM_BITS)
    return _equations(total, squares, spread, expected, p)


def _moments(total: SecretArray, p: int) -> SecretArray:
    """Return S0, S1, S2 of each bin."""
    return concatenate([total[:, :1], total[:, 2 : 2 + p + p * p]], axis=1)


def _means(moments: SecretArray, p: int) -> tuple[SecretArray, SecretArray]:
    """Return means of x and of x x^T; of no hazard some numbers of at most 2."""
    even = _scaled(moments, root_scale(moments[:, :1], steps=SCALE_STEPS))
    means = ratios(even[:, 1:], even[:, :1])
    return means[:, :p], means[:, p:]


def _scaled(moments: SecretArray, scale: SecretArray) -> SecretArray:
    return brought(scaled_by(scaled_by(moments, scale, bound=1), scale, bound=1), HALF_BITS)


def _equations(
    total: SecretArray, squares: SecretArray, spread: SecretArray, expected: SecretArray, p: int
) -> SecretArray:
    explained = total[:1, 2 + p + p * p : 2 + 2 * p + p * p]
    gradient = within(explained - expected, 1).reshape(p, 1)
    return concatenate([within(squares.reshape(p, p) - spread, 1), gradient], axis=1)
