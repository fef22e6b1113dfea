"""Numbers of a column in units that the moments of `models` take."""

from math import ceil

from quorate.models.moments import BITS, MOST_ROWS, Sizes
from quorate.studies.analyses.asked import Asked
from quorate.studies.schema import DECIMALS, Column, refuse


def units_of(asked: Asked, column: Column, bits: int = BITS) -> int:
    """Return to how many decimals a member rounds a sum: as many as there is room for."""
    if column.kind == "integer":
        return 0
    room = 1 << (bits - asked.rows.bit_length())
    fitting = (d for d in range(DECIMALS["number"], -1, -1) if column.largest * 10**d < room)
    return next(fitting, 0)


def sizes_of(asked: Asked, *columns: Column, bits: int = BITS) -> Sizes:
    """Return the bits of a number of rows and of the widest of `columns`."""
    largest = max(ceil(c.largest * 10 ** units_of(asked, c, bits)) for c in columns)
    return Sizes(asked.rows.bit_length(), max(largest.bit_length(), 1))


def check_sizes(asked: Asked, *columns: Column, bits: int = BITS) -> None:
    """Refuse columns too wide for so many rows. Raises `MalformedStudy`."""
    asked.check_rows(MOST_ROWS)
    for column in columns:
        sizes = sizes_of(asked, column, bits=bits)
        if sizes.k + sizes.r > bits:
            refuse(
                asked.place,
                f"{column.name} is too wide for so many rows: {column.declared}",
                f"its bounds may be up to {2 ** (bits - sizes.k) - 1}, or max_rows smaller",
            )
