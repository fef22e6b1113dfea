"""`quorate demo cancer`: what is shown is beside the plain way, and a hospital's lie is noticed."""

import re
from pathlib import Path

import pytest

from quorate.cli.demo_cancer import _agree
from quorate.node.views import ResultView
from quorate.studies.results import NONE, WITHHELD
from tests.e2e.nodes import quorate


@pytest.mark.slow
def test_the_demo_shows_results_beside_the_plain_ones(short: Path) -> None:
    said = quorate("demo", "cancer", "--keep", "kept", cwd=short)
    assert said.returncode == 0, said.stderr
    for shown in (
        r"therapy chi-squared +8\.\d+ +8\.\d+",
        r"risk estimate, pnodes +0\.0955\d+ +0\.0955\d+",
        r"follows recurrence rate +0\.3876",
        r"● horTh = no   ○ horTh = yes",
        r"odds ratio and its interval of 95 %; ┊ is 1: no effect",
    ):
        assert re.search(shown, said.stdout), shown
    assert "<svg" in (short / "kept" / "pictures" / "curve.svg").read_text()


@pytest.mark.parametrize(
    ("value", "right", "agree"),
    [
        ("0.5", 0.50005, True),
        ("0.5", 0.501, False),
        ("1000", 1000.1, True),
        ("1000", 1001.0, False),
        (NONE, None, True),
        (NONE, 0.5, False),
        ("0.5", None, False),
        (WITHHELD, 0.5, True),
    ],
)
def test_a_result_that_is_not_the_plain_one_is_noticed(
    value: str, right: float | None, agree: bool
) -> None:
    one = ResultView(name="x", formula="", value=value, exact="", unit="")
    assert _agree(one, right) == agree
