"""Proposals and approvals: every node checks each word itself, and hears what it missed."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate import wire
from quorate.errors import (
    Abort,
    DataError,
    MalformedMessage,
    NotFound,
    Refused,
    Unavailable,
    VerificationFailed,
)
from quorate.node.home import Home, write_file
from quorate.node.lifecycle import State
from quorate.node.messages import Ack, Prepare, Prepared, Proposal
from quorate.studies.approval import Approval, SignedApproval, Word, sign_approval
from quorate.studies.planning import compile_plan
from quorate.studies.study import read_study
from tests.node.three import (
    NOW,
    STUDY,
    Hospital,
    approved_by_all,
    connected,
    error_of,
    make_homes,
    until,
    up,
    write_ages,
)

TIME, LATER = "2030-01-01T12:00:00Z", "2030-02-01T12:00:00Z"


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


def word(home: Home, digest: bytes, said: Word = "approve") -> SignedApproval:
    """Return a member's word, signed by it."""
    return sign_approval(home.identity, Approval(digest, home.name, said, TIME, LATER))


def forgeries(home: Home, stranger: Ed25519PrivateKey, digest: bytes) -> dict[str, bytes]:
    mine = Approval(digest, "north", "approve", TIME, LATER)
    as_south = replace(mine, member="south")
    return {
        "in another member's name": wire.encode(sign_approval(home.identity, as_south)),
        "by a stranger's key": wire.encode(sign_approval(stranger, as_south)),
        "of a member that is none": wire.encode(
            sign_approval(stranger, replace(mine, member="east"))
        ),
        "of a study nobody knows": wire.encode(word(home, bytes(32))),
        "with another plan's signature": wire.encode(replace(word(home, bytes(32)), approval=mine)),
        "with a longer life": wire.encode(
            replace(word(home, digest), approval=replace(mine, expires="2099-01-01T00:00:00Z"))
        ),
        "with a time that is none": wire.encode(
            sign_approval(home.identity, replace(mine, expires="tomorrow"))
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
        said = word(north.home, entry.plan.digest(), "decline")
        other = north.home.identity.sign(wire.signing_input("certificate", said.approval))
        forged = replace(said, signature=other)
        with pytest.raises(VerificationFailed):
            await west.desk.on_approval(0, wire.encode(forged))

    among_three(body)


def test_proposals_that_could_not_run_are_refused() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        north, _, west = hospitals
        group = north.desk.group
        plan = compile_plan(read_study(STUDY), group, proposer="north", now=NOW)
        signed = word(north.home, plan.digest())
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


def test_an_approval_is_taken_back_until_the_run_starts() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        entry = await approved_by_all(hospitals)
        digest = entry.plan.digest()
        await hospitals[1].desk.revoke(digest)
        for hospital in hospitals:
            found = hospital.desk.store.study(digest)
            assert (found.state, found.note) == (State.REVOKED, "revoked by south")
            with pytest.raises(Refused, match="took its approval back"):
                hospital.runs.start(digest)

    among_three(body)


def test_nobody_revokes_what_it_has_not_approved_or_what_is_out() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        entry, _ = await hospitals[0].desk.propose(STUDY, ())
        digest = entry.plan.digest()
        with pytest.raises(Refused, match="west has not approved"):
            await hospitals[2].desk.revoke(digest)
        for hospital in hospitals[1:]:
            await hospital.desk.approve(digest)
        await hospitals[0].run(digest)
        with pytest.raises(Refused, match="it runs once"):
            await hospitals[0].desk.revoke(digest)

    among_three(body)


def test_a_revoked_approval_cannot_be_replayed() -> None:
    """A starter that kept the approval from before and leaves the revocation out."""

    async def body(hospitals: list[Hospital]) -> None:
        north, south, _ = hospitals
        entry = await approved_by_all(hospitals)
        digest = entry.plan.digest()
        await south.desk.revoke(digest)
        approvals = north.desk.store.approvals(digest)
        request = Prepare(digest, 7, TIME, approvals, b"")
        with pytest.raises(Refused, match="took its approval back"):
            await north.desk.peers.ask(1, "prepare", request, Prepared, timeout_s=5)

    among_three(body)


def test_approvals_end_and_a_study_with_them() -> None:
    async def main() -> None:
        homes = make_homes()
        write_file(homes[1].folder / "policy.toml", "approval_days = 2")
        async with connected(*homes) as hospitals:
            digest = (await approved_by_all(hospitals)).plan.digest()
        async with connected(*homes, clock_off=timedelta(days=3)) as hospitals:
            for hospital in hospitals:
                found = hospital.desk.store.study(digest)
                assert found.state is State.EXPIRED
                assert found.note == "the approval of south is over"
                with pytest.raises(Refused, match="propose it again"):
                    hospital.runs.start(digest)

    asyncio.run(main())


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        ('recipients = ["north"]', "this node's policy allows recipients north only"),
        ("min_members = 4", "wants at least 4 members, and this has 3"),
        ("min_cell = 6", "wants values over fewer than 6 rows withheld"),
        ("min_rows = 3", "wants at least 3 rows of its own"),
        ("[tables]\nbeds = []", "allows tables beds only"),
        ('[tables]\npatients = ["sex"]', "does not allow age of patients"),
    ],
)
def test_a_members_policy_is_held_at_approval_and_again_at_the_run(rules: str, reason: str) -> None:
    async def body(hospitals: list[Hospital]) -> None:
        north, south, west = hospitals
        entry, _ = await north.desk.propose(STUDY, ())
        digest = entry.plan.digest()
        write_file(south.home.folder / "policy.toml", rules)
        with pytest.raises(Refused, match=reason):
            await south.desk.approve(digest)
        write_file(south.home.folder / "policy.toml", "")
        await south.desk.approve(digest)
        await west.desk.approve(digest)
        write_file(south.home.folder / "policy.toml", rules)
        error = error_of(await north.run(digest))
        assert isinstance(error, Abort)
        assert error.suspects == {1}
        rows = "rows" in rules  # how many rows south has is nobody's business
        assert ("its own rows cannot be used" if rows else reason) in str(error)

    among_three(body)


