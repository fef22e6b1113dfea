"""Made-up rows from a study's declarations alone, to try a study on before anybody approves it.

Columns are independent and uniform: nothing of any patient is in them, and
nothing can be learnt from them but whether the study runs.
"""

from collections.abc import Callable
from datetime import date, timedelta
from fractions import Fraction

from quorate.errors import Refused
from quorate.mpc.replicated import SEATS
from quorate.studies.analyses import linkage
from quorate.studies.analyses.kinds import all_asked
from quorate.studies.persons import Part, Way
from quorate.studies.schema import DECIMALS, Column
from quorate.studies.study import Study

MAX_ROWS = 100_000
_FIRST_DAY, _DAYS = date(1930, 1, 1), 30_000
_LETTERS, _LENGTH = "abdeiklmnorstu", 5


def mock_rows(study: Study, rows: int, randomness: Callable[[int], bytes]) -> str:
    """Return a CSV text of `rows` rows that fit the declarations. Raises `Refused`."""
    if not 1 <= rows <= MAX_ROWS:
        raise Refused(f"mock data have 1 to {MAX_ROWS} rows", hint="ask for fewer")
    columns, parts = study.table.columns, _parts(study)
    lines = [",".join([*(column.name for column in columns), *(part.column for part in parts)])]
    for _ in range(rows):
        declared = [_value(column, randomness) for column in columns]
        lines.append(",".join([*declared, *(_text(part, randomness) for part in parts)]))
    return "\n".join(lines) + "\n"


def _parts(study: Study) -> tuple[Part, ...]:
    """Return the columns that persons are linked by, which no study declares, each once."""
    found = {
        part.column: part
        for asked in all_asked(study, SEATS)
        if asked.analysis.kind == linkage.KIND
        for part in linkage.read_parts(asked)
    }
    return tuple(part for name, part in found.items() if name not in study.table.names)


def _text(part: Part, randomness: Callable[[int], bytes]) -> str:
    if part.way is Way.DATE:
        return (_FIRST_DAY + timedelta(days=_below(_DAYS, randomness))).isoformat()
    return "".join(_LETTERS[_below(len(_LETTERS), randomness)] for _ in range(_LENGTH))


def _value(column: Column, randomness: Callable[[int], bytes]) -> str:
    if column.kind == "category":
        value = column.values[_below(len(column.values), randomness)]
        return f'"{value}"' if "," in value else value
    decimals = _decimals(column)
    unit = 10**decimals
    low, high = (int(Fraction(bound) * unit) for bound in (column.low, column.high))
    scaled = low + _below(high - low + 1, randomness)
    whole, part = divmod(abs(scaled), unit)
    digits = f"{whole}.{part:0{decimals}}" if decimals else str(whole)
    return f"-{digits}" if scaled < 0 else digits


def _decimals(column: Column) -> int:
    """Return one decimal more than the bounds have, as far as the kind allows."""
    most = max(len(bound.partition(".")[2]) for bound in (column.low, column.high))
    return min(most + 1, DECIMALS[column.kind])


def _below(end: int, randomness: Callable[[int], bytes]) -> int:
    """Return a number below `end`; its bias, below 2^-64, does not matter for made-up rows."""
    return int.from_bytes(randomness(16)) % end
