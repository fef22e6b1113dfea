"""A release from rows to answer, with all parts: bounds, query, noise, charge, ledger, estimate."""

from datetime import UTC, datetime
from fractions import Fraction

import numpy as np
import pytest

from quorate import wire
from quorate.algebra.ring import from_signed, to_signed
from quorate.dp import accounting, estimates, joint, planning, queries, shares
from quorate.dp.accounting import NANO, Charge
from quorate.dp.caps import Cap
from quorate.dp.chain import NOTHING_SEEN, Release, State
from quorate.dp.ledger import Ledger
from quorate.dp.mechanisms import Bounds, Laplace, Unit
from quorate.dp.queries import Noised
from quorate.dp.shares import SharedLaplace
from quorate.dp.tables import Integers
from quorate.errors import Refused
from quorate.mpc.replicated import Share, convene, deal, reveal
from quorate.mpc.verification import verify
from quorate.transport.session import Session, together
from tests.dp.keyed import keyed
from tests.dp.stores import MemoryStore
from tests.mpc.committee import ALL, forget
from tests.parties import run_parties

NOW = datetime(2030, 1, 1, tzinfo=UTC)
AGES = Bounds(Fraction(18), Fraction(100), Fraction(1), "study protocol, section 3")
EPSILON = Fraction(1)
ROWS = tuple(40 + np.arange(400 + 100 * p) * 7 % 50 for p in range(3))
"""Three hospitals' ages, 1,500 in all."""

TRUTH = float(np.concatenate(ROWS).mean())


def laplace(noised: Noised) -> Laplace:
    assert isinstance(noised.mechanism, Laplace)
    return noised.mechanism


def vectors(member: int) -> list[Integers]:
    rows, centred, _ = estimates.centred_sums(AGES, ROWS[member]).tolist()
    return [np.array([rows]), np.array([centred])]


def release(parts: tuple[Noised, ...], distance: Fraction) -> Release:
    charges = [accounting.charge(part.mechanism, part.cells * distance) for part in parts]
    words = ", ".join(f"{part.name}: Laplace, scale {laplace(part).scale}" for part in parts)
    plan = wire.digest("test plan", (AGES.source, words))
    return Release("mean age", plan, words, accounting.total(charges))


def mean_in_shares(ledgers: list[Ledger]) -> list[Fraction | Exception]:
    """Each member reserves, adds noise, opens, and keeps the answer."""
    parts = queries.mean(AGES, Unit(), EPSILON)
    noises = [SharedLaplace(laplace(part).scale, 3, 1) for part in parts]
    asked = release(parts, max(noise.distance for noise in noises))

    async def run(session: Session) -> Fraction:
        ledger, cap = ledgers[session.me], Cap(nano_epsilon=NANO)
        known = ledger.reserve(asked, cap, NOW)
        if known is None:

            def stage(name: str) -> None:
                if name == "opening":
                    ledger.open(asked.name, NOW)

            found = await shares.noisy_sum(
                session,
                vectors(session.me),
                noises,
                context=asked.plan,
                claim=forget,
                randomness=keyed(f"whole {session.me}"),
                progress=stage,
            )
            known = wire.encode(tuple(int(vector[0]) for vector in found))
            ledger.release(asked.name, known, NOW)
        rows, centred = wire.decode(known, tuple[int, int])
        return estimates.mean_from(AGES, rows, centred)

    return list(run_parties(run, 3).values())


def test_a_mean_in_shares_is_charged_released_and_answered_again_for_free() -> None:
    ledgers = [Ledger(MemoryStore()) for _ in range(3)]
    first, *others = mean_in_shares(ledgers)
    assert others == [first, first]
    assert isinstance(first, Fraction)
    expected = (
        sum(
            (planning.error_of(part) * factor) ** 2
            for part, factor in zip(
                queries.mean(AGES, Unit(), EPSILON), (TRUTH - 59, 1), strict=True
            )
        )
        ** 0.5
        * 1.5**0.5
        / 1500
    )
    assert abs(float(first) - TRUTH) < 5 * expected < 2
    assert float(first) != TRUTH
    for ledger in ledgers:
        assert [entry.state for entry in ledger.verified(NOTHING_SEEN)] == list(State)
        assert ledger.spent() == Charge(NANO, NANO // 4, 2)
    assert mean_in_shares(ledgers) == [first] * 3
    assert all(ledger.spent().nano_epsilon == NANO for ledger in ledgers)


def test_a_member_whose_budget_is_spent_stops_the_run_before_anything_is_sent() -> None:
    ledgers = [Ledger(MemoryStore()) for _ in range(3)]
    spent = Release("before", bytes(32), "Laplace", Charge(1, 1, 0))
    ledgers[1].reserve(spent, Cap(nano_epsilon=NANO), NOW)
    outcomes = mean_in_shares(ledgers)
    assert isinstance(outcomes[1], Refused)
    assert not [one for one in outcomes if isinstance(one, Fraction)]
    assert [len(ledger.verified(NOTHING_SEEN)) for ledger in ledgers] == [1, 1, 1]


def test_the_same_mean_from_noise_that_three_draw_jointly() -> None:
    parts = queries.mean(AGES, Unit(), EPSILON)

    async def run(session: Session) -> Fraction:
        committee = await convene(session, b"test", forget, keyed(f"jointly {session.me}"))
        drawn = [
            joint.discrete_laplace(committee.at(f"noise {i}"), laplace(part).scale, 1)
            for i, part in enumerate(parts)
        ]
        noises = await together(*drawn)
        await verify(committee)
        found = []
        for i, noise in enumerate(noises):
            total = noise
            for owner in ALL:
                one = await deal(committee, owner, from_signed(vectors(owner)[i]))
                total = Share(total.own + one.own, total.next + one.next)
            words = await reveal(committee, total, ALL)
            assert words is not None
            found.append(int(to_signed(words)[0]))
        return estimates.mean_from(AGES, *found)

    first, *others = run_parties(run, 3).values()
    assert others == [first, first]
    assert isinstance(first, Fraction)
    assert float(first) == pytest.approx(TRUTH, abs=1.5)
    assert float(first) != TRUTH
