"""A member that waits for the others before it speaks cannot choose the total.

The controls let it: with seeds opened too early, or commitments not compared.
"""

import asyncio
import hmac
import secrets
from collections.abc import Awaitable, Callable

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from quorate.algebra.ring import Words
from quorate.errors import Abort, Party
from quorate.mpc import additive
from quorate.mpc.additive import Total, commit, secure_sum
from quorate.mpc.agreement import Agreement, agree
from quorate.mpc.streams import Stream
from quorate.transport.session import Session
from tests.parties import run_parties

CHEAT = 2
X = np.array([[1, 2, 3, 4], [10, 20, 30, 40], [0, 0, 0, 0]], np.uint64)
WISH = np.array([11, 22, 33, 2**63], np.uint64)


def forget(session_id: bytes) -> None:
    """Claim nothing: these tests are not about reuse."""


def honest(session: Session) -> Awaitable[Total]:
    return secure_sum(
        session, X[session.me], context=b"", claim=forget, randomness=secrets.token_bytes
    )


async def hear(session: Session, size: int) -> dict[Party, bytes]:
    """Take the next step without a word: return what all others say in it."""
    label = session.label()
    heard = await asyncio.gather(*(session.channel.expect(p, label, size) for p in session.others))
    return {p: bytes(said) for p, said in zip(session.others, heard, strict=True)}


async def say(session: Session, message: bytes) -> None:
    """Say it in the step that was listened to last."""
    label = f"{session.path}/{session._steps}"
    for party in session.others:
        await session.channel.send(party, label, len(message), message)


async def bonded(session: Session) -> tuple[bytes, Agreement]:
    seed = secrets.token_bytes(32)
    bond = await agree(session, b"", commit(session.me, seed), forget, secrets.token_bytes)
    return seed, bond


def masked(session: Session, bond: Agreement, seed: bytes) -> Words:
    z = np.empty(WISH.size, np.uint64)
    for _ in additive._masked(session, X[session.me], bond, seed, out=z):
        pass
    return z


def pads(seeds: dict[Party, bytes]) -> Words:
    summed = np.zeros_like(WISH)
    for seed in seeds.values():
        summed += Stream(seed, "pad").words(WISH.size)
    return summed


def words(said: dict[Party, bytes]) -> Words:
    summed = np.zeros_like(WISH)
    for z in said.values():
        summed += np.frombuffer(z, np.uint64)
    return summed


def run_against(
    cheat: Callable[[Session], Awaitable[object]],
    others: Callable[[Session], Awaitable[object]] = honest,
) -> list[object]:
    """Return what the honest members end with."""

    async def either(session: Session) -> object:
        return await (cheat if session.me == CHEAT else others)(session)

    outcomes = run_parties(either, len(X))
    return [outcomes[p] for p in range(len(X)) if p != CHEAT]


async def steer_by_vector(session: Session) -> None:
    """Hear every z, then send one that would make the total `WISH` if pads were known."""
    seed, _ = await bonded(session)
    theirs = await hear(session, WISH.nbytes)
    z = WISH - words(theirs) + Stream(seed, "pad").words(WISH.size)
    await say(session, z.tobytes())
    by_seat = [*(np.frombuffer(theirs[p], np.uint64) for p in session.others), z]
    await session.confirm(*by_seat)
    await session.exchange(seed)


def test_the_last_to_send_its_vector_misses_what_it_aims_at() -> None:
    for outcome in run_against(steer_by_vector):
        assert isinstance(outcome, Total)
        assert not (outcome.words == WISH).any()


def test_control_with_seeds_opened_first_it_hits() -> None:
    async def opening_first(session: Session) -> Words:
        seed, bond = await bonded(session)
        seeds = await session.exchange(seed)
        everyones = await session.exchange(masked(session, bond, seed))
        total = additive._add_up(everyones, WISH.size, chunked=False)
        additive._remove_pads(total, seeds)
        return total

    async def steer(session: Session) -> None:
        seed, _ = await bonded(session)
        seeds = dict(enumerate(await session.exchange(seed)))
        theirs = await hear(session, WISH.nbytes)
        await say(session, (WISH - words(theirs) + pads(seeds)).tobytes())

    for total in run_against(steer, opening_first):
        assert isinstance(total, np.ndarray)
        assert_array_equal(total, WISH)


async def steer_by_seed(session: Session) -> None:
    """Hear every seed, then open whichever of many makes the last byte of the total 77."""
    seed, bond = await bonded(session)
    everyones = await session.exchange(masked(session, bond, seed))
    await session.confirm(*everyones)
    seeds = await hear(session, 32)
    open_sum = np.sum(everyones, axis=0, dtype=np.uint64) - pads(seeds)
    mine = seed
    while int((open_sum - pads({CHEAT: mine}))[0]) % 256 != 77:
        mine = secrets.token_bytes(32)
    await say(session, mine)


def test_the_last_to_open_cannot_choose_among_seeds() -> None:
    for outcome in run_against(steer_by_seed):
        if isinstance(outcome, Total):  # one time in 256 the committed seed is the wished one
            assert_array_equal(outcome.words, X.sum(axis=0, dtype=np.uint64))
        else:
            assert isinstance(outcome, Abort)
            assert outcome.suspects == {CHEAT}


def test_control_where_commitments_are_not_compared_it_chooses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hmac, "compare_digest", lambda *_: True)
    for outcome in run_against(steer_by_seed):
        assert isinstance(outcome, Total)
        assert outcome.words[0] % 256 == 77
