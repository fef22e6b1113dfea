"""The run with a third party: certified by all, at the stated cost, rows to one member only."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from quorate import wire
from quorate.algebra import ring
from quorate.algebra.ring import Words
from quorate.errors import Abort, Error, Party
from quorate.mpc.agreement import agree
from quorate.studies.cost import run_cost
from quorate.studies.disclosure import disclose
from quorate.studies.plain import execute, rows_to_send, words_of
from quorate.studies.plan import Plan
from quorate.studies.release import verify_release
from quorate.studies.rows import columns_sent
from quorate.studies.runners.noise import Standing
from quorate.studies.runners.run import NO_LEDGER, Ran, run_plan
from quorate.studies.runners.third_party import READY, tell_third
from quorate.studies.running import Running, Work, at_once
from quorate.studies.times import utc_text
from quorate.transport.memory import Envelope
from quorate.transport.session import Session
from tests.parties import measure, names_of, run_parties
from tests.studies.rows import RELEASES, parts, planned, received, sources
from tests.studies.trio import NOW, approvals_of, group_of, key

SOUTH, WEST = 1, 2
PRIVATE = """
[privacy]
bounds = "protocol"
[releases.r]
sql = "select count(*) as n, avg(x) as m from patients"
privacy = { epsilon = 50.0 }
[releases.by_arm]
sql = "select arm, count(*) as n from patients group by arm"
privacy = { rho = 40.0 }
"""
Own = NDArray[np.int64]


def running(
    plan: Plan,
    own: Mapping[Party, Own],
    aside: Callable[[Work], Awaitable[Words]] = at_once,
) -> Callable[[Session], Awaitable[Ran]]:
    group = group_of(*plan.members)

    async def protocol(session: Session) -> Ran:
        me = session.me
        return await run_plan(
            session,
            plan,
            group,
            own[me],
            approvals=approvals_of(plan, group),
            time=utc_text(NOW),
            version="test",
            key=key(plan.members[me]),
            standing=Standing(b"", 7, None) if plan.study.privacy else NO_LEDGER,
            claim=lambda _: None,
            randomness=os.urandom,
            aside=aside,
        )

    return protocol


def telling(
    plans: Mapping[Party, Plan], own: Mapping[Party, Own], context: Mapping[Party, bytes]
) -> Callable[[Session], Awaitable[Words]]:
    async def protocol(session: Session) -> Words:
        me = session.me
        mine = ring.from_signed(own[me])
        words, _, _ = await tell_third(
            Running(session, plans[me], mine, context[me], lambda _: None, os.urandom)
        )
        return words

    return protocol


def of_three(folder: Path, plan: Plan) -> dict[Party, Own]:
    files = sources(folder, parts(*(40, 25, 60, 30)[: len(plan.members)]))
    return {party: rows_to_send(file, plan) for party, file in enumerate(files)}


def refused(outcome: object) -> Abort:
    assert isinstance(outcome, Abort), outcome
    return outcome


@pytest.mark.parametrize("n", [3, 4])
@pytest.mark.parametrize("text", [RELEASES, PRIVATE], ids=["exact", "private"])
def test_all_have_one_release_at_the_stated_cost(tmp_path: Path, n: int, text: str) -> None:
    plan = planned(text, third=True, members=n)
    own = of_three(tmp_path, plan)
    outcomes, rounds, sent = measure(running(plan, own), n)
    releases = {ran.release.certificate for ran in outcomes.values() if isinstance(ran, Ran)}
    assert len(releases) == 1, outcomes
    ran = outcomes[0]
    assert isinstance(ran, Ran)
    assert verify_release(ran.release, group=group_of(*names_of(n))).roster_known
    cost = run_cost(plan)
    more = [0 if p == SOUTH else cost.bytes_a_row * int(own[p][0]) for p in range(n)]
    due = [fixed + rows for fixed, rows in zip(cost.bytes_sent, more, strict=True)]
    assert (rounds, list(sent.values())) == (cost.rounds, due)


def test_noise_is_that_of_the_stated_mechanism(tmp_path: Path) -> None:
    plan = planned(PRIVATE, third=True)
    own = of_three(tmp_path, plan)
    ran = run_parties(running(plan, own), 3)[2]
    assert isinstance(ran, Ran)
    n, mean, *by_arm = ran.release.certificate.results
    assert float(n.value) == pytest.approx(125, abs=3)  # epsilon 25: e^-75 that it is further
    assert 0 <= float(mean.value) <= 100
    assert len(by_arm) == 3
    assert ran.answer


def test_the_disclosure_says_who_sees_every_row() -> None:
    for text in (RELEASES, PRIVATE):
        told = "\n".join(disclose(planned(text, third=True)).lines())
        assert "south sees every row" in told
        assert "arm, out, x, bmi" in told or "arm, x" in told
        assert "for each of its rows" in told


def watched(into: list[Envelope]) -> Callable[[Envelope], list[Envelope]]:
    def keep(envelope: Envelope) -> list[Envelope]:
        into.append(envelope)
        return [envelope]

    return keep


def rows_seen(own: Mapping[Party, Own], sent: list[Envelope], me: Party) -> set[Party]:
    """Return whose rows arrived at `me`."""
    return {
        e.sender
        for e in sent
        if e.to == me and own[e.sender][1:].astype("<i8").tobytes() in e.payload
    }


def test_rows_go_to_the_third_party_and_to_nobody_else(tmp_path: Path) -> None:
    plan, sent = planned(RELEASES, third=True), list[Envelope]()
    own = of_three(tmp_path, plan)
    run_parties(running(plan, own), 3, watched(sent))
    assert [rows_seen(own, sent, me) for me in range(3)] == [set(), {0, 2}, set()]


def another_third(plan: Plan) -> Plan:
    """Return the plan with west as its third party, as somebody might slip it to a member."""
    return replace(plan, study=replace(plan.study, third_party="west"), computes=("west",))


def slipped(
    plan: Plan, own: Mapping[Party, Own], context: Mapping[Party, bytes]
) -> Callable[[Session], Awaitable[object]]:
    """Return a run in which west slipped its own plan to north, and waits for nobody else."""
    plans = {0: another_third(plan), 1: plan}
    honest = telling(plans, own, context)

    async def protocol(session: Session) -> object:
        if session.me != WEST:
            return await honest(session)
        bond = await agree(session, context[WEST], bytes(32), lambda _: None, os.urandom)
        framed = len(bond.session_id).to_bytes(8, "big") + bond.session_id
        await session.exchange(sha256(framed).digest())  # as `confirm`, but it looks at nothing
        like = np.zeros(1, np.uint64)
        count = (await session.route(senders=[0], like=like))[0]
        await session.route(READY, to=[0], like=READY)
        rows = np.zeros(int(count[0]) * len(columns_sent(plan)), np.uint64)
        return await session.at("rows of 0").route(senders=[0], like=rows)

    return protocol


def test_who_was_slipped_another_third_party_sends_it_nothing(tmp_path: Path) -> None:
    plan, sent = planned(RELEASES, third=True), list[Envelope]()
    own = of_three(tmp_path, plan)
    plans = {0: another_third(plan), 1: plan, 2: another_third(plan)}
    context = {p: wire.digest("run", one.digest()) for p, one in plans.items()}
    outcomes = run_parties(slipped(plan, own, context), 3, watched(sent))
    assert "told different things" in str(refused(outcomes[0]))
    assert [rows_seen(own, sent, me) for me in range(3)] == [set(), set(), set()]


def test_control_without_the_plan_in_its_keys_the_wrong_member_has_the_rows(tmp_path: Path) -> None:
    plan, sent = planned(RELEASES, third=True), list[Envelope]()
    own = of_three(tmp_path, plan)
    run_parties(slipped(plan, own, dict.fromkeys(range(3), b"any plan")), 3, watched(sent))
    assert 0 in rows_seen(own, sent, 2)


def test_an_impossible_lie_of_the_third_party_is_no_result(tmp_path: Path) -> None:
    plan = planned(RELEASES, third=True)
    own = of_three(tmp_path, plan)

    async def lie(work: Work) -> Words:
        return work() | np.uint64(1 << 40)

    for outcome in run_parties(running(plan, own, lie), 3).values():
        assert "impossible" in str(refused(outcome))


def test_control_nothing_stops_a_third_party_that_computes_on_rows_it_makes_up(
    tmp_path: Path,
) -> None:
    plan = planned(RELEASES, third=True)
    own = of_three(tmp_path, plan)
    honest = run_parties(running(plan, own), 3)[0]
    width = own[0][1:].size // int(own[0][0])
    made_up = own[SOUTH][1:].reshape(width, -1).copy()
    made_up[2] = 100  # every x
    lied = dict(own) | {SOUTH: np.concatenate([own[SOUTH][:1], made_up.reshape(-1)])}
    outcome = run_parties(running(plan, lied), 3)[0]
    assert isinstance(outcome, Ran)
    assert isinstance(honest, Ran)
    assert outcome.release.certificate.results != honest.release.certificate.results


def test_two_results_told_to_two_members_are_none(tmp_path: Path) -> None:
    plan = planned(RELEASES, third=True)
    own = of_three(tmp_path, plan)
    rows = received(plan, sources(tmp_path, parts(40, 25, 60)))
    true = execute(plan, rows, os.urandom).tobytes()

    def alter(e: Envelope) -> list[Envelope]:
        if e.sender == SOUTH and e.to == WEST and true in e.payload:
            return [replace(e, payload=e.payload[:-1] + bytes([e.payload[-1] ^ 1]))]
        return [e]

    for outcome in run_parties(running(plan, own), 3, alter).values():
        refused(outcome)


def test_rows_that_are_not_as_declared_name_their_sender(tmp_path: Path) -> None:
    plan = planned(RELEASES, third=True)
    own = of_three(tmp_path, plan)
    own[2][1] = 7  # an arm there is none of
    outcomes = run_parties(running(plan, own), 3)
    assert refused(outcomes[SOUTH]).suspects == {2}
    assert "7" not in str(outcomes[SOUTH])


def test_more_rows_than_the_plan_allows_name_their_sender(tmp_path: Path) -> None:
    plan = planned(RELEASES, third=True)
    own = of_three(tmp_path, plan)
    own[2] = np.concatenate([[10**12], own[2][1:]])
    assert refused(run_parties(running(plan, own), 3)[SOUTH]).suspects == {2}


def test_a_third_party_at_work_says_so_and_is_waited_for(tmp_path: Path) -> None:
    plan = planned(RELEASES, third=True)
    own = of_three(tmp_path, plan)

    async def slowly(work: Work) -> Words:
        await asyncio.get_running_loop().create_task(asyncio.sleep(300))  # virtual seconds
        return work()

    outcomes = run_parties(running(plan, own, slowly), 3)
    assert all(isinstance(outcome, Ran) for outcome in outcomes.values())


def test_control_a_third_party_that_says_nothing_is_given_up(tmp_path: Path) -> None:
    plan = planned(RELEASES, third=True)
    own = of_three(tmp_path, plan)

    due = len(wire.array_frame(np.zeros(1 + words_of(plan), np.uint64)))

    def silent(e: Envelope) -> list[Envelope]:
        return [] if e.sender == SOUTH and len(e.payload) == due else [e]

    outcomes: dict[Party, Ran | Error] = run_parties(running(plan, own), 3, silent)
    assert refused(outcomes[0]).suspects == {SOUTH}
