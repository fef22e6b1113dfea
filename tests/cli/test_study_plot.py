"""`quorate study plot`: a release as pictures, in the terminal and as files."""

import json
from pathlib import Path

import pytest

from quorate.studies.release import to_json
from quorate.studies.study import read_study
from tests.cli.say import Shell
from tests.pictures.test_released import BY_AGE
from tests.studies.trio import TRIO, plan_of, signed_release

TOTALS = (3, 40, 7, 20, 30, 900, 1500, 45000, 80000)


@pytest.fixture
def release(shell: Shell) -> Path:
    plan = plan_of(read_study(BY_AGE))
    path = shell.folder / "release.json"
    path.write_text(to_json(signed_release(plan, TRIO, plan.results(TOTALS))))
    return path


def test_in_the_terminal(shell: Shell, release: Path) -> None:
    said = shell("study", "plot", release)
    assert said.code == 0
    assert "40 <= age < 80   │████" in said.out
    assert "40 rows" in said.out


def test_as_json(shell: Shell, release: Path) -> None:
    said = shell("study", "plot", release, "--chart", "ages age", "--format", "json")
    (chart,) = json.loads(said.out)
    assert chart["heights"] == [3, 40, 7]


@pytest.mark.parametrize(("form", "start"), [("svg", b"<?xml"), ("png", b"\x89PNG")])
def test_as_files(shell: Shell, release: Path, form: str, start: bytes) -> None:
    said = shell("study", "plot", release, "--out", "drawn", "--picture", form)
    assert said.code == 0
    assert sorted(p.name for p in Path("drawn").iterdir()) == [
        f"ages-age.{form}",
        f"spread-spread.{form}",
    ]
    assert all(path.read_bytes().startswith(start) for path in Path("drawn").iterdir())


def test_an_altered_release_is_not_drawn(shell: Shell, release: Path) -> None:
    release.write_text(release.read_text().replace('"exact": "40"', '"exact": "41"'))
    said = shell("study", "plot", release, "--out", "drawn")
    assert said.code == 1
    assert not Path("drawn").exists()


def test_a_chart_nobody_has(shell: Shell, release: Path) -> None:
    said = shell("study", "plot", release, "--chart", "weights")
    assert said.code != 0
    assert "hint: it has: ages age, spread spread" in said.err


def test_a_release_of_single_numbers(shell: Shell) -> None:
    Path("one.json").write_text(to_json(signed_release()))
    said = shell("study", "plot", "one.json")
    assert "nothing to draw" in said.err
