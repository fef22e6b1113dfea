"""Charts as text and as files: what they say is there, and the same each time."""

import pytest

from quorate.pictures.charts import Bars, Chart, Curve, Curves, Interval, Intervals, Point
from quorate.pictures.drawing import drawn, written
from quorate.pictures.lines import WIDTH, lines_of

CURVES = Curves(
    "curve",
    "days",
    (
        Curve("old", (Point(0, 1, 1, 1, None), Point(10, 0.5, 0.4, 0.6, 87))),
        Curve("new", (Point(0, 1, 1, 1, None), Point(10, 0.9, 0.8, 0.95, 93))),
    ),
)
BARS = Bars("ages", "rows", ("young", "old"), (None, 12.0))
RATIOS = Intervals("risk", "odds ratio", (Interval("age", 2.0, 0.5, 8.0),), 1.0)
RATES = Intervals("rate", "per year", (Interval("rate", 3.0, 2.0, 4.0),), None)
CHARTS: tuple[Chart, ...] = (CURVES, BARS, RATIOS, RATES)


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.name)
def test_the_same_chart_gives_the_same_file(chart: Chart) -> None:
    once, again = (written(drawn(chart), "svg") for _ in range(2))
    assert once == again
    assert b"<svg" in once
    assert written(drawn(chart), "png").startswith(b"\x89PNG")


def test_another_chart_gives_another_file() -> None:
    other = Intervals("rate", "per year", (Interval("rate", 3.5, 2.0, 4.0),), None)
    assert written(drawn(RATES), "svg") != written(drawn(other), "svg")


def test_curves_in_text_keep_their_heights() -> None:
    lines = lines_of(CURVES)
    top, half = lines[0], next(line for line in lines if "50 %" in line or "46 %" in line)
    assert top.count("○") + top.count("●") == WIDTH  # both are at the top until the last step
    assert half.endswith("●")
    assert "at risk old: 87 from 10" in "\n".join(lines)


def test_a_curve_in_text_steps_down_where_it_is_said_to() -> None:
    points = (Point(0, 1, 1, 1, None), Point(30, 0.5, 0.4, 0.6, 9), Point(60, 0.25, 0.1, 0.4, 5))
    lines = lines_of(Curves("c", "days", (Curve("a", points),)))
    assert [line.count("●") for line in lines if "│" in line and "●" in line] == [30, 30, 1]


def test_bars_in_text_say_what_has_no_number() -> None:
    young, old = lines_of(BARS)
    assert young.endswith("no number")
    assert old.endswith("█ 12 rows")


def test_ratios_stand_by_their_logarithm() -> None:
    line, said = lines_of(RATIOS)
    body = line.removeprefix("age ")[: WIDTH + 1]
    assert (body[0], body[WIDTH]) == ("─", "─")
    assert body.index("┊") == WIDTH // 4  # 1 between 1/2 and 8
    assert body.index("●") == WIDTH // 2
    assert line.endswith("2 (0.5 to 8)")
    assert "1: no effect" in said


def test_rates_have_no_place_of_no_effect() -> None:
    assert "┊" not in "".join(lines_of(RATES))


@pytest.mark.parametrize("chart", [Curves("c", "days", ()), Bars("b", "", ("x",), (0.0,))])
def test_nothing_to_see_is_drawn_as_nothing(chart: Chart) -> None:
    assert lines_of(chart)
    assert written(drawn(chart), "svg")
