"""The distinguishing game through the code that releases: what holds, and what must be caught.

Each path has a patient whose row is as far out as it can be, or lacks it; what is released is
what an attacker has, its own share of noise taken away where it knows one.
"""

from collections.abc import Callable
from fractions import Fraction
from functools import reduce

import numpy as np
import pytest
from numpy.typing import NDArray

from quorate.algebra.ring import from_signed, to_signed
from quorate.dp import estimates, geometric, joint, local, queries, shares
from quorate.dp.mechanisms import Bounds, Laplace, Unit
from quorate.dp.shares import SharedLaplace
from quorate.dp.tables import Integers
from quorate.mpc import secret
from quorate.mpc.agreement import Randomness
from quorate.mpc.engine import Secure
from quorate.mpc.replicated import Committee, Share, convene, deal, reveal
from quorate.mpc.verification import verify
from quorate.transport.session import Session
from tests.dp.game import at_least, bound, epsilon_shown
from tests.dp.keyed import keyed
from tests.mpc.committee import ALL, forget
from tests.parties import run_parties

DRAWS = 100_000
MANY_TIMES = 2
AT_ONCE = 20_000
EPSILON = Fraction(1)
BOUNDS = Bounds(Fraction(-2), Fraction(3), Fraction(1), "protocol, section 3")
WITH = (np.array([1, 2]), np.array([0, 10**15]), np.array([-1]))
"""Rows at three members; the second has a patient far out of bounds."""

WITHOUT = (np.array([1, 2]), np.array([0]), np.array([-1]))

Floats = NDArray[np.float64]
Data = tuple[Integers, Integers, Integers]
Path = Callable[[Data, Laplace, int, str], Integers]


def in_one_place(data: Data, mechanism: Laplace, draws: int, name: str) -> Integers:
    """A third party sees the rows, and draws the noise."""
    total = sum(int(estimates.total(BOUNDS, rows)[0]) for rows in data)
    return total + geometric.discrete_laplace(mechanism.scale, draws, keyed(name))


def _portions(draws: int) -> list[int]:
    """Return how many to draw in one session: the network in memory keeps what was sent."""
    return [min(AT_ONCE, draws - start) for start in range(0, draws, AT_ONCE)]


def jointly(data: Data, mechanism: Laplace, draws: int, name: str) -> Integers:
    """Three parties add up shares, and noise that none of them knows."""

    def some(at: int, count: int) -> Integers:
        async def run(session: Session) -> Integers:
            own = keyed(f"{name} {at} {session.me}")
            committee = await convene(session, b"game", forget, own)
            noise = await joint.discrete_laplace(committee, mechanism.scale, count)
            parts = [noise, *[await _dealt(committee, p, data[p], count) for p in ALL]]
            await verify(committee)
            words = await reveal(committee, reduce(_sum, parts), ALL)
            assert words is not None
            return to_signed(words)

        return _first(run_parties(run, 3)[0])

    return np.concatenate([some(at, count) for at, count in enumerate(_portions(draws))])


def _sum(x: Share, y: Share) -> Share:
    return Share(x.own + y.own, x.next + y.next)


async def _dealt(committee: Committee, owner: int, rows: Integers, draws: int) -> Share:
    mine = np.repeat(from_signed(estimates.total(BOUNDS, rows)), draws)
    return await deal(committee, owner, mine)


def in_shares(colluders: int) -> Path:
    """Each of three adds a share; member 0 takes its own away again from what is released."""

    def path(data: Data, mechanism: Laplace, draws: int, name: str) -> Integers:
        noise = SharedLaplace(mechanism.scale, 3, colluders)

        async def run(session: Session) -> Integers:
            (found,) = await shares.noisy_sum(
                session,
                [np.repeat(estimates.total(BOUNDS, data[session.me]), draws)],
                [noise],
                context=b"game",
                claim=forget,
                randomness=keyed(f"{name} {session.me}"),
            )
            return found

        return _first(run_parties(run, 3)[0]) - noise.draw(draws, keyed(f"{name} 0"))

    return path


def _first(outcome: object) -> Integers:
    assert isinstance(outcome, np.ndarray), outcome
    return outcome


PATHS = {"in one place": in_one_place, "jointly": jointly, "in shares": in_shares(colluders=1)}


def shown(path: Path, times: int = 1, scaled: Fraction = Fraction(1)) -> float:
    """Return the epsilon that so many times `DRAWS` releases of each set of data show."""
    mechanism = queries.total(BOUNDS, Unit(), EPSILON).mechanism
    assert isinstance(mechanism, Laplace)
    thinner = Laplace(mechanism.sensitivity, mechanism.scale * scaled)
    one, other = (
        np.concatenate([path(data, thinner, DRAWS, f"{i} {data[1].size}") for i in range(times)])
        for data in (WITH, WITHOUT)
    )
    return epsilon_shown(one, other)


@pytest.mark.parametrize("path", PATHS)
def test_a_release_shows_no_more_than_its_epsilon(path: str) -> None:
    assert 0.85 < shown(PATHS[path]) <= EPSILON


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS)
def test_many_releases_show_no_more_than_their_epsilon(path: str) -> None:
    assert 0.93 < shown(PATHS[path], MANY_TIMES) <= EPSILON


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS)
def test_control_noise_a_tenth_too_narrow_is_caught(path: str) -> None:
    assert shown(PATHS[path], times=3, scaled=Fraction(9, 10)) > EPSILON


