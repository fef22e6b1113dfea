"""`quorate noise`: tables and pictures of errors, and the textbook's noise for what it is."""

import json
from pathlib import Path

import pytest

from quorate.cli.main import main
from tests.studies.test_noise_plan import STUDY


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = tmp_path / "study.toml"
    path.write_text(STUDY.format(neighbours="replace"))
    return path


def test_errors_are_told_as_a_table_and_as_json(
    study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["noise", "plan", str(study), "--rows", "7", "--within", "0.5"]) == 0
    text = capsys.readouterr().out
    assert any(line.startswith("mean.a, years") and "16.5" in line for line in text.splitlines())
    assert "nothing is spent" in text
    assert main(["noise", "plan", str(study), "--rows", "7", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {one["epsilon"] for one in found} == {0.25, 0.5, 1, 2, 4, 8}


def test_a_picture_is_drawn(study: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    picture = tmp_path / "errors.svg"
    assert main(["noise", "plan", str(study), "--picture", str(picture)]) == 0
    assert "<svg" in picture.read_text()
    assert main(["noise", "plan", str(study), "--picture", str(tmp_path / "errors.toml")]) == 1


def test_the_textbooks_noise_is_named_for_what_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["noise", "--illustration", "uniform:2"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    for words in (
        "NOT differentially private. epsilon = none (infinite)",
        "0.25 for a difference of 1",
        "with probability 0.56",
        "5 users: mean 30.6, off by 0.516",
        "7 patients: mean 67.43, off by 0.436",
        "in 7.5 of 100 draws",
    ):
        assert words in text


def test_under_privacy_it_is_refused(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["noise", "--illustration", "uniform:2", "plan", str(study)]) == 5
    assert "uniform noise has no epsilon" in capsys.readouterr().err
    study.write_text(study.read_text().replace("[tables", 'noise = "uniform:2"\n[tables', 1))
    assert main(["noise", "plan", str(study)]) == 1
    assert "protects nobody" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["gaussian:2", "uniform:", "uniform:x", "uniform:1/0"])
def test_another_illustration_is_not_understood(text: str) -> None:
    assert main(["noise", "--illustration", text]) == 2
