"""What a comparison keeps in memory, in a process of each party's own, over TLS."""

import tracemalloc

import numpy as np

from bench.trio import run_three
from quorate.algebra.ring import from_signed
from quorate.mpc.comparison import is_negative
from quorate.mpc.replicated import Committee, Share, deal

COUNT = 500_000
ARRAY = 8 * COUNT
SHARES = 4 * ARRAY  # two parts of each of two arrays
MOST = 12 * ARRAY


async def peak_of_a_comparison(committee: Committee) -> int:
    """Return the most bytes there are at once, both arrays' shares among them."""
    values = from_signed(np.arange(COUNT) - COUNT // 2)
    tracemalloc.start()
    x, y = await deal(committee, 0, values), await deal(committee, 1, values)
    kept, _ = tracemalloc.get_traced_memory()
    assert kept >= 3 * ARRAY  # so that what is measured holds the shares; a part may be zeros
    tracemalloc.reset_peak()
    await is_negative(committee, Share(x.own - y.own, x.next - y.next))
    return tracemalloc.get_traced_memory()[1]


def test_a_comparison_takes_at_most_twelve_times_its_input() -> None:
    for peak in run_three(peak_of_a_comparison, encrypted=True):
        assert SHARES < peak < MOST
