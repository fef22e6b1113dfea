"""Members outside the committee deal to it; what two parties hold of it is compared."""

import secrets
from collections.abc import Awaitable, Callable
from typing import cast

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from quorate.algebra.ring import BLOCK, Words
from quorate.errors import Abort, Error
from quorate.mpc import owners
from quorate.mpc.owners import confirm, deal_to_committee, reveal_to_all
from quorate.mpc.replicated import Committee, Share, convene, reveal
from quorate.transport.memory import Envelope, MemoryNetwork
from quorate.transport.session import Session
from tests.faults import alter, tell
from tests.mpc.committee import ALL, forget, noise
from tests.mpc.uniformity import not_uniform
from tests.parties import TIMEOUT_S, measure, names_of, run_parties

OWNERS = (3, 4)
Outcome = Words | None


def gathering_of(
    values: dict[int, Words], *, compare: bool = True
) -> Callable[[Session], Awaitable[Outcome]]:
    """Return the protocol in which each owner deals, and the committee reveals the sum."""
    inner = MemoryNetwork(names_of(3))
    channels = [inner.channel(party) for party in ALL]
    shape = next(iter(values.values())).shape

    async def total(committee: Committee, shares: list[Share]) -> Outcome:
        for owner, share in zip(OWNERS, shares, strict=True):
            if compare:
                await confirm(committee, share, owner)
        (a, b) = shares
        return await reveal(committee, Share(a.own + b.own, a.next + b.next), ALL)

    async def protocol(gathering: Session) -> Outcome:
        shares = []
        for owner in OWNERS:
            mine = values[owner] if gathering.me == owner else np.zeros(shape, np.uint64)
            step = gathering.at(f"owner {owner}")
            shares.append(await deal_to_committee(step, owner, mine, secrets.token_bytes))
        if gathering.me not in ALL:
            return None
        channel = channels[gathering.me]
        async with Session(gathering.me, inner.names, channel, TIMEOUT_S) as session:
            committee = await convene(session, b"test", forget, secrets.token_bytes)
            return await total(committee, [share for share in shares if share is not None])

    return protocol


@pytest.mark.parametrize("shape", [(1,), (0,), (3, 5), (BLOCK + 1,)])
def test_what_owners_deal_arrives(shape: tuple[int, ...]) -> None:
    values = {owner: noise(int(np.prod(shape))).reshape(shape) for owner in OWNERS}
    outcomes = run_parties(gathering_of(values), 5)
    for party in ALL:
        assert_array_equal(outcomes[party], values[3] + values[4])


def test_dealing_costs_sixteen_bytes_a_word() -> None:
    async def protocol(gathering: Session) -> object:
        return await deal_to_committee(gathering, 3, noise(1000), secrets.token_bytes)

    _, rounds, sent = measure(protocol, 4)
    assert (rounds, sent) == (1, {3: 16 * 1000 + 128})


@pytest.mark.parametrize("n", [3, 5])
def test_what_is_revealed_reaches_every_member_at_the_cost_that_is_said(n: int) -> None:
    secret, parts = noise(100), [noise(100) for _ in ALL]
    parts[2] = secret - parts[0] - parts[1]

    async def protocol(gathering: Session) -> Words:
        me = gathering.me
        share = Share(parts[me], parts[(me + 1) % 3]) if me in ALL else None
        return await reveal_to_all(gathering, share, np.zeros(100, np.uint64))

    outcomes, rounds, sent = measure(protocol, n)
    for outcome in outcomes.values():
        assert_array_equal(outcome, secret)
    by_committee = (8 * 100 + 32) * (n - 2)
    assert (rounds, [sent.get(p, 0) for p in range(n)]) == (
        1,
        [by_committee] * 3 + [0] * (n - 3),
    )


def lying_reveal(n: int, to: int) -> dict[int, Outcome | Error]:
    """Let party 1 send one member another part of what is revealed than it has."""
    share = Share(np.zeros(4, np.uint64), np.zeros(4, np.uint64))

    async def protocol(gathering: Session) -> Words:
        mine = share if gathering.me in ALL else None
        return await reveal_to_all(gathering, mine, np.zeros(4, np.uint64))

    return run_parties(protocol, n, tell(1, to, "/parts/1", bytes([5, *bytes(31)])))


@pytest.mark.parametrize("to", [2, 3])
def test_a_false_part_of_what_is_revealed_is_noticed_by_who_gets_it(to: int) -> None:
    outcome = lying_reveal(4, to)[to]
    assert isinstance(outcome, Abort)
    assert 1 in outcome.suspects


@pytest.mark.parametrize("to", [2, 3])
def test_control_without_comparing_hashes_a_false_part_is_believed(
    to: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owners, "_compare", lambda _, __: None)
    assert_array_equal(cast("Words", lying_reveal(4, to)[to]), [5, 0, 0, 0])


def test_each_member_of_the_committee_is_sent_noise() -> None:
    seen: dict[int, bytes] = dict.fromkeys(ALL, b"")

    def note(e: Envelope) -> list[Envelope]:
        seen[e.to] += e.payload
        return [e]

    async def protocol(gathering: Session) -> object:
        return await deal_to_committee(gathering, 3, np.zeros(4096, np.uint64), secrets.token_bytes)

    run_parties(protocol, 4, note)
    for party in (1, 2):
        assert not_uniform(np.frombuffer(seen[party], np.uint64)) == []
    assert len(seen[0]) == 64


def lying(part: int, compare: bool) -> dict[int, Outcome | Error]:
    """Let owner 3 give one of the two holders of a part another one."""
    values = {owner: noise(8) for owner in OWNERS}
    label = f"/owner 3/part {part}/1"
    fault = alter(3, part, label, lambda payload: bytes([payload[0] ^ 1]) + payload[1:])
    protocol = gathering_of(values, compare=compare)
    outcomes = run_parties(protocol, 5, fault)
    return {p: outcome for p, outcome in outcomes.items() if p in ALL}


@pytest.mark.parametrize("part", ALL)
def test_different_parts_for_two_members_are_noticed(part: int) -> None:
    aborts = [o for o in lying(part, compare=True).values() if isinstance(o, Abort)]
    assert len(aborts) == 3
    assert any(3 in abort.suspects for abort in aborts)


def test_control_without_comparing_parts_members_go_on_with_different_numbers() -> None:
    outcomes = list(lying(2, compare=False).values())
    assert len({np.asarray(outcome).tobytes() for outcome in outcomes}) > 1
