"""Which of two checks of ANDs takes less time: triples (`buckets`) or a proof (`proofs`).

Triples are sent, a proof is computed. All parties choose by the same numbers: how many words
are claimed, and the pace that they have agreed on.
"""

from enum import StrEnum

from quorate.mpc.buckets import batches, buckets
from quorate.mpc.cost import FREE, Cost, Pace
from quorate.mpc.layout import TAG, TOSS, laid_out

LEAST = 1 << 12
"""Words from which on a proof is thought of at all."""


class Check(StrEnum):
    """How ANDs are verified."""

    BUCKETS = "buckets"
    PROOF = "proof"


_COMPUTING_S = {Check.BUCKETS: (0.002, 300e-9), Check.PROOF: (0.2, 170e-9)}
"""Seconds of computing at the start and for each word, three parties on two cores."""


def of_ands(words: int, pace: Pace) -> Check:
    """Return the check of so many words of ANDs that ends earlier."""
    if words < LEAST:
        return Check.BUCKETS
    return min(Check, key=lambda check: _seconds(check, words, pace))


def cost_of_ands(words: int, pace: Pace) -> Cost:
    """Return what checking so many words of ANDs costs."""
    return _cost(of_ands(words, pace), words)


def cost_of_buckets(products: int) -> Cost:
    """Return what checking so many products, or words of ANDs, with triples costs."""
    total = FREE
    for here in batches(products):
        size = here.stop - here.start
        sent = 8 * buckets(size).words(size) + TOSS + 3 * TAG
        total = total.then(Cost(5, (sent, sent, sent)))
    return total


def _cost(check: Check, words: int) -> Cost:
    return cost_of_buckets(words) if check is Check.BUCKETS else laid_out(words).cost()


def _seconds(check: Check, words: int, pace: Pace) -> float:
    start, each = _COMPUTING_S[check]
    return start + each * words + pace.seconds(_cost(check, words))
