"""How the words of a batch of ANDs are cut for `proofs`: what follows from their number alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from quorate.algebra.ghash import BYTES, PLANES
from quorate.mpc.cost import Cost

POINTS = 2
"""Each is met by a wrong proof with less than 2^-26: see docs/spec/malicious.md."""

MOST_VARIABLES = 7
LATER = 2
"""Variables of the later stages on planes."""

SMALL = 4
"""Variables, at most, of the stages on single elements."""

FEW = 16
"""Products that are left for the last step, at most."""

SHORT = 12
"""Words in a plane below which elements are taken singly."""

ROW_BITS = 13
"""The fewest words in a row, but where there are few at all: 2^13."""

TOSS = 112
"""Bytes of a common coin: two digests, a part and a tag."""

TAG = 16


@dataclass(frozen=True)
class Layout:
    """Rows of the first stage, their length, and how often they are cut in 2^LATER later."""

    variables: int
    columns: int
    stages: int

    @property
    def rows(self) -> int:
        return 1 << self.variables

    @cached_property
    def elements(self) -> int:
        """Return how many elements are left at all points, padded to a power of two."""
        left = POINTS * 2 * PLANES * (self.columns >> LATER * self.stages)
        return 1 << (left - 1).bit_length()

    def small(self) -> Iterator[int]:
        """Yield the variables of each stage on single elements."""
        left = self.elements
        while left > FEW:
            variables = min(SMALL, (left // FEW).bit_length() - 1)
            yield variables
            left >>= variables

    def cost(self) -> Cost:
        """Return what proving and checking cost each party."""
        small = list(self.small())
        values = 3**self.variables + POINTS * self.stages * 3**LATER
        values += sum(3**variables for variables in small) + (FEW + 1) ** 2
        tosses = 3 + self.stages + len(small)
        findings = 3 + POINTS * self.stages + len(small)
        sent = BYTES * (values + 2 * findings + 2) + TOSS * tosses + TAG
        rounds = 3 * (2 + self.stages + len(small)) + 3
        return Cost(rounds, (sent, sent, sent))


def laid_out(words: int) -> Layout:
    """Return how so many words are cut: rows are an even number of words after every stage."""
    variables = min(max(words.bit_length() - ROW_BITS, 1), MOST_VARIABLES)
    columns = -(-words >> variables)
    stages = 0
    while columns >> LATER * (stages + 1) >= SHORT:
        stages += 1
    unit = 2 << LATER * stages
    return Layout(variables, -(-columns // unit) * unit, stages)
