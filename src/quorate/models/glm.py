"""Logistic and Poisson regression: what a member adds up over its own rows, and the oracle.

With X (rows, p), offsets o and public coefficients b,

    m = mean of (X b + o),    g = X^T (y - m) / D,    H = X^T W X / D

m is 1 / (1 + e^-x) and W = m (1 - m), or m = W = e^x [NW72]. D is a public number, twice the rows
of all together times the most that m may be, so that no entry exceeds 1. A weight counts as at
least 2^-20 of that most, so that g is never more than 2^10 as H measures it. The most of
e^x is 64 times the largest outcome, which coefficients of the largest likelihood are far from.
"""

from dataclasses import dataclass

import numpy as np

from quorate.models.outputs import Floats

LEAST_WEIGHT = 2.0**-20


@dataclass(frozen=True, slots=True)
class Family:
    """A distribution of outcomes with its usual link, and the most that a mean may be."""

    is_logistic: bool
    most: float

    def divisor(self, most_rows: int) -> float:
        """Return D."""
        return most_rows * 2 * self.most

    def mean(self, linear: Floats) -> Floats:
        if self.is_logistic:
            logistic: Floats = 1 / (1 + np.exp(-np.clip(linear, -500, 500)))
            return logistic
        poisson: Floats = np.exp(np.minimum(linear, np.log(self.most)))
        return poisson

    def weight(self, mean: Floats) -> Floats:
        return mean * (1 - mean) if self.is_logistic else mean


LOGISTIC = Family(is_logistic=True, most=1.0)


def poisson(largest: float) -> Family:
    """Return the family of counts of at most `largest`."""
    return Family(is_logistic=False, most=64 * largest)


@dataclass(frozen=True, slots=True)
class Rows:
    """One member's rows: columns at most 1 in size, outcomes, and offsets."""

    design: Floats
    outcome: Floats
    offset: Floats


def contribution(family: Family, rows: Rows, estimates: Floats, divisor: float) -> Floats:
    """Return what a member deals, [H g] (p, p + 1)."""
    mean = family.mean(rows.design @ estimates + rows.offset)
    weight = np.maximum(family.weight(mean), LEAST_WEIGHT * family.most)
    information = rows.design.T @ (rows.design * weight[:, None])
    gradient = rows.design.T @ (rows.outcome - mean)
    return np.column_stack([information, gradient]) / divisor
