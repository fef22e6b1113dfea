"""Survival curves of groups, by Kaplan and Meier, of patients split between members.

Time is cut into bins that the plan declares. Each member counts in each bin, per group, the
events d and those at risk n at its start. Of everybody's sums [KM58], and [Gre26] for the variance:

    S_j = prod (1 - d_i / n_i),    G_j = sum d_i / (n_i (n_i - d_i)),    i <= j

A bin is shown only if at its start at least `min_cell` are at risk, and at least `min_cell`
events have happened since the last bin that was shown; the curve stays level in between, as if
the events came late. Of a bin that is shown S, G and n are revealed; of the others, that
they are not shown. Those who left without an event are not counted by this rule.

Adversary: that of the engine. Counts that members deal are not checked. Unreviewed.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quorate.models.outputs import Floats
from quorate.models.products import brought, read, times, within
from quorate.models.ratios import RATIO_BITS, at_least_one, ratio
from quorate.mpc.functions import divided
from quorate.mpc.secret import SecretArray, promised
from quorate.mpc.selection import concatenate

CURVE_BITS = 30


@dataclass(frozen=True, slots=True)
class Curve:
    """One group's curve where it is shown: bins, survival, its standard error, number at risk."""

    bins: tuple[int, ...]
    survival: tuple[float, ...]
    standard_error: tuple[float, ...]
    at_risk: tuple[int, ...]


def kaplan_meier(counts: SecretArray, min_cell: int) -> SecretArray:
    """Return what is revealed, 4 words a bin for `read_curves`; nothing is revealed here.

    `counts` are integers (groups, 2, bins): events, and those at risk; at most 2^20 patients.
    Rounds grow with the bins: which are shown is decided one after the other.
    """
    events, risk = counts[:, 0], counts[:, 1]
    shown = _shown(events, risk, min_cell)
    left = brought(ratio(risk - events, at_least_one(risk)), CURVE_BITS)
    nobody = (risk < 1) + 0
    survival = _products(within(left + nobody, 1))
    share = ratio(events, at_least_one(risk))
    terms = divided(share, at_least_one(risk - events), at_least=1)
    variance = within(terms, 1).cumsum(axis=1)
    numbers = [read(survival, 0), read(brought(variance, RATIO_BITS), 0), risk]
    shape = (1, *risk.shape)
    parts = [promised(one * shown, one.node.limit).reshape(*shape) for one in numbers]
    return concatenate([*parts, shown.reshape(*shape)]).reshape(4 * risk.size)


def read_curves(words: NDArray[np.int64], groups: int) -> tuple[Curve, ...]:
    """Return the curves that were revealed of `kaplan_meier`, of each group."""
    survival, variance, risk, shown = words.reshape(4, groups, -1)
    return tuple(_curve(*rows) for rows in zip(survival, variance, risk, shown == 1, strict=True))


def _curve(
    survival: NDArray[np.int64],
    variance: NDArray[np.int64],
    risk: NDArray[np.int64],
    shown: NDArray[np.bool_],
) -> Curve:
    height = survival[shown] / 2.0**CURVE_BITS
    error = height * np.sqrt(np.maximum(variance[shown], 0) / 2.0**RATIO_BITS)
    bins = np.flatnonzero(shown)
    return Curve(
        tuple(bins.tolist()),
        tuple(height.tolist()),
        tuple(error.tolist()),
        tuple(risk[shown].tolist()),
    )


def _shown(events: SecretArray, risk: SecretArray, min_cell: int) -> SecretArray:
    """Return 1 where a bin is shown, else 0."""
    enough, most = (risk >= min_cell) + 0, events.node.limit * events.shape[1]
    waiting, shown = None, []
    for at in range(events.shape[1]):
        since = events[:, at] if waiting is None else promised(waiting + events[:, at], most)
        now = promised((since >= min_cell) * enough[:, at], 1)
        waiting = promised(since * (1 - now), most)
        shown.append(now.reshape(-1, 1))
    return concatenate(shown, axis=1)


def _products(factors: SecretArray) -> SecretArray:
    """Return the products of all factors up to each, along the last axis, by doubling."""
    step = 1
    while step < factors.shape[1]:
        later = times(factors[:, step:], factors[:, :-step], bound=1, f=CURVE_BITS)
        factors = concatenate([factors[:, :step], later], axis=1)
        step *= 2
    return factors


def plain(events: Floats, risk: Floats, min_cell: int) -> tuple[Floats, Floats, Floats]:
    """Return S, G and n of counts in the clear (groups, bins), nan where not shown: the oracle."""
    height = np.asarray(np.cumprod(1 - events / np.maximum(risk, 1), axis=1), np.float64)
    left = np.maximum(risk - events, 1)
    variance: Floats = np.cumsum(events / (np.maximum(risk, 1) * left), axis=1)
    shown, waiting = np.zeros(events.shape, np.bool_), np.zeros(len(events))
    for at in range(events.shape[1]):
        waiting = waiting + events[:, at]
        shown[:, at] = (waiting >= min_cell) & (risk[:, at] >= min_cell)
        waiting[shown[:, at]] = 0
    height[~shown] = variance[~shown] = np.nan
    at_risk: Floats = np.where(shown, risk, np.nan)
    return height, variance, at_risk
