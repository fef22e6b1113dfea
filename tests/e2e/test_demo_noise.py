"""`quorate demo noise`: the textbook's numbers, and real noise as far off as it was told to be."""

import re
import tempfile
from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest

from quorate.cli import demo_noise_real
from quorate.cli.demo_noise import _fitting
from quorate.cli.options import read_file
from quorate.cli.stage import examples
from quorate.studies.study import read_study
from tests.e2e.nodes import quorate


@pytest.fixture
def short() -> Generator[Path]:
    """A folder whose path is short enough for sockets below it."""
    with tempfile.TemporaryDirectory(prefix="q-") as name:
        yield Path(name)


@pytest.mark.slow
def test_the_demo_tells_both_examples_and_four_ways_of_real_noise(short: Path) -> None:
    said = quorate("demo", "noise", "--keep", "kept", cwd=short)
    assert said.returncode == 0, said.stderr
    for shown in (
        r"true  23, 25, 30, 40, 35: the average is 30\.6",
        r"1,000 times over: 30\.6, give or take 0\.516",
        r"1,000 times over: 67\.43, give or take 0\.436",
        r"where 56 of 100 are due",
        r"NOT differentially private",
        r"jointly +[0-9.]+ years +16\.6 ",
        r"in shares +[0-9.]+ years +20\.3 ",
        r"each record +[0-9.]+ years +33\.5 ",
        r"third party +[0-9.]+ years +16\.6 ",
        r"north has 0 of 4 left",
        r"takes 492 patients",
    ):
        assert re.search(shown, said.stdout), shown
    history = quorate("budget", "history", "patients", "--node", "kept/north", cwd=short)
    assert history.returncode == 1
    assert "is not running" in history.stderr


def test_five_answers_leave_the_ages_that_fit_them_all() -> None:
    assert _fitting(np.array([38.1])) == [37, 38, 39, 40]
    assert _fitting(np.array([38.1, 41.56])) == [40]


@pytest.mark.parametrize("way", demo_noise_real.WAYS)
def test_the_error_that_is_told_is_that_of_the_noise(way: str) -> None:
    text = read_file(examples() / "noisy-age.toml")
    study = read_study(demo_noise_real.text_of(text, way))
    told = demo_noise_real._error(study, way, 7)
    assert demo_noise_real._drawn_error(study, way) == pytest.approx(told, rel=0.05)