def test_control_a_share_that_is_known_to_more_than_assumed_is_caught() -> None:
    """Noise that all three would have to make, of which one knows its part."""
    assert shown(in_shares(colluders=0)) > EPSILON


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS)
def test_control_a_row_that_is_not_clamped_is_caught(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Bounds, "clamped", lambda _, rows: rows)
    assert shown(PATHS[path]) > 5


@pytest.mark.parametrize("path", PATHS)
def test_control_the_same_randomness_twice_is_caught(path: str) -> None:
    """Two releases with the same noise differ by the patient: by exactly the clamped row."""
    mechanism = queries.total(BOUNDS, Unit(), EPSILON).mechanism
    assert isinstance(mechanism, Laplace)
    one, other = (PATHS[path](data, mechanism, 100, "again") for data in (WITH, WITHOUT))
    assert set((one - other).tolist()) == {3}
    fresh = PATHS[path](WITHOUT, mechanism, 100, "fresh")
    assert len(set((one - fresh).tolist())) > 5


def test_records_show_no_more_than_their_epsilon() -> None:
    ages = Bounds(Fraction(18), Fraction(100), Fraction(1), "protocol")
    for mechanism in (
        local.response(3, Unit(), EPSILON),
        local.mean(ages, Unit(), EPSILON),
        local.mean(ages, Unit(), Fraction(5)),
    ):
        limit = 5 if isinstance(mechanism, local.Window) else 1
        ends = (18, 100) if not isinstance(mechanism, local.Response) else (0, 2)
        draws = [mechanism.perturbed(np.full(DRAWS, end), keyed(f"record {end}")) for end in ends]
        assert 0.6 * limit < epsilon_shown(draws[0], draws[1]) <= limit


def places(counts: list[int], mechanism: Laplace) -> Integers:
    """Return where the noisy largest of these counts is, again and again."""
    table = np.repeat(np.array(counts).reshape(-1, 1), DRAWS // 5, axis=1)

    async def run(session: Session) -> Integers:
        name = f"largest {counts} {session.me}"
        committee = await convene(session, b"game", forget, keyed(name))
        engine = Secure(committee.at("engine"))
        rows = await secret.deal(engine, 0, table, shape=table.shape, limit=100)
        place = await joint.noisy_max(committee.at("noise"), rows, mechanism)
        found = await place.reveal(to=ALL)
        assert found is not None
        return found.astype(np.int64)

    return _first(run_parties(run, 3)[0])


def test_the_place_of_the_largest_shows_no_more_than_its_epsilon() -> None:
    mechanism = queries.noisy_max(3, Unit(), EPSILON).mechanism
    assert isinstance(mechanism, Laplace)
    one, other = (places(counts, mechanism) for counts in ([2, 2, 2], [3, 2, 2]))
    assert 0.1 < epsilon_shown(one, other) <= EPSILON


def test_control_a_largest_with_a_tenth_of_its_noise_is_caught() -> None:
    thin = Laplace(2, Fraction(1, 5))
    one, other = (places(counts, thin) for counts in ([2, 2, 2], [3, 2, 2]))
    assert epsilon_shown(one, other) > EPSILON


# Noise in floats: which numbers can come out tells what went in


def float_noise(count: int, randomness: Randomness) -> Floats:
    """Textbook noise: -b ln(u) with a sign, u one of 2^53 numbers up to 1."""
    words = np.frombuffer(randomness(16 * count), np.uint64).reshape(2, count)
    u = ((words[0] >> np.uint64(11)) + np.uint64(1)) / 2.0**53
    noise: Floats = np.where(words[1] & np.uint64(1), 1.0, -1.0) * -np.log(u)
    return noise


def reachable(found: Floats, value: float) -> NDArray[np.bool_]:
    """Return which outputs `value` could have given: whether some u near the right one does."""
    size = np.abs(found - value)
    nearest = np.rint(np.exp(-size) * 2.0**53)
    sign = np.where(found >= value, 1.0, -1.0)
    hit = np.zeros(found.shape, np.bool_)
    for step in range(-40, 41):
        u = np.clip(nearest + step, 1, 2.0**53) / 2.0**53
        hit |= value + sign * -np.log(u) == found
    return hit


def test_whole_noise_has_no_number_that_only_one_value_could_have_given() -> None:
    """Every step of the grid comes out for both, as far as draws reach."""
    one, other = (in_one_place(d, Laplace(3, Fraction(3)), DRAWS, "grid") for d in (WITH, WITHOUT))
    for found in (one, other):
        assert set(range(-8, 14)) <= set(found.tolist())


def test_control_noise_in_floats_is_caught() -> None:
    draws = 20_000
    outputs = [value + float_noise(draws, keyed(f"float {value}")) for value in (0.0, 1.0)]
    away = [int((~reachable(found, 1.0)).sum()) for found in outputs]
    assert away[0] > 0.1 * draws
    assert bound(away[0], away[1], draws) > 5


def test_intervals_hold_what_they_promise() -> None:
    """Known values of Clopper and Pearson's bound."""
    assert at_least(0, 10, 0.025) == 0
    assert at_least(10, 10, 0.025) == pytest.approx(0.025**0.1)
    assert at_least(5, 10, 0.025) == pytest.approx(0.1871, abs=1e-4)
    assert 1 - at_least(5, 10, 0.025) == pytest.approx(0.8129, abs=1e-4)
