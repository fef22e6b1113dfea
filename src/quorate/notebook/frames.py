"""Results as pandas frames."""

from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from quorate.errors import NotFound, Unavailable
from quorate.pictures.released import number_of
from quorate.studies.analyses.following import derived_of
from quorate.studies.release import Verified

if TYPE_CHECKING:
    import pandas as pd


def frame_of(rows: Iterable[Mapping[str, object]]) -> "pd.DataFrame":
    """Return rows as a frame. Raises `Unavailable` without pandas."""
    try:
        frame = import_module("pandas").DataFrame
    except ImportError:
        raise Unavailable("frames take pandas", hint="pip install 'quorate[notebook]'") from None
    made: pd.DataFrame = frame(list(rows))
    return made


def results_of(verified: Verified) -> "pd.DataFrame":
    """Return a row for each number of a release: as a float, as text, and exactly.

    `number` is missing where the value is withheld, or there is none: `value` says which.
    """
    return frame_of(
        {
            "release": one.release,
            "name": one.name,
            "cell": ", ".join(one.cell),
            "number": number_of(one),
            "value": one.value,
            "unit": one.unit,
            "exact": one.exact,
        }
        for one in verified.certificate.results
    )


def table_of(verified: Verified, release: str) -> "pd.DataFrame":
    """Return one release or analysis: a row for each cell, a column for each of its numbers.

    Of an analysis with what follows from it, such as z, p and the interval [low, high] of 95 %.
    Raises `NotFound`.
    """
    cells = _cells_of(verified, release)
    kept = [cell for cell in cells if cell] or [""]
    frame = frame_of(cells.get(cell, {}) for cell in kept)
    frame.index = kept
    return frame


def facts_of(verified: Verified, release: str) -> "pd.Series":
    """Return what one release or analysis says of all rows together. Raises `NotFound`."""
    frame_of([])  # says what to install
    series: pd.Series = import_module("pandas").Series(
        _cells_of(verified, release).get("", {}), dtype=float, name=release
    )
    return series


def _cells_of(verified: Verified, release: str) -> dict[str, dict[str, float | None]]:
    """Return the numbers by cell and name, where no cell is the empty one."""
    cells: dict[str, dict[str, float | None]] = {}
    for one in verified.certificate.results:
        if one.release == release:
            cells.setdefault(", ".join(one.cell), {})[one.number] = number_of(one)
    if not cells:
        known = ", ".join(dict.fromkeys(one.release for one in verified.certificate.results))
        raise NotFound(f"nothing of this study is called {release}", hint=f"known are {known}")
    for asked, derived in derived_of(verified.plan, verified.certificate.results):
        if asked.analysis.name == release:
            for fact in derived:
                cells.setdefault(", ".join(fact.cell), {})[fact.name] = fact.value
    return cells
