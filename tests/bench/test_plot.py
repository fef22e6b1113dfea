"""The picture of the growth is the same bytes for the same figures."""

from pathlib import Path

import pytest

pytest.importorskip("matplotlib", reason="the extra `bench` is not installed")

from bench.engine.growth import OPERATIONS, Curve, Growth, Point
from bench.engine.plot import draw


def grown(seconds: float) -> Growth:
    points = tuple(Point(10**i, seconds * 10**i, 8 * 10**i, 1) for i in range(2, 8))
    return Growth(tuple(Curve(one.name, points) for one in OPERATIONS), 1)


def test_the_same_figures_are_the_same_bytes_and_others_are_not(tmp_path: Path) -> None:
    pictures = []
    for i, seconds in enumerate((1e-6, 1e-6, 2e-6)):
        draw(grown(seconds), tmp_path / f"{i}.svg")
        pictures.append((tmp_path / f"{i}.svg").read_text())
    assert pictures[0] == pictures[1] != pictures[2]
    assert all(f">{one.name}<" in pictures[0] for one in OPERATIONS)
