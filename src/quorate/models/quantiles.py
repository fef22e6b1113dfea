"""Quantiles of a secret histogram, as between the two nearest rows (type 7 of [HF96]).

Of n rows in order, numbered from 0, the quantile num / den lies between rows q and q + 1 and
r / den of the way, with num (n - 1) = q den + r. Row q is in bin i if the rows up to bin i - 1
are at most q, and those up to bin i more. Where q and q + 1 are in different bins,
the rows up to the first are q + 1: so r follows without a division.

Adversary: that of the engine. Counts that members deal are not checked. Unreviewed.
"""

from quorate.models.products import times, within
from quorate.mpc.secret import SecretArray
from quorate.mpc.selection import concatenate


def quantile(counts: SecretArray, num: int, den: int) -> SecretArray:
    """Return den times the place of the quantile, in bins from 0, of which the histogram has any.

    Exact. Cost, b bins: 2 b comparisons beside one another, then 2 rounds of products.
    """
    bins, rows = counts.shape[0], counts.node.limit
    below = within(counts.cumsum(axis=0), rows)
    sought = (below[-1] - 1) * num
    upto = (concatenate([below, below - 1]) * den <= sought) + 0
    low, next_ = upto[:bins], upto[bins:]
    first, second = low[: bins - 1].sum(), next_[: bins - 1].sum()
    here = concatenate([1 - low[:1], low[:-1] - low[1:]])  # 1 at row q's bin only
    last = times(here, below, bound=rows, f=0).sum()
    part = sought - (within(last, rows) - 1) * den
    between = times(part, second - first, bound=float(den * rows) * bins, f=0)
    return first * den + within(between, den * bins)
