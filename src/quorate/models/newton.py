"""Maximum likelihood by steps that all see: from sums at public coefficients to better ones.

Everybody knows the coefficients b so far. Each member adds up over its own rows the gradient g
and the information H of the log likelihood at b, with respect to columns that are at most 1, and
divides by a public number. Of the sums, in shares,

    b <- b + H^(-1) g

is revealed and nothing of g and H; at the end the roots of the diagonal of H^(-1). The plan
calls this `reveal_iterations`: what is revealed beyond the result is each step on the way.
`glm` and `cox` say what members add up; `trained` reveals no step.

Adversary: that of the engine. What members deal is not checked. Unreviewed.
"""

from dataclasses import dataclass, replace
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from quorate.models.outputs import Degenerate, Floats, heard, said
from quorate.models.solving import SOLUTION_BITS, deviations, step
from quorate.models.whitening import whitened
from quorate.mpc.secret import SecretArray

MOST_STEPS = 25
NEAR = 2.0**-10
"""A step this small, for columns of at most 1, is squared by the next one."""

STEPS_WHEN_NEAR = 2


@dataclass(frozen=True, slots=True)
class Search:
    """Where the search for the likeliest coefficients has come to, as everybody knows."""

    estimates: Floats
    steps: int = 0
    near: int = 0

    @property
    def is_over(self) -> bool:
        return self.near > STEPS_WHEN_NEAR


@dataclass(frozen=True, slots=True)
class Likeliest:
    """Coefficients of the largest likelihood, and their standard errors."""

    estimates: Floats
    standard_errors: Floats
    steps: int


def start(columns: int) -> Search:
    return Search(np.zeros(columns))


def improvement(total: SecretArray) -> SecretArray:
    """Return what is revealed of [H g] (p, p + 1) in a step: p + 1 words for `improved`.

    `total` has 60 bits of fraction, entries at most 1.

    Cost, p = 4: 208 rounds, about as many for any p
    """
    p = total.shape[0]
    w = whitened(total[:, :p])
    return said([step(w, total[:, p])], w.sound)


def improved(search: Search, words: NDArray[np.int64]) -> Search | Degenerate:
    """Return where a step leads that was revealed of `improvement`."""
    parts = heard(words, [len(search.estimates)], [SOLUTION_BITS])
    if parts is None:
        return Degenerate.SEPARATED if search.steps else Degenerate.COLLINEAR
    if search.steps == MOST_STEPS:
        return Degenerate.SEPARATED
    farthest = float(np.abs(parts[0]).max())
    near = search.near + (search.near > 0 or farthest < NEAR)
    return replace(search, estimates=search.estimates + parts[0], steps=search.steps + 1, near=near)


def uncertainty(total: SecretArray) -> SecretArray:
    """Return what is revealed of [H g] at the end: p + 1 words for `likeliest`."""
    p = total.shape[0]
    w = whitened(total[:, :p])
    return said([deviations(w)], w.sound)


def likeliest(search: Search, words: NDArray[np.int64], divisor: float) -> Likeliest | Degenerate:
    """Return the result; members divided what they added up by `divisor`."""
    parts = heard(words, [len(search.estimates)], [SOLUTION_BITS])
    if parts is None:
        return Degenerate.SEPARATED
    return Likeliest(search.estimates, parts[0] / sqrt(divisor), search.steps)
