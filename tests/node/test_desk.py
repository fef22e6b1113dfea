"""Proposals and approvals: every node checks each word itself, and hears what it missed."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate import wire
from quorate.errors import DataError, MalformedMessage, NotFound, Refused, VerificationFailed
from quorate.node.home import Home
from quorate.node.lifecycle import State
from quorate.node.messages import Approval, Proposal, sign_approval
from quorate.studies.plan import compile_plan
from quorate.studies.study import read_study
from tests.node.three import (
    NOW,
    STUDY,
    Hospital,
    approved_by_all,
    connected,
    make_homes,
    until,
    up,
    write_ages,
)


def among_three(body: Callable[[list[Hospital]], Awaitable[None]]) -> None:
    async def main() -> None:
        async with connected(*make_homes()) as hospitals:
            await body(hospitals)

    asyncio.run(main())


def test_a_study_is_approved_when_the_last_member_has_signed() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        north, south, west = hospitals
        entry, untold = await north.desk.propose(STUDY, ())
        digest = entry.plan.digest()
        assert not untold
        assert entry.state is State.PROPOSED
        await south.desk.approve(digest)
        assert west.desk.approved_by(entry.plan) == ("north", "south")
        entry, _ = await west.desk.approve(digest)
        for hospital in hospitals:
            assert hospital.desk.store.study(digest).state is State.APPROVED
            assert hospital.desk.approved_by(entry.plan) == ("north", "south", "west")
            assert hospital.events() == ["proposed", "approved", "approved", "approved"]

    among_three(body)


def test_who_declines_ends_it_for_all() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        entry, _ = await hospitals[0].desk.propose(STUDY, ())
        digest = entry.plan.digest()
        await hospitals[2].desk.decline(digest)
        for hospital in hospitals:
            found = hospital.desk.store.study(digest)
            assert (found.state, found.note) == (State.REFUSED, "declined by west")
        with pytest.raises(Refused, match="a member declined it"):
            await hospitals[1].desk.approve(digest)

    among_three(body)


def test_a_member_whose_rows_do_not_fit_cannot_approve_and_the_reason_stays_at_home() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        north, south, _ = hospitals
        write_ages(south.home, ["60", "one hundred"])
        entry, _ = await north.desk.propose(STUDY, ())
        with pytest.raises(DataError, match=r"row 2 .*column age"):
            await south.desk.approve(entry.plan.digest())
        assert north.desk.approved_by(entry.plan) == ("north",)
        assert "hundred" not in south.details() + north.details()

    among_three(body)


def test_without_the_table_nobody_proposes_or_approves() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        (hospitals[0].home.folder / "data.toml").unlink()
        with pytest.raises(DataError, match="no table patients"):
            await hospitals[0].desk.propose(STUDY, ())
        assert hospitals[0].desk.store.all_studies() == ()

    among_three(body)


def forgeries(home: Home, stranger: Ed25519PrivateKey, digest: bytes) -> dict[str, bytes]:
    mine = Approval(digest, "north", agrees=True, time="2030-01-01T12:00:00Z")
    as_south = replace(mine, member="south")
    return {
        "in another member's name": wire.encode(sign_approval(home.identity, as_south)),
        "by a stranger's key": wire.encode(sign_approval(stranger, as_south)),
        "of a member that is none": wire.encode(
            sign_approval(stranger, replace(mine, member="east"))
        ),
        "of a study nobody knows": wire.encode(
            sign_approval(home.identity, replace(mine, plan=bytes(32)))
        ),
        "with another plan's signature": wire.encode(
            replace(
                sign_approval(home.identity, replace(mine, plan=bytes(32))),
                approval=mine,
            )
        ),
        "as garbage": b"\xff garbage",
    }


def test_forged_and_replayed_words_change_nothing() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        north, _, west = hospitals
        entry, _ = await north.desk.propose(STUDY, ())
        digest = entry.plan.digest()
        stranger = Ed25519PrivateKey.generate()
        for how, forged in forgeries(north.home, stranger, digest).items():
            with pytest.raises((VerificationFailed, NotFound, MalformedMessage)):
                await west.desk.on_approval(0, forged)
            assert west.desk.approved_by(entry.plan) == ("north",), how
        again = west.desk.store.approvals(digest)[0]
        await west.desk.on_approval(1, wire.encode(again))
        assert west.events() == ["proposed", "approved"]

    among_three(body)


def test_a_word_signed_for_one_thing_is_worth_nothing_for_another() -> None:
    """Domain separation: an approval's signature does not certify, and the other way round."""

    async def body(hospitals: list[Hospital]) -> None:
        north, _, west = hospitals
        entry, _ = await north.desk.propose(STUDY, ())
        word = Approval(entry.plan.digest(), "north", agrees=False, time="2030-01-01T12:00:00Z")
        for_certificates = north.home.identity.sign(wire.signing_input("certificate", word))
        forged = replace(sign_approval(north.home.identity, word), signature=for_certificates)
        with pytest.raises(VerificationFailed):
            await west.desk.on_approval(0, wire.encode(forged))

    among_three(body)


def test_proposals_that_could_not_run_are_refused() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        north, _, west = hospitals
        group = north.desk.group
        plan = compile_plan(read_study(STUDY), group, proposer="north", now=NOW)
        signed = sign_approval(
            north.home.identity, Approval(plan.digest(), "north", True, "2030-01-01T12:00:00Z")
        )
        other = replace(plan, group=bytes(32))
        for proposal in (
            Proposal(plan, ()),
            Proposal(other, (signed,)),
            Proposal(replace(plan, t=3), (signed,)),
            Proposal(replace(plan, proposer="west"), (signed,)),
            Proposal(replace(plan, recipients=("north",)), (signed,)),
        ):
            with pytest.raises(Refused):
                await west.desk.on_proposal(0, wire.encode(proposal))
        assert west.desk.store.all_studies() == ()
        assert west.events() == []
        await west.desk.on_proposal(0, wire.encode(Proposal(plan, (signed,))))
        assert len(west.desk.store.all_studies()) == 1

    among_three(body)


def test_a_node_that_was_away_hears_what_it_missed() -> None:
    async def main() -> None:
        homes = make_homes()
        async with contextlib.AsyncExitStack() as stack:
            north, south = [await stack.enter_async_context(up(home)) for home in homes[:2]]
            await asyncio.wait_for(north.desk.peers.peers[1].ready.wait(), 5)
            entry, untold = await north.desk.propose(STUDY, ())
            assert untold == ("west",)
            digest = entry.plan.digest()
            await south.desk.approve(digest)
            west = await stack.enter_async_context(up(homes[2]))
            await until(lambda: len(west.desk.store.approvals(digest)) == 2)
            await west.desk.approve(digest)
            await until(lambda: north.desk.store.study(digest).state is State.APPROVED)

    asyncio.run(main())


def test_approvals_are_verified_anew_each_time_they_are_counted() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        entry = await approved_by_all(hospitals)
        digest, store = entry.plan.digest(), hospitals[0].desk.store
        forged = replace(store.approvals(digest)[0], signature=bytes(64))
        with store.transaction() as db:
            db.exec_driver_sql("UPDATE approvals SET approval = ?", (wire.encode(forged),))
        with pytest.raises(VerificationFailed):
            hospitals[0].desk.approved_by(entry.plan)

    among_three(body)
