"""What is being proved at some point of a distributed proof, and what is found wrong with it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from quorate.algebra.ghash import Element, Elements
from quorate.mpc.folds import evaluated, summed
from quorate.mpc.replicated import Committee, Share


@dataclass(frozen=True, slots=True)
class Statement:
    """The sum of the products of x and y, of the parties' parts together, and what it has to be.

    `left` is this party's part of what party i+1 has to prove, `right` of party i-1: (1, 2).
    """

    x: Share
    y: Share
    left: Elements = field(repr=False)
    right: Elements = field(repr=False)


@dataclass(frozen=True, slots=True)
class Values:
    """This party's parts of the values that party i+1, on its left, and party i-1 prove with."""

    left: Elements = field(repr=False)
    right: Elements = field(repr=False)

    def cut(self, count: int) -> list["Values"]:
        """Return equal pieces."""
        pieces = (np.split(part, count) for part in (self.left, self.right))
        return [Values(*pair) for pair in zip(*pieces, strict=True)]


@dataclass(slots=True)
class Findings:
    """What this party finds of the proofs of party i+1 and of party i-1.

    The other who checks the same proof finds the same if it is right.
    """

    left: list[Elements] = field(default_factory=list)
    right: list[Elements] = field(default_factory=list)

    def add(self, stated: Statement, values: Values, weights: Sequence[Element]) -> None:
        """Hold what is stated against the same sum of the values."""
        self.left.append(summed(values.left, weights) ^ stated.left)
        self.right.append(summed(values.right, weights) ^ stated.right)


async def share(committee: Committee, values: Elements) -> Values:
    """Share what this party proves with, between the two others; return one's parts of theirs.

    The left part is F(k_i), the right is sent.

    Cost, m elements: 1 round, 16 * m bytes a party
    """
    own, following = (stream.words(values.size) for stream in committee.streams())
    sent = await committee.session.shift(values.reshape(-1) ^ own, by=1)
    return Values(following.reshape(values.shape), sent.reshape(values.shape))


def moved(x: Share, y: Share, values: Values, at: Sequence[Element]) -> Statement:
    """Return what is stated at a point: x and y are there already."""
    return Statement(x, y, evaluated(values.left, at), evaluated(values.right, at))
