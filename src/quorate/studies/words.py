"""Cells, members and decimals as people read them."""

from collections.abc import Sequence
from itertools import islice, product
from math import prod

from quorate.studies.inputs import Cells, labels
from quorate.studies.query import condition
from quorate.studies.study import Study

LISTED = 6  # cells named one by one


def cells_in_words(study: Study, cells: Cells) -> tuple[str, int]:
    """Return a condition and its cells in words, long lists folded, and how many cells."""
    text = f" where {condition(cells.where, study.table)}" if cells.where else ""
    if not cells.axes:
        return text, 1
    axes = [labels(study, axis) for axis in cells.axes]
    n = prod(map(len, axes))
    named = "; ".join(" and ".join(cell) for cell in islice(product(*axes), LISTED))
    more = f"; and {n - LISTED} more" if n > LISTED else ""
    return f"{text} for each of {n} cells ({named}{more})", n


def listed(names: Sequence[str]) -> str:
    """Return names as a list in a sentence."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
