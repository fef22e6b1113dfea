"""Several computations of one engine are verified at once, and before anything is revealed."""

from collections.abc import Iterable, Iterator

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from quorate.algebra.ring import Words
from quorate.errors import Abort, Error
from quorate.mpc import price, replicated, verification
from quorate.mpc.engine import Secure
from quorate.mpc.numbers import Revealed
from quorate.mpc.price import NOTHING
from quorate.mpc.replicated import Committee, Share
from quorate.mpc.secret import SecretArray, deal
from quorate.transport.session import Session
from tests.mpc.committee import ALL, meet
from tests.parties import run_parties

CHEAT = 1
NUMBERS = np.array([3, 1, 4, 1, 5])


async def begun(session: Session) -> tuple[Secure, SecretArray]:
    secure = Secure(await meet(session, "malicious"))
    return secure, await deal(secure, 0, NUMBERS, shape=NUMBERS.shape, limit=9)


async def in_three(session: Session) -> Revealed | None:
    """Compute a fourth power, squared step by step, and whether it is 81."""
    _, x = await begun(session)
    square = await (x * x).compute()
    fourth = await (square * square).compute()
    return await (fourth == 81).reveal(to=ALL)


def test_nothing_is_verified_before_it_is_to_be_revealed() -> None:
    async def run(session: Session) -> None:
        secure, x = await begun(session)
        (again := x * x).cost()
        for step, expected in ((again, price.mul(5)), (again * 2 + x * x, price.mul(5))):
            said, rounds = step.cost(), session.rounds
            await step.compute()
            assert session.rounds - rounds == said.rounds == expected.cost.rounds
        assert secure.claims == price.mul(5).claims + price.mul(5).claims + price.mul(5).claims

    for outcome in run_parties(run, 3).values():
        assert outcome is None


def test_what_was_computed_before_is_verified_with_the_next_reveal_and_paid_then() -> None:
    async def run(session: Session) -> None:
        secure, x = await begun(session)
        square = await (x * x).compute()
        fourth = square * square
        said, rounds, sent = fourth.cost(to=ALL), session.rounds, session.meter.bytes_sent
        assert_array_equal(np.asarray(await fourth.reveal(to=ALL)), NUMBERS**4)
        assert session.rounds - rounds == said.rounds
        assert session.meter.bytes_sent - sent == said.bytes_sent[session.me]
        assert secure.claims == NOTHING

    for outcome in run_parties(run, 3).values():
        assert outcome is None


def lying_in_the_first() -> list[Revealed | Error | None]:
    """Let a party add 1 to the first product of several computations."""
    real, done = replicated.reshare, list[bool]()

    async def lie(committee: Committee, parts: Iterable[Words], z: Words) -> Share:
        def wrong() -> Iterator[Words]:
            for part in parts:
                part[:1] += np.uint64(1)
                yield part

        lies = committee.me == CHEAT and not done
        done.extend([True] * lies)
        return await real(committee, wrong() if lies else parts, z)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replicated, "reshare", lie)
        outcomes = run_parties(in_three, 3)
    return [outcome for party, outcome in outcomes.items() if party != CHEAT]


def test_an_error_in_the_first_of_several_computations_is_found_before_the_reveal() -> None:
    for outcome in lying_in_the_first():
        assert isinstance(outcome, Abort)


def test_control_without_verifying_before_the_reveal_it_bends_the_result(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def trusting(committee: Committee, _: object) -> None:
        assert committee.record is not None
        committee.record.take()
        committee.record.verified()

    monkeypatch.setattr(verification, "verify", trusting)
    for outcome in lying_in_the_first():
        assert np.asarray(outcome)[0] == 0  # 3^4 is 81


def test_what_would_take_too_much_room_is_verified_on_the_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also while nothing is revealed: never are more claims kept than of the last step."""
    room = 2 * 6 * NUMBERS.size
    monkeypatch.setattr(verification, "ROOM", room)
    monkeypatch.setattr(price, "ROOM", room)

    async def run(session: Session) -> None:
        secure, x = await begun(session)
        for _ in range(5):
            one = x * x
            said, rounds = one.cost(), session.rounds
            await one.compute()
            assert session.rounds - rounds == said.rounds
            assert secure.claims.words < room

    for outcome in run_parties(run, 3).values():
        assert outcome is None
