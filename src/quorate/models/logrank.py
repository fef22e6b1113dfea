"""The logrank test of two groups whose patients are split between members.

Time is cut into bins that the plan declares. Each member counts in each bin, per group, the
events d and those at risk n at its start. Of everybody's sums, with d = d_1 + d_2, n = n_1 + n_2:

    U = sum d_1 - d p,    V = sum d p (1 - p) (n - d) / (n - 1),    p = n_1 / n,    chi^2 = U^2 / V

[Man66]; V is the variance of the hypergeometric distribution. Revealed are chi^2, and whether
V is too small for it to mean anything, and none of the counts. Work and messages depend
on the bins, and not on how many patients there are.

Events that fall into one bin count as tied, so the bins are part of the statistic.

Adversary: that of the engine. Counts that members deal are not checked. Unreviewed.
"""

import numpy as np
from numpy.typing import NDArray

from quorate.errors import OutOfRange
from quorate.models.outputs import Degenerate, Floats, heard, said
from quorate.models.products import brought, read, times, total, within
from quorate.models.ratios import ratio
from quorate.models.scaling import root_scale, scaled_by
from quorate.mpc.functions import divided, sqrt
from quorate.mpc.secret import SecretArray

MOST_PATIENTS = 1 << 20
UNIT_BITS = 30
SCORE_BITS = 22
HALF_SPREAD = 9
"""V is below 4^9: a quarter of the patients."""

SCALE_STEPS = 12
LEAST_VARIANCE = 2.0**-7
"""A test of less than this means nothing: a single event between groups of 1 and 128."""

ROOT_BITS = 18
CHI_BITS = 2 * ROOT_BITS


def compared(counts: SecretArray) -> SecretArray:
    """Return what is revealed, 2 words for `read_logrank`; nothing is revealed here.

    `counts` are integers (2, 2, bins): of each group the events, and those at risk; at most
    2^20 patients. Raises `OutOfRange` if there may be more.

    Cost, at most 100 patients: 147 rounds, hardly more for more; bytes grow with the bins
    """
    if counts.node.limit > MOST_PATIENTS:
        raise OutOfRange("a logrank test takes at most 1,048,576 patients")
    events, risk = counts[:, 0], counts[:, 1]
    score, variance = _score(events, risk)
    relative = read(variance, SCORE_BITS + 2 * HALF_SPREAD)
    scale = root_scale(relative, steps=SCALE_STEPS)
    even = scaled_by(scaled_by(relative, scale, bound=2.0**13), scale, bound=2.0**13)
    root = sqrt(within(brought(even, SCORE_BITS), 1))
    scaled = scaled_by(score, scale, bound=MOST_PATIENTS * 2.0**SCALE_STEPS)
    side = within(brought(read(scaled, SCORE_BITS + HALF_SPREAD), SCORE_BITS), 2.0**10)
    z = brought(divided(side, root, at_least=0.5), ROOT_BITS)
    chi = times(z, z, bound=2.0**22, f=CHI_BITS)
    return said([chi], variance > LEAST_VARIANCE)


def _score(events: SecretArray, risk: SecretArray) -> tuple[SecretArray, SecretArray]:
    """Return U and V, with 22 bits of fraction."""
    d, n = events[0] + events[1], risk[0] + risk[1]
    none, one = (n < 1) + 0, (n < 2) + 0
    first = brought(ratio(risk[0], n + none), UNIT_BITS)
    left = brought(ratio(n - d, n - 1 + none + one), UNIT_BITS)
    expected = total(times(d, first, bound=MOST_PATIENTS, f=UNIT_BITS), 0, bound=MOST_PATIENTS)
    spread = times(first, within(1 - first, 1), bound=1, f=UNIT_BITS)
    variances = times(d, times(spread, left, bound=1, f=UNIT_BITS), bound=2.0**19, f=UNIT_BITS)
    variance = within(total(variances, 0, bound=2.0**19), 4.0**HALF_SPREAD)
    return brought(events[0].sum() - expected, SCORE_BITS), brought(variance, SCORE_BITS)


def read_logrank(words: NDArray[np.int64]) -> float | Degenerate:
    """Return chi squared with one degree of freedom, as it was revealed."""
    parts = heard(words, [1], [CHI_BITS])
    return Degenerate.NO_EVENTS if parts is None else float(parts[0][0])


def plain(counts: Floats) -> tuple[float, float]:
    """Return U and V of counts in the clear (2, 2, bins): the oracle."""
    events, risk = counts[:, 0], counts[:, 1]
    d, n = events.sum(axis=0), risk.sum(axis=0)
    first = risk[0] / np.maximum(n, 1)
    left = (n - d) / np.maximum(n - 1, 1)
    score = (events[0] - d * first).sum()
    return float(score), float((d * first * (1 - first) * left).sum())
