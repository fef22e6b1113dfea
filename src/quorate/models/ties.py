"""Efron's ties: how much those who survive a bin weigh while those with an event in it leave.

Of d events in a bin the i-th from the last [Efr77] is compared with the survivors, whose hazards
add up to V, and with i / d of those with an event, whose hazards add up to D. The survivors' part
of these is, with rho = d V / D,

    b_i = d V / (d V + i D) = rho / (rho + i),    B1 = sum b_i,    B2 = sum b_i^2    (i = 1..d)

d is secret. The first FEW terms are computed each, and count where i <= d. What is left, n terms
after a = FEW + 1/2, is an integral with its first correction [Kno47], of y = rho / (rho + a)
and x = (rho + a) / (rho + a + n):

    B1 rest = n y (-x ln x / (1 - x)) - y (1 - y) / a (1 - x^2) / 24
    B2 rest = n y^2 x - y^2 (1 - y) / a (1 - x^3) / 12

which is nothing where n = 0, and wrong by less than 2^-19 otherwise. Nothing is divided by what
may be small: d V + i D is at least an eighth where there is an event, of all at risk 1/4 to 1.

Adversary: that of the engine. Unreviewed.
"""

from dataclasses import dataclass

import numpy as np

from quorate.models.outputs import Floats
from quorate.models.products import brought, read, times, within
from quorate.models.scaling import HALF_BITS, ratios, root_scale, scaled_by
from quorate.mpc.functions import log, piecewise
from quorate.mpc.secret import SecretArray
from quorate.mpc.selection import concatenate

CURVE_BITS = 24
FARTHEST = 17.0
"""The most of -ln x of numbers of 2^-24 or more."""

UNSURE = 2.0**-20

FEW = 8
AFTER = FEW + 1 / 2
LEAST_BITS = 5
"""Of the most events and twice as many, so that FEW more are less than twice as many."""


@dataclass(frozen=True, slots=True)
class Surviving:
    """Secret B1 and B2 of each bin (bins, 1), over 2^bits, with 30 bits of fraction."""

    first: SecretArray
    second: SecretArray


def surviving(alive: SecretArray, dying: SecretArray, events: SecretArray, bits: int) -> Surviving:
    """Return the survivors' parts for hazards of 1/4 to 1 together, (bins, 1).

    `events` are integers of at most 2^(bits - 1); `bits` are 5 or more.

    Cost, 27 bins, 21 bits: 144 rounds, hardly more for more; nothing is revealed
    """
    most = 2.0 ** (bits - 1)
    whole = times(alive, events, bound=most, f=HALF_BITS)
    counts = (events >= np.arange(1, FEW + 1)) + 0
    left = within(events - counts.sum(axis=1).reshape(-1, 1), most)
    twice = np.append(2 * np.arange(1, FEW + 1), 2 * FEW + 1)
    above = whole * np.full(FEW + 1, 2)
    near = above + dying * twice
    far = near[:, FEW:] + times(dying, left, bound=most, f=HALF_BITS) * 2
    parts = _parts([above, near[:, FEW:]], [near, far], bits)
    few = times(parts[:, :FEW], counts, bound=1, f=HALF_BITS)
    y, x = parts[:, FEW : FEW + 1], within(parts[:, FEW + 1 :], 1)
    first, second = _rest(y, x, left, most)
    squares = times(few, few, bound=1, f=HALF_BITS)
    return Surviving(_over(few, first, bits), _over(squares, second, bits))


def _parts(above: list[SecretArray], below: list[SecretArray], bits: int) -> SecretArray:
    """Return quotients of at most 1 of numbers of 1/4 to 2^(bits + 1), or 0 over 0."""
    num, den = (
        within(read(concatenate(some, axis=1), HALF_BITS + bits + 1), 1) for some in (above, below)
    )
    scale = root_scale(den, steps=(bits + 4) // 2)
    even = [scaled_by(scaled_by(one, scale, bound=1), scale, bound=1) for one in (num, den)]
    return ratios(*(brought(one, HALF_BITS) for one in even))


def _rest(
    y: SecretArray, x: SecretArray, left: SecretArray, most: float
) -> tuple[SecretArray, SecretArray]:
    """Return what the terms after the first few add to B1 and B2."""
    y = within(y, 1)
    length = -log(brought(x, CURVE_BITS) + 2.0**-CURVE_BITS)
    curve = brought(piecewise(length, weighed, -UNSURE, FARTHEST), HALF_BITS)
    square = times(x, x, bound=1, f=HALF_BITS)
    cube = times(square, x, bound=1, f=HALF_BITS)
    place = times(y, 1 - y, bound=1 / 4, f=HALF_BITS)
    again = times(place, y, bound=1 / 4, f=HALF_BITS)
    parts = [times(y, curve, bound=1, f=HALF_BITS)]
    parts.append(times(times(y, y, bound=1, f=HALF_BITS), x, bound=1, f=HALF_BITS))
    first, second = (times(part, left, bound=most, f=HALF_BITS) for part in parts)
    edges = [times(place, 1 - square, bound=1 / 4, f=HALF_BITS) * (1 / (24 * AFTER))]
    edges.append(times(again, 1 - cube, bound=1 / 4, f=HALF_BITS) * (1 / (12 * AFTER)))
    return within(first - edges[0], most), within(second - edges[1], most)


def _over(few: SecretArray, rest: SecretArray, bits: int) -> SecretArray:
    """Return the sum over 2^bits."""
    whole = within(few.sum(axis=1).reshape(-1, 1) + rest, 2.0 ** (bits - 1) + FEW)
    share = read(whole, HALF_BITS + bits) + 2.0 ** -(HALF_BITS + 1)  # cut off evenly
    return within(brought(share, HALF_BITS), 1)


def weighed(length: Floats) -> Floats:
    """Return -x ln x / (1 - x) of -ln x: t / (e^t - 1), which is 1 at 0."""
    some = np.where(np.abs(length) < UNSURE / 4, UNSURE / 4, length)
    curve: Floats = some / np.expm1(some)
    return curve
