"""Noise in shares: what the honest add is whole noise, exactly when enough of them are there."""

from collections.abc import Awaitable, Callable
from fractions import Fraction

import numpy as np
import pytest

from quorate.dp import planning, shares, tables
from quorate.dp.mechanisms import Laplace
from quorate.dp.shares import SharedGaussian, SharedLaplace, SharedNoise, default_colluders
from quorate.dp.tables import Integers
from quorate.errors import Abort, Refused
from quorate.mpc.additive import cost
from quorate.transport.session import Session
from tests.dp.keyed import keyed
from tests.dp.laws import gaussian, laplace, probabilities, unlike
from tests.faults import silence
from tests.mpc.committee import forget
from tests.parties import measure, run_parties

CELLS = 20_000
SCALE = Fraction(41, 5)


def summing(
    noise: Callable[[int], SharedNoise], name: str, count: int = CELLS
) -> Callable[[Session], Awaitable[Integers]]:
    """Let member p add p + 1 to every cell, with the noise that it believes in."""

    async def run(session: Session) -> Integers:
        (found,) = await shares.noisy_sum(
            session,
            [np.full(count, session.me + 1)],
            [noise(session.me)],
            context=b"test",
            claim=forget,
            randomness=keyed(f"{name} {session.me}"),
        )
        return found

    return run


def noisy(noise: SharedNoise, name: str) -> Integers:
    """Return the noise in the total that all members see."""
    n = noise.members
    outcomes = list(run_parties(summing(lambda _: noise, name), n).values())
    for outcome in outcomes:
        assert isinstance(outcome, np.ndarray)
        np.testing.assert_array_equal(outcome, outcomes[0])
    first = outcomes[0]
    assert isinstance(first, np.ndarray)
    return first - n * (n + 1) // 2


def own_share(noise: SharedNoise, name: str, member: int) -> Integers:
    """Return what a member added: the first that it draws."""
    return noise.draw(CELLS, keyed(f"{name} {member}"))


@pytest.mark.parametrize(("n", "t"), [(2, 0), (3, 0), (3, 1), (3, 2), (5, 2), (10, 4)])
def test_what_colluders_cannot_take_away_is_whole_laplace_noise(n: int, t: int) -> None:
    noise, name = SharedLaplace(SCALE, n, t), f"honest {n} {t}"
    left = noisy(noise, name)
    for colluder in range(t):
        left = left - own_share(noise, name, colluder)
    assert not unlike(left, laplace(SCALE))
    assert noise.inflation == Fraction(n, n - t)


@pytest.mark.parametrize(("n", "t"), [(3, 1), (4, 0)])
def test_gaussian_shares_add_up_as_well(n: int, t: int) -> None:
    noise, name = SharedGaussian(Fraction(100), n, t), f"gaussian {n} {t}"
    left = noisy(noise, name)
    for colluder in range(t):
        left = left - own_share(noise, name, colluder)
    assert not unlike(left, gaussian(Fraction(100)))
    assert noise.distance < Fraction(1, 1 << 110)


def test_control_with_one_colluder_more_than_assumed_the_noise_is_too_small() -> None:
    noise, name = SharedLaplace(SCALE, 3, 1), "one more"
    left = noisy(noise, name)
    for colluder in range(2):
        left = left - own_share(noise, name, colluder)
    assert unlike(left, laplace(SCALE))
    assert left.std() < 0.8 * 2**0.5 * float(SCALE)


@pytest.mark.parametrize(("sensitivity", "known"), [(1, 1.389), (82, 1.875)])
def test_with_a_colluder_too_many_the_guarantee_is_worse_and_not_void(
    sensitivity: int, known: float
) -> None:
    """Shares made for three honest members, at epsilon 1; one of the three tells its own."""
    law = probabilities(tables.negative_binomial(Fraction(sensitivity), 3))
    one = np.array([float(p) for p in law])
    two = np.convolve(one, one)[: 40 * sensitivity + 200]
    noise = np.convolve(two, two[::-1])
    middle, reach = two.size - 1, 8 * sensitivity + 5
    shift = range(middle - reach, middle + reach)
    loss = max(float(np.log(noise[x] / noise[x - sensitivity])) for x in shift)
    assert loss == pytest.approx(known, abs=1e-3)


