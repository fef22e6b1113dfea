"""The distinguishing game through all of a study's path: file, SQL, vectors, runner, results.

A study by 60 groups of 60 has 3,600 cells, each with noise of its own: one run is 3,600 games.
In one set of data every group has the patient whose row is furthest out, in the other none has.
"""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from quorate.dp.mechanisms import Gaussian, Laplace
from quorate.dp.tables import Integers
from quorate.errors import Party
from quorate.studies import noised, private_rows, protocols
from quorate.studies.noised import Vector
from quorate.studies.plan import Plan
from quorate.studies.private_rows import noiseless
from quorate.studies.runners.run import Ran
from quorate.studies.sources import open_source
from quorate.studies.study import read_study
from tests.dp.game import epsilon_shown
from tests.dp.keyed import keyed
from tests.parties import run_parties
from tests.studies.test_runner_noise import running
from tests.studies.trio import plan_of

EPSILON = 1
SIDE = 60
RUNS, MANY = 3, 28
"""With 3,600 games each: 10,800 of them, and 100,800."""

NOISES = ("jointly", "in shares")
STUDY = """
title = "t"
purpose = "p"
max_rows = 1_000_000
min_cell = 1
[privacy]
bounds = "protocol"
noise = "{noise}"
[tables.people]
x = "integer -2..3 steps"
a = "category {values}"
b = "category {values}"
[releases.sums]
sql = "select a, b, sum(x) as s from people group by a, b"
privacy = {{ {budget} }}
"""
FAR_OUT = 10**12


AT_DELTA = f"epsilon = {EPSILON}, delta = 1e-3"


def planned(noise: str, budget: str = f"epsilon = {EPSILON}") -> Plan:
    values = " ".join(map(str, range(SIDE)))
    return plan_of(read_study(STUDY.format(noise=noise, values=values, budget=budget)))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Path]:
    """Return one member's file, with the patient in every group and without."""
    folder = tmp_path_factory.mktemp("game")
    return {there: _written(folder / f"{there}.csv", there=there) for there in (True, False)}


def _written(path: Path, *, there: bool) -> Path:
    cells = [f"{a},{b}" for a in range(SIDE) for b in range(SIDE)]
    rows = [f"1,{cell}" for cell in cells] + [f"{FAR_OUT},{cell}" for cell in cells if there]
    path.write_text("\n".join(["x,a,b", *rows]) + "\n")
    return path


def released(plan: Plan, file: Path, runs: int = RUNS, silent: Party | None = None) -> Integers:
    """Return the values of so many runs, one after the other, each with randomness of its own.

    The `silent` member draws zeros only, which are the share 0.
    """
    own = [noiseless(open_source(file), plan), *[(0,) * plan.numbers] * 2]

    def one(run: int) -> Integers:
        def randomness(party: Party) -> Callable[[int], bytes]:
            return bytes if party == silent else keyed(f"{plan.protocol} {file.name} {run} {party}")

        drawn = [randomness(party) for party in range(3)]
        first = run_parties(lambda s: running(plan, own[s.me], randomness=drawn[s.me])(s), 3)[0]
        assert isinstance(first, Ran), first
        exact = (result.exact for result in first.release.certificate.results)
        return np.array(list(map(int, exact)))

    return np.concatenate([one(run) for run in range(runs)])


def shown(
    noise: str, files: dict[bool, Path], runs: int = RUNS, silent: Party | None = None
) -> float:
    """Return the epsilon that so many runs with each set of data show."""
    plan = planned(noise)
    one, other = (released(plan, files[there], runs, silent) for there in (True, False))
    assert one.size == runs * SIDE**2
    return epsilon_shown(one, other)


@pytest.mark.parametrize("noise", NOISES)
def test_a_study_shows_no_more_than_its_epsilon(noise: str, files: dict[bool, Path]) -> None:
    assert 0.5 < shown(noise, files) <= EPSILON


@pytest.mark.slow
@pytest.mark.parametrize(("noise", "silent"), [("jointly", None), ("in shares", 2)])
def test_many_studies_show_no_more_than_their_epsilon(
    noise: str, silent: Party | None, files: dict[bool, Path]
) -> None:
    """In shares without the surplus: one of three members adds nothing."""
    assert 0.85 < shown(noise, files, MANY, silent) <= EPSILON


def test_a_member_that_adds_no_noise_takes_nothing_from_the_guarantee(
    files: dict[bool, Path],
) -> None:
    """West draws zeros, which are the share 0: it is the one that shares hold against."""
    assert shown("in shares", files, silent=2) <= EPSILON


@pytest.mark.slow
def test_control_a_missing_share_that_nobody_reckoned_with_is_caught(
    files: dict[bool, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(noised, "colluders", lambda _: 0)
    monkeypatch.setattr(protocols, "colluders", lambda _: 0)
    assert shown("in shares", files, 3 * RUNS, silent=2) > EPSILON


def narrowed(monkeypatch: pytest.MonkeyPatch, part: Fraction) -> None:
    """Let all noise have this part of its scale, and everything else be as it was."""
    real = noised._with_noise

    def narrower(*given: object) -> Vector:
        vector = real(*given)  # type: ignore[arg-type]
        assert isinstance(vector.mechanism, Laplace)
        scale = part * vector.mechanism.scale
        return replace(vector, mechanism=Laplace(vector.mechanism.sensitivity, scale))

    monkeypatch.setattr(noised, "_with_noise", narrower)


@pytest.mark.slow
@pytest.mark.parametrize("noise", NOISES)
def test_control_half_the_noise_is_caught(
    noise: str, files: dict[bool, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    narrowed(monkeypatch, Fraction(1, 2))
    assert shown(noise, files) > EPSILON


@pytest.mark.slow
def test_control_noise_a_tenth_too_narrow_is_caught_in_a_study(
    files: dict[bool, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    narrowed(monkeypatch, Fraction(9, 10))
    assert shown("jointly", files, 2 * MANY) > EPSILON


@pytest.mark.slow
@pytest.mark.parametrize("noise", NOISES)
def test_control_rows_that_are_not_held_to_their_bounds_are_caught(
    noise: str, files: dict[bool, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(private_rows, "_bounded", lambda reading: reading)
    assert shown(noise, files) > 5 * EPSILON


# With a delta: Gaussian noise


def shown_at_delta(files: dict[bool, Path], runs: int) -> float:
    """Return the epsilon that Gaussian noise shows beyond a delta of 0.001."""
    plan = planned("jointly", AT_DELTA)
    one, other = (released(plan, files[there], runs) for there in (True, False))
    return epsilon_shown(one, other, delta=1e-3)


@pytest.mark.slow
def test_a_study_with_a_delta_shows_no_more_than_its_epsilon_beyond_it(
    files: dict[bool, Path],
) -> None:
    assert 0 < shown_at_delta(files, 8) <= EPSILON


@pytest.mark.slow
def test_control_a_third_of_the_gaussian_noise_is_caught(
    files: dict[bool, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = noised._with_noise

    def narrower(*given: object) -> Vector:
        vector = real(*given)  # type: ignore[arg-type]
        assert isinstance(vector.mechanism, Gaussian)
        one = vector.mechanism
        return replace(vector, mechanism=Gaussian(one.squared_sensitivity, one.variance / 9))

    monkeypatch.setattr(noised, "_with_noise", narrower)
    assert shown_at_delta(files, RUNS) > EPSILON
