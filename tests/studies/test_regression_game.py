"""The distinguishing game for regressions: the patient who moves every sum as far as any can.

Files, SQL and the plan's own noise, drawn jointly or as shares; the attacker takes the likelihood
ratio of all sums, which no event of one sum can beat.
"""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from quorate.algebra.ring import to_signed
from quorate.dp import joint
from quorate.dp.mechanisms import Gaussian, Laplace, Mechanism
from quorate.dp.tables import Integers
from quorate.mpc.replicated import Security, convene, reveal
from quorate.mpc.verification import verify
from quorate.studies import private_rows
from quorate.studies.noised import shared
from quorate.studies.plan import Plan
from quorate.studies.private_rows import noiseless
from quorate.studies.protocols import JOINT_NOISE
from quorate.studies.sources import open_source
from quorate.transport.session import Session
from tests.dp.game import epsilon_shown
from tests.dp.keyed import keyed
from tests.mpc.committee import ALL, forget
from tests.parties import run_parties
from tests.studies.test_regressions import planned, written

ASKED = """
[analyses.risk]
kind = "logistic"
formula = "died ~ age"
privacy = {{ {budget} }}
"""
ROWS = ["18,30,none,no", "60,70,old,yes", "40,99,new,no"]
EXTREME = "98,130.5,none,yes"  # 1 in every product
OUT_OF_BOUNDS = "198,330,none,yes"
GAMES, MANY, CONTROLS = 10_000, 100_000, 4_000
EPSILON, RHO = 1, Fraction(1, 2)
GRAIN = 16
"""Steps in which ratios are looked at: an attacker needs no finer ones."""


def sums(plan: Plan, folder: Path, *more: str) -> Integers:
    path = written(folder / "rows.csv", [*ROWS, *more])
    return np.array(noiseless(open_source(path), plan), np.int64)


def drawn(plan: Plan, mechanism: Mechanism, games: int, name: str) -> Integers:
    """Return the noise of so many releases, (games, sums), as the plan's three members make it."""
    count = games * plan.vectors[0].size
    if plan.protocol == JOINT_NOISE:
        found = _jointly(mechanism, count, name, plan.security)
    else:  # one of the three tells its share: those of the others are the whole noise
        noise = shared(mechanism, 3)
        found = noise.draw(count, keyed(f"{name} 0")) + noise.draw(count, keyed(f"{name} 1"))
    return found.reshape(games, -1)


def _jointly(mechanism: Mechanism, count: int, name: str, security: Security) -> Integers:

    async def run(session: Session) -> Integers:
        own = keyed(f"{name} {session.me}")
        committee = await convene(session, b"game", forget, own, security)
        noise = await joint.noise(committee, mechanism, count)
        await verify(committee)
        words = await reveal(committee, noise, ALL)
        assert words is not None
        return to_signed(words)

    first = run_parties(run, 3)[0]
    assert isinstance(first, np.ndarray), first
    return first


def shown(plan: Plan, folder: Path, mechanism: Mechanism, games: int, patient: str) -> float:
    """Return the epsilon that so many releases show of one patient."""
    one, other = sums(plan, folder, patient), sums(plan, folder)
    moved = (one - other).astype(float)

    def ratio(truth: Integers, name: str) -> Integers:
        seen = truth + drawn(plan, mechanism, games, name)
        if isinstance(mechanism, Laplace):
            apart = np.abs(seen - other) - np.abs(seen - one)
            found = apart.sum(axis=1) / float(mechanism.scale)
        else:
            apart = (seen - other) @ moved - (moved @ moved) / 2
            found = apart / float(mechanism.variance)
        whole: Integers = np.floor(found * GRAIN).astype(np.int64)
        return whole

    return epsilon_shown(ratio(one, "with"), ratio(other, "without"))


def pure(noise: str) -> tuple[Plan, Laplace]:
    plan = planned(ASKED, budget=f"epsilon = {EPSILON}", noise=noise)
    mechanism = plan.vectors[0].mechanism
    assert isinstance(mechanism, Laplace)
    return plan, mechanism


@pytest.mark.parametrize("noise", ["jointly", "in shares"])
@pytest.mark.parametrize("games", [GAMES, pytest.param(MANY, marks=pytest.mark.slow)])
def test_a_regression_shows_no_more_than_its_epsilon(
    tmp_path: Path, noise: str, games: int
) -> None:
    plan, mechanism = pure(noise)
    assert 0.3 < shown(plan, tmp_path, mechanism, games, EXTREME) <= EPSILON


@pytest.mark.slow
@pytest.mark.parametrize("noise", ["jointly", "in shares"])
def test_control_a_third_of_the_noise_of_a_regression_is_caught(tmp_path: Path, noise: str) -> None:
    plan, mechanism = pure(noise)
    thin = Laplace(mechanism.sensitivity, mechanism.scale / 3)
    assert shown(plan, tmp_path, thin, CONTROLS, EXTREME) > EPSILON


def test_control_rows_of_a_regression_that_are_not_clamped_are_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, mechanism = pure("in shares")
    assert shown(plan, tmp_path, mechanism, CONTROLS, OUT_OF_BOUNDS) <= EPSILON
    monkeypatch.setattr(private_rows, "_bounded", lambda reading: reading)
    assert shown(plan, tmp_path, mechanism, CONTROLS, OUT_OF_BOUNDS) > EPSILON


# A rho has no epsilon of its own: of all sums together the likelihood ratio is normal, and moves
# by 2 rho between the two, in units of its variance


def separation(plan: Plan, folder: Path, mechanism: Gaussian, games: int) -> float:
    """Return (difference of means)^2 / (2 variance) of the likelihood ratio: what rho bounds."""
    one, other = sums(plan, folder, EXTREME), sums(plan, folder)
    moved = (one - other).astype(float)
    along = drawn(plan, mechanism, games, "gaussian") @ moved
    return float(moved @ moved) ** 2 / (2 * float(along.var()))


def paid_in_rho(noise: str, *accept: str) -> tuple[Plan, Gaussian]:
    plan = planned(ASKED, budget="rho = 0.5", noise=noise, accept=accept)
    mechanism = plan.vectors[0].mechanism
    assert isinstance(mechanism, Gaussian)
    return plan, mechanism


@pytest.mark.parametrize(
    ("noise", "accept"),
    [
        ("in shares", ()),
        ("jointly", ("semi-honest",)),
        pytest.param("jointly", (), marks=pytest.mark.slow),
    ],
)
def test_a_regression_paid_in_rho_is_told_apart_by_no_more(
    tmp_path: Path, noise: str, accept: tuple[str, ...]
) -> None:
    plan, mechanism = paid_in_rho(noise, *accept)
    assert mechanism.rho == RHO
    assert 0.4 < separation(plan, tmp_path, mechanism, GAMES) < 0.53  # 5 standard errors


@pytest.mark.parametrize(("noise", "accept"), [("in shares", ()), ("jointly", ("semi-honest",))])
def test_control_half_the_variance_of_a_regression_is_told_apart(
    tmp_path: Path, noise: str, accept: tuple[str, ...]
) -> None:
    plan, mechanism = paid_in_rho(noise, *accept)
    thin = Gaussian(mechanism.squared_sensitivity, mechanism.variance / 2)
    assert separation(plan, tmp_path, thin, GAMES) > 0.8
