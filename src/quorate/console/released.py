"""A release as the pages show it: its certificate verified anew, and its pictures."""

import threading
from dataclasses import dataclass
from functools import lru_cache

from quorate.pictures.charts import Chart
from quorate.pictures.drawing import Form, drawn, written
from quorate.pictures.released import charts_of
from quorate.studies.group import Group
from quorate.studies.release import Verified, from_json, verify_release

_drawing = threading.Lock()
"""matplotlib's settings are the process's."""

_verifying = threading.Lock()
"""What fifty people want to see at once is worked out once."""


@dataclass(frozen=True, slots=True)
class Released:
    """What a release proves, and what of it can be drawn."""

    verified: Verified
    charts: tuple[Chart, ...]


def released(text: str, group: Group | None) -> Released:
    """Return a release, verified. Raises `VerificationFailed`, `MalformedMessage`."""
    with _verifying:
        return _verified(text, group)


@lru_cache(maxsize=64)
def _verified(text: str, group: Group | None) -> Released:
    verified = verify_release(from_json(text), group=group)
    return Released(verified, charts_of(verified.plan, verified.certificate.results))


def chart_svg(chart: Chart) -> bytes:
    """Return a chart as SVG. Raises `Unavailable` without matplotlib."""
    return _picture(chart, "svg")


def chart_png(chart: Chart) -> bytes:
    """Return a chart as PNG. Raises `Unavailable` without matplotlib."""
    return _picture(chart, "png")


@lru_cache(maxsize=64)
def _picture(chart: Chart, form: Form) -> bytes:
    with _drawing:
        return written(drawn(chart), form)
