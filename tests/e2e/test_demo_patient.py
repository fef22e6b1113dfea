"""`quorate demo patient`: every band is the plain one, one member has them, and no release does."""

import re
from pathlib import Path

import pytest

from quorate.cli.demo_patient import beside, plain_band
from quorate.cli.made_up import write_patients
from quorate.errors import VerificationFailed
from quorate.node.views import ScoresView
from tests.e2e.nodes import quorate

RECORD = {
    "age": "64",
    "sex": "female",
    "bmi": "30.0",
    "waist": "88",
    "active": "yes",
    "vegetables": "yes",
    "antihypertensives": "no",
    "high_glucose": "no",
    "family": "none",
}


def test_the_demo_tells_one_member_and_shows_that_no_other_knows(short: Path) -> None:
    said = quorate("demo", "patient", "--patients", "2000", "--keep", "kept", cwd=short)
    assert said.returncode == 0, said.stderr
    for shown in (
        r"asks +age: 0 below 45, 2 from 45, 3 from 55, 4 from 65",
        r"to +practice: each patient's band of points: low, slightly elevated",
        r"all 2000 bands are the plain ones",
        r"pharmacy\n +this node has no scores of study",
        r"laboratory\n +this node has no scores of study",
        r"signed +practice, pharmacy, laboratory: 3 of 3 signatures verify",
    ):
        assert re.search(shown, said.stdout), shown
    release = (short / "kept" / "release.json").read_text()
    assert '"results": []' in release
    assert "P0000001" not in release


@pytest.mark.parametrize(
    ("change", "band"),
    [
        ({}, "slightly elevated"),  # 3 + 1 + 3 = 7
        ({"age": "54"}, "low"),
        ({"bmi": "30.1", "waist": "88.5"}, "slightly elevated"),  # 3 + 3 + 4 = 10
        ({"sex": "male"}, "low"),
        ({"high_glucose": "yes"}, "moderate"),
        ({"high_glucose": "yes", "family": "distant"}, "high"),
        (
            {"high_glucose": "yes", "family": "close", "active": "no", "antihypertensives": "yes"},
            "very high",
        ),
    ],
)
def test_the_plain_way_is_the_forms(change: dict[str, str], band: str) -> None:
    assert plain_band(RECORD | change) == band


def test_a_band_that_is_not_the_plain_one_is_noticed(tmp_path: Path) -> None:
    files = write_patients(tmp_path, 3)
    wrong = ScoresView(
        score="FINDRISC", pseudonym="patient", shows="band", patients=(("P0000000", "none"),)
    )
    with pytest.raises(VerificationFailed, match="by the plain way another"):
        beside(wrong, files)