def test_each_vector_has_its_own_noise() -> None:
    narrow, wide = SharedLaplace(Fraction(1), 3, 1), SharedLaplace(Fraction(100), 3, 1)
    stages: list[str] = []

    async def run(session: Session) -> tuple[Integers, ...]:
        return await shares.noisy_sum(
            session,
            [np.zeros(2000, np.int64), np.full(3000, 10)],
            [narrow, wide],
            context=b"test",
            claim=forget,
            randomness=keyed(f"two {session.me}"),
            progress=stages.append if session.me == 0 else lambda _: None,
        )

    found = run_parties(run, 3)[0]
    assert isinstance(found, tuple)
    first, second = found
    assert (first.size, second.size) == (2000, 3000)
    assert first.std() == pytest.approx(
        planning.variance_of(Laplace(1, Fraction(1))) ** 0.5 * 1.5**0.5, rel=0.1
    )
    assert second.std() == pytest.approx(100 * 3**0.5, rel=0.1)
    assert stages[-1] == "opening"


def test_a_ledger_that_refuses_to_open_ends_the_run_before_anything_is_revealed() -> None:
    def full(stage: str) -> None:
        if stage == "opening":
            raise Refused("opened already")

    async def run(session: Session) -> tuple[Integers, ...]:
        return await shares.noisy_sum(
            session,
            [np.zeros(5, np.int64)],
            [SharedLaplace(SCALE, 3, 1)],
            context=b"test",
            claim=forget,
            randomness=keyed(f"full {session.me}"),
            progress=full if session.me == 1 else lambda _: None,
        )

    outcomes = run_parties(run, 3)
    assert isinstance(outcomes[1], Refused)
    assert all(isinstance(outcomes[p], Abort) for p in (0, 2))


def test_all_shares_together_are_as_wide_as_said() -> None:
    found = noisy(SharedLaplace(Fraction(82), 3, 1), "inflated")
    assert found.std() == pytest.approx(82 * (2 * 1.5) ** 0.5, rel=0.03)


def test_costs_a_secure_sum() -> None:
    outcomes, rounds, sent = measure(
        summing(lambda _: SharedLaplace(SCALE, 3, 1), "cost", count=10), 3
    )
    assert all(isinstance(o, np.ndarray) for o in outcomes.values())
    said = cost(3, 10)
    assert (rounds, set(sent.values())) == (said.rounds, {said.bytes_sent})
    assert "5 rounds, (n - 1) * (8 * m + 227) bytes" in (shares.noisy_sum.__doc__ or "")
    assert (rounds, said.bytes_sent) == (5, 2 * (8 * 10 + 227))


@pytest.mark.parametrize("gone", [0, 2])
def test_who_drops_out_voids_the_run(gone: int) -> None:
    run = summing(lambda _: SharedLaplace(SCALE, 3, 1), "gone", count=10)
    outcomes = run_parties(run, 3, silence(gone))
    for member in {0, 1, 2} - {gone}:
        outcome = outcomes[member]
        assert isinstance(outcome, Abort)
        assert outcome.suspects == {gone}
        assert not outcome.culprits


@pytest.mark.parametrize(
    "other",
    [
        SharedLaplace(SCALE / 2, 3, 1),
        SharedLaplace(SCALE, 3, 2),
        SharedGaussian(Fraction(100), 3, 1),
    ],
)
def test_members_that_assume_other_noise_share_no_result(other: SharedNoise) -> None:
    usual = SharedLaplace(SCALE, 3, 1)
    run = summing(lambda me: other if me == 2 else usual, "other", count=10)
    found = [o for o in run_parties(run, 3).values() if isinstance(o, np.ndarray)]
    assert all(np.abs(one).max() > 1 << 40 for one in found)  # masks that do not cancel: noise


@pytest.mark.parametrize(("n", "t"), [(3, 3), (3, -1), (1, 1)])
def test_noise_that_nobody_honest_adds_is_refused(n: int, t: int) -> None:
    with pytest.raises(Refused):
        SharedLaplace(SCALE, n, t)
    with pytest.raises(Refused):
        SharedGaussian(Fraction(1000), n, t)


def test_gaussian_shares_that_are_too_narrow_are_refused() -> None:
    SharedGaussian(Fraction(32), 3, 1)
    with pytest.raises(Refused, match="narrow"):
        SharedGaussian(Fraction(31), 3, 1)


def test_noise_for_another_number_of_members_is_refused() -> None:
    run = summing(lambda _: SharedLaplace(SCALE, 4, 1), "four", count=10)
    assert all(isinstance(o, Refused) for o in run_parties(run, 3).values())


def test_the_largest_minority_is_assumed() -> None:
    assert [default_colluders(n) for n in (2, 3, 4, 5, 10)] == [0, 1, 1, 2, 4]
