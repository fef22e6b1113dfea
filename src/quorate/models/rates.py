"""Rates of events per unit of time at risk, standardised directly to another population.

Of stratum i with d_i events in the time T_i, and public weights w_i that add up to W:

    rate = sum w_i d_i / T_i / W,    its variance sum w_i^2 d_i / T_i^2 / W^2

The variance is computed as a part of the rate's square, sum s_i^2 / d_i with s_i the
stratum's share of the rate: that neither rate nor time makes it small.

Adversary: that of the engine. Sums that members deal are not checked. Unreviewed.
"""

import numpy as np
from numpy.typing import NDArray

from quorate.models.moments import MEAN_BITS, mean
from quorate.models.products import brought, read, times, within
from quorate.models.ratios import at_least_one
from quorate.models.scaling import root_scale, scaled_by
from quorate.mpc.functions import divided
from quorate.mpc.secret import SecretArray
from quorate.mpc.selection import concatenate

SHARE_BITS = 28
STEPS = 14
MOST_WEIGHT = 1 << 20
"""Of all weights together."""


def standardised(
    events: SecretArray, time: SecretArray, weights: NDArray[np.int64]
) -> tuple[SecretArray, SecretArray, SecretArray]:
    """Return W times the rate with MEAN_BITS, its relative variance with SHARE_BITS, and a bit.

    Every stratum has no more events than units of time, and the bit, 0 or 1, says whether
    also each has time, and any an event. Errors: 2^-27 of the rate, 2^-24 of the variance.
    """
    rates = within(mean(events, at_least_one(time)), 1)
    parts = within(rates * weights, MOST_WEIGHT)
    whole = within(parts.sum(), MOST_WEIGHT)
    relative = read(concatenate([parts, whole.reshape(1)]), MEAN_BITS + 20)
    relative = within(relative, 1)
    scale = root_scale(relative[-1], steps=STEPS)
    even = scaled_by(scaled_by(relative, scale, bound=2), scale, bound=2)
    even = within(brought(even, SHARE_BITS), 1)
    nothing = (even[-1] < 2.0**-4) + 0
    shares = within(divided(even[:-1], even[-1] + nothing, at_least=2.0**-4), 1)
    squares = within(times(shares, shares, bound=1, f=SHARE_BITS), 1)
    variance = divided(squares, at_least_one(events), at_least=1).sum()
    short = ((time < 1) | (time < events)).sum()
    sound = times((short < 1) + 0, (events.sum() > 0) + 0, bound=1, f=0)
    return whole, brought(variance, SHARE_BITS), sound
