"""Pearson's chi-squared, odds ratios and relative risks of a secret table of counts.

With O_ij rows in cell i, j, R_i and C_j the sums of its lines, n of all, p_ij = O_ij / R_i and
q_j = C_j / n [Pea00]:

    chi^2 = sum_ij R_i (p_ij - q_j) * (p_ij - q_j) / q_j
    log odds ratio = log a - log b - log c + log d,   variance 1/a + 1/b + 1/c + 1/d   [Woo55]
    log relative risk = log a/(a+b) - log c/(c+d),    variance 1/a - 1/(a+b) + 1/c - 1/(c+d)

for a, b in the first line of a table of two by two and c, d in the second. Revealed is what
the caller reveals; nothing is here.

Adversary: that of the engine. Counts that members deal are not checked. Unreviewed.
"""

import numpy as np

from quorate.errors import OutOfRange
from quorate.models.products import brought, times, total, within
from quorate.models.ratios import RATIO_BITS, at_least_one, ratio
from quorate.mpc import functions
from quorate.mpc.secret import SecretArray
from quorate.mpc.selection import concatenate

MOST_ROWS = 1 << 20
UNIT_BITS = 30
COUNT_BITS = 18
"""Of the rows by which a cell is off what is expected."""

ROOM = 60
"""Bits of a product: that, the part of what is expected by which it is off, and most rows."""

CHI_BITS = 24
LOG_BITS = 24
VARIANCE_BITS = RATIO_BITS


def chi_squared(table: SecretArray, most: int) -> tuple[SecretArray, SecretArray]:
    """Return chi squared with 24 bits of fraction, and its degrees of freedom, as integers.

    `table` are counts (rows, columns), at most `most` <= 2^20 together; empty lines count for
    nothing. With no degree of freedom chi squared is 0. Error: 2^-16 of it, and in each line
    below 2^-17 of the rows by which its cells are off. Raises `OutOfRange` if there may be more.
    """
    if most > MOST_ROWS:
        raise OutOfRange("chi squared takes a table of at most 1,048,576 rows")
    rows, columns, everything = table.sum(axis=1), table.sum(axis=0), table.sum()
    n = at_least_one(everything)
    shares = ratio(columns, n.reshape(1))
    part = ratio(table, at_least_one(rows).reshape(-1, 1))
    apart = within(brought(part - shares, UNIT_BITS), 1)
    expected = within(brought(shares, UNIT_BITS) + (columns < 1), 1)
    more = functions.divided(apart, expected, at_least=0.5 / most)
    fine = min(UNIT_BITS, ROOM - COUNT_BITS - most.bit_length())
    more = within(brought(within(more, 2 * most), fine), 2 * most)
    beyond = times(rows.reshape(-1, 1), apart, bound=most, f=COUNT_BITS)
    weighted = times(beyond, more, bound=2 * most, f=CHI_BITS)
    whole = total(total(weighted, 1, bound=2 * most), 0, bound=2 * most * min(table.shape))
    there = [(line > 0).sum() for line in (rows, columns)]
    freedom = (there[0] - 1) * (there[1] - 1) - (everything < 1)
    return whole, freedom


def log_odds(table: SecretArray) -> tuple[SecretArray, SecretArray]:
    """Return the log odds ratio, 24 bits of fraction, and its variance, 32 bits.

    `table` are counts (2, 2), none of them 0. Errors: 2^-21 and 2^-27.
    """
    logs = functions.log(_fine(table.reshape(4)))
    return logs[0] - logs[1] - logs[2] + logs[3], _inverse(table.reshape(4)).sum()


def log_risks(table: SecretArray) -> tuple[SecretArray, SecretArray]:
    """Return the log relative risk and its variance, as `log_odds` does for odds.

    The first column counts events, of which each line has some.
    """
    counts = concatenate([table[:, 0], table.sum(axis=1)])
    logs, inverse = functions.log(_fine(counts)), _inverse(counts)
    return logs[0] - logs[1] - logs[2] + logs[3], inverse[:2].sum() - inverse[2:].sum()


def _fine(counts: SecretArray) -> SecretArray:
    return brought(counts, LOG_BITS)


def _inverse(counts: SecretArray) -> SecretArray:
    return ratio(counts - counts + np.ones(counts.shape, np.int64), counts)
