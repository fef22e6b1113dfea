"""Proportional hazards on binned time: what a member adds up, and what is done with the sums.

Time is cut into bins that the plan declares; events in one bin are tied, as [Bre74] has it.
At public coefficients b, with e = exp(X b - c), c public and so large that e <= 1, member i adds
up over those at risk at the start of bin j, and over those with an event in it,

    S0_j = sum e,    S1_j = sum e x,    S2_j = sum e x x^T,    d_j events,    E = sum x of events

each over D, twice the number of patients of all together. Of everybody's sums, in shares, with the
means r_j = S1_j / S0_j, come the gradient and the information of [Cox72],

    g = E - sum d_j r_j,    H = sum d_j (S2_j / S0_j - r_j r_j^T)

which go to `newton`. Nothing of a bin is revealed. Work depends on the bins, not on patients.

Adversary: that of the engine. What members deal is not checked. Unreviewed.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quorate.models.outputs import Floats
from quorate.models.products import brought, matmul, times, within
from quorate.models.scaling import root_scale, scaled_by
from quorate.models.whitening import GRAM_BITS
from quorate.mpc.functions import reciprocal
from quorate.mpc.secret import SecretArray
from quorate.mpc.selection import concatenate

HALF_BITS = 30
INVERSE_BITS = 28
LEAST = 1 / 4
SCALE_STEPS = 16
"""Sums of those at risk are told apart from nothing down to 2^-34 of all patients."""


@dataclass(frozen=True, slots=True)
class Followed:
    """One member's patients: columns at most 1, the bin each was last seen in, and if by event."""

    design: Floats
    bin: NDArray[np.int64]
    event: NDArray[np.bool_]


def risk_sums(people: Followed, estimates: Floats, bins: int, divisor: float) -> Floats:
    """Return what a member deals, (bins, 2 + p + p p + p): S0, d, S1, S2, and E in the first."""
    p = people.design.shape[1]
    largest = float(np.abs(estimates).sum())
    hazard = np.exp(people.design @ estimates - largest)
    squares = people.design[:, :, None] * people.design[:, None, :]
    weighed = np.column_stack([np.ones(len(hazard)), people.design, squares.reshape(-1, p * p)])
    sums = np.zeros((bins, 1 + p + p * p))
    np.add.at(sums, people.bin, weighed * hazard[:, None])
    at_risk = sums[::-1].cumsum(axis=0)[::-1]
    events = np.bincount(people.bin[people.event], minlength=bins)
    explained = np.zeros((bins, p))
    explained[0] = people.design[people.event].sum(axis=0)
    dealt = np.column_stack([at_risk[:, :1], events, at_risk[:, 1:], explained])
    return np.asarray(dealt / divisor, np.float64)


def partial_likelihood(total: SecretArray, columns: int) -> SecretArray:
    """Return [H g] (p, p + 1), 60 bits of fraction, of the sum of everybody's `risk_sums`.

    `total` has 60 bits of fraction, entries at most 1.

    Cost, 12 bins: 75 rounds, hardly more for more; nothing is revealed
    """
    p = columns
    at_risk, events = total[:, :1], brought(total[:, 1:2], HALF_BITS)
    scale = root_scale(at_risk, steps=SCALE_STEPS)
    sums = concatenate([at_risk, total[:, 2 : 2 + p + p * p]], axis=1)
    even = brought(scaled_by(scaled_by(sums, scale, bound=1), scale, bound=1), HALF_BITS)
    means = _ratios(even[:, 1:], even[:, :1])
    first, second = means[:, :p], means[:, p:]
    expected = matmul(events.T, first, bound=1, f=GRAM_BITS)
    spread = matmul(times(first, events, bound=1, f=HALF_BITS).T, first, bound=1, f=GRAM_BITS)
    squares = matmul(events.T, second, bound=1, f=GRAM_BITS).reshape(p, p)
    gradient = within(total[:1, 2 + p + p * p :] - expected, 1).reshape(p, 1)
    return concatenate([within(squares - spread, 1), gradient], axis=1)


def _ratios(x: SecretArray, y: SecretArray) -> SecretArray:
    """Return x / y for |x| <= y and 1/4 <= y < 1; about 2 x where nobody is at risk."""
    safe = within(y + (y < LEAST) * (1 / 2), 1.5)
    rough = within(brought(reciprocal(safe, at_least=LEAST), INVERSE_BITS), 4.5)
    left = 2 - times(safe, rough, bound=1.5, f=INVERSE_BITS)
    inverse = times(rough, left, bound=4.5, f=INVERSE_BITS)
    return times(x, inverse, bound=1.5, f=HALF_BITS)