@pytest.mark.parametrize("rules", ["min_row = 3", "min_rows = 0", 'min_rows = "3"', "x = ["])
def test_a_policy_that_is_not_understood_lets_nothing_through(rules: str) -> None:
    async def body(hospitals: list[Hospital]) -> None:
        write_file(hospitals[0].home.folder / "policy.toml", rules)
        with pytest.raises(Unavailable, match=r"policy\.toml"):
            await hospitals[0].desk.propose(STUDY, ())

    among_three(body)


def test_a_table_that_changed_since_the_approval_is_noticed_by_its_owner_alone() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        entry = await approved_by_all(hospitals)
        digest = entry.plan.digest()
        write_ages(hospitals[1].home, ["60", "65"])
        assert (await hospitals[0].run(digest))[-1].done
        await until(lambda: hospitals[1].desk.store.study(digest).outcome is not None)
        outcomes = [h.desk.store.study(digest).outcome for h in hospitals]
        notices = [outcome.notices for outcome in outcomes if outcome is not None]
        assert [bool(notice) for notice in notices] == [False, True, False]
        assert "data changed" in hospitals[1].events()
        assert "data changed" not in hospitals[0].events()

    among_three(body)


def test_two_members_proposing_at_once_propose_two_studies() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        found = await asyncio.gather(*(h.desk.propose(STUDY, ()) for h in hospitals))
        digests = {entry.plan.digest() for entry, _ in found}
        assert len(digests) == 3
        for digest in digests:
            for hospital in hospitals:
                entry = hospital.desk.store.study(digest)
                if hospital.home.name != entry.plan.proposer:
                    await hospital.desk.approve(digest)
        for hospital in hospitals:
            assert {e.plan.digest() for e in hospital.desk.store.all_studies()} == digests
            assert all(e.state is State.APPROVED for e in hospital.desk.store.all_studies())

    among_three(body)


def test_a_study_changed_after_approval_is_refused_by_every_node() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        north = hospitals[0]
        entry = await approved_by_all(hospitals)
        digest, approvals = entry.plan.digest(), north.desk.store.approvals(entry.plan.digest())
        title = entry.plan.study.title.replace("a", "b", 1)
        changed = replace(entry.plan, study=replace(entry.plan.study, title=title))
        for party in (1, 2):
            proposal = Proposal(changed, approvals)
            with pytest.raises(Refused, match="an approval in the proposal is for another plan"):
                await north.desk.peers.ask(party, "proposal", proposal, Ack, timeout_s=5)
            prepare = Prepare(changed.digest(), 7, TIME, approvals, b"")
            with pytest.raises(Refused, match="no such study on this node"):
                await north.desk.peers.ask(party, "prepare", prepare, Prepared, timeout_s=5)
        for hospital in hospitals:
            with hospital.desk.store.transaction() as db:
                db.exec_driver_sql("UPDATE studies SET plan = ?", (wire.encode(changed),))
            with pytest.raises(VerificationFailed, match="is not the one that was kept"):
                hospital.runs.start(digest)

    among_three(body)
