"""Results of analyses as tables: a line for each cell, a column for each of its numbers."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from quorate.cli.output import aligned

INDENT = "  "


@dataclass(frozen=True, slots=True)
class Told:
    """One number of an analysis, released or following from what was."""

    analysis: str
    number: str
    cell: str
    value: str  # with its unit


def tables(told: Iterable[Told]) -> Iterator[str]:
    """Yield the lines of all analyses: the table of each, then what it says of all rows."""
    analyses: dict[str, list[Told]] = {}
    for one in told:
        analyses.setdefault(one.analysis, []).append(one)
    for name, numbers in analyses.items():
        yield name
        yield from _by_cell([one for one in numbers if one.cell])
        whole = [(one.number, one.value) for one in numbers if not one.cell]
        yield from aligned(whole, indent=INDENT) if whole else ()


def _by_cell(numbers: Sequence[Told]) -> list[str]:
    cells = dict.fromkeys(one.cell for one in numbers)
    if not cells:
        return []
    columns = dict.fromkeys(one.number for one in numbers)
    values = {(one.cell, one.number): one.value for one in numbers}
    rows = [(cell, *(values.get((cell, column), "") for column in columns)) for cell in cells]
    return aligned([("", *columns), *rows], indent=INDENT)
