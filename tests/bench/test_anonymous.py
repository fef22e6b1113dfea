"""Anonymous runs among real processes cost what is declared, and name who spoils one."""

from pathlib import Path

import pytest

pytest.importorskip("matplotlib", reason="the extra `bench` is not installed")

from bench.anonymous import Measured, growth, measure
from bench.engine import plot
from quorate.anonymous.cost import cost


def test_three_processes_hold_runs_good_and_spoilt() -> None:
    """Bytes as declared, and the culprit named: both are asserted where it is measured."""
    measured = measure(3, 64, repeats=1)
    assert measured.cost == cost(3, 64)
    assert min(measured.run_s, measured.blame_s, measured.run_cpu_s, measured.blame_cpu_s) > 0


def test_the_picture_has_a_curve_for_each_size_of_cells(tmp_path: Path) -> None:
    sizes = ((5, 1024), (20, 1024), (5, 4096))
    measured = [Measured(n, b, 0.01 * n, 0.01, 0.02 * n, 0.02, cost(n, b)) for n, b in sizes]
    grown = growth(measured)
    assert [len(curve.points) for curve in grown.curves] == [2, 2, 1, 1]
    assert grown.curves[1].points[1].seconds == 0.4
    plot.draw(grown, tmp_path / "growth.svg", along="members")
    drawn = (tmp_path / "growth.svg").read_text()
    assert all(f">{curve.name}<" in drawn for curve in grown.curves)
    assert ">members<" in drawn
