"""Runs among three real nodes in one process: results, refusals, aborts, and what follows."""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import timedelta
from fractions import Fraction

import pytest

from quorate.errors import Abort, DataError, Refused
from quorate.node.lifecycle import State
from quorate.node.messages import Ack, Go, Prepare, Prepared
from quorate.studies.release import verify_release
from quorate.studies.times import utc_text
from tests.node.test_desk import among_three
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


def settled(hospitals: list[Hospital], digest: bytes) -> Callable[[], bool]:
    """Return whether the run has ended everywhere."""
    return lambda: all(
        h.desk.store.study(digest).state is not State.RUNNING and not h.runs.current
        for h in hospitals
    )


def test_the_seed_case_of_three_hospitals() -> None:
    """[65, 67, 70], [60, 64], [72, 74]: the average is 472/7."""

    async def body(hospitals: list[Hospital]) -> None:
        entry = await approved_by_all(hospitals)
        digest = entry.plan.digest()
        progress = await hospitals[1].run(digest)
        assert progress[-1].done
        await until(settled(hospitals, digest))
        releases = [h.desk.store.study(digest).release for h in hospitals]
        release = releases[0]
        assert release is not None
        assert releases == [release] * 3
        verify_release(release, group=hospitals[0].desk.group)
        count, mean = release.certificate.results
        assert (count.value, Fraction(mean.exact)) == ("7", Fraction(472, 7))
        for hospital in hospitals:
            assert hospital.events()[-2:] == ["run started", "released"]

    among_three(body)


def test_a_study_runs_once() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        entry = await approved_by_all(hospitals)
        digest = entry.plan.digest()
        await hospitals[0].run(digest)
        await until(settled(hospitals, digest))
        for hospital in hospitals:
            with pytest.raises(Refused, match="it runs once"):
                hospital.runs.start(digest)

    among_three(body)


def test_nothing_runs_before_everybody_has_approved() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        entry, _ = await hospitals[0].desk.propose(STUDY, ())
        await hospitals[1].desk.approve(entry.plan.digest())
        with pytest.raises(Refused, match="lacks the approval of west"):
            hospitals[0].runs.start(entry.plan.digest())

    among_three(body)


async def ask_prepare(hospital: Hospital, party: int, digest: bytes, session: int = 7) -> None:
    """Do what a starter does, without a starter's own checks."""
    approvals = hospital.desk.store.approvals(digest)
    request = Prepare(digest, session, utc_text(NOW), approvals, b"")
    await hospital.desk.peers.ask(party, "prepare", request, Prepared, timeout_s=5)


def test_a_starter_that_skips_the_check_is_refused_by_the_others() -> None:
    """The others do not take the starter's word for it that everybody approved."""

    async def body(hospitals: list[Hospital]) -> None:
        north, south, west = hospitals
        entry, _ = await north.desk.propose(STUDY, ())
        digest = entry.plan.digest()
        await south.desk.approve(digest)
        with pytest.raises(Refused, match="lacks the approval of west"):
            await ask_prepare(north, 2, digest)
        assert west.desk.store.study(digest).state is State.PROPOSED
        assert not west.runs.current

    among_three(body)


@pytest.mark.parametrize("bad", [[], ["60", "x"], ["60", "121"], ["60", ""]])
def test_rows_that_changed_since_approval_stop_the_run_and_stay_at_home(bad: list[str]) -> None:
    async def body(hospitals: list[Hospital]) -> None:
        north, south, _ = hospitals
        entry = await approved_by_all(hospitals)
        digest = entry.plan.digest()
        write_ages(south.home, bad)
        error = error_of(await north.run(digest))
        assert isinstance(error, Abort)
        assert error.suspects == {1}
        assert str(error) == "south: its own rows cannot be used as the study declares"
        await until(settled(hospitals, digest))
        assert "row" in south.desk.store.study(digest).note
        for hospital in hospitals:
            assert hospital.desk.store.study(digest).state is State.FAILED
            assert hospital.events()[-1] == "aborted"
        write_ages(south.home, ["60", "64"])
        assert (await north.run(digest))[-1].done

    among_three(body)


def test_the_starters_own_bad_rows_are_told_to_its_staff() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        entry = await approved_by_all(hospitals)
        write_ages(hospitals[0].home, ["60", "x"])
        error = error_of(await hospitals[0].run(entry.plan.digest()))
        assert isinstance(error, DataError)
        assert "row 2" in str(error)
        await until(settled(hospitals, entry.plan.digest()))
        assert "row 2" not in hospitals[1].details()

    among_three(body)


def test_a_member_that_is_away_is_named_and_the_next_run_succeeds() -> None:
    async def main() -> None:
        homes = make_homes()
        async with contextlib.AsyncExitStack() as stack:
            hospitals = [await stack.enter_async_context(up(home)) for home in homes[:2]]
            async with up(homes[2]) as west:
                for hospital in (*hospitals, west):
                    await hospital.desk.peers.wait_ready(5)
                entry = await approved_by_all([*hospitals, west])
            digest, north = entry.plan.digest(), hospitals[0]
            north.home.timeout_s = 0.5
            await until(lambda: not north.desk.peers.peers[2].ready.is_set())
            error = error_of(await north.run(digest))
            assert isinstance(error, Abort)
            assert str(error).startswith("west did not answer")
            await until(settled(hospitals, digest))
            west = await stack.enter_async_context(up(homes[2]))
            for hospital in (*hospitals, west):
                await hospital.desk.peers.wait_ready(5)
            assert (await north.run(digest))[-1].done

    asyncio.run(main())


def test_two_studies_run_at_the_same_time() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        first = await approved_by_all(hospitals)
        second = await approved_by_all(hospitals, STUDY.replace("Average age", "Again"))
        outcomes = await asyncio.gather(
            hospitals[0].run(first.plan.digest()), hospitals[2].run(second.plan.digest())
        )
        assert all(progress[-1].done for progress in outcomes)

    among_three(body)


def test_two_members_starting_one_study_at_once_end_in_one_release_or_can_try_again() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        entry = await approved_by_all(hospitals)
        digest = entry.plan.digest()
        await asyncio.gather(hospitals[0].run(digest), hospitals[1].run(digest))
        await until(settled(hospitals, digest))
        if hospitals[2].desk.store.study(digest).state is not State.RELEASED:
            assert (await hospitals[2].run(digest))[-1].done
        await until(settled(hospitals, digest))
        sessions = {
            entry.release.certificate.session
            for h in hospitals
            if (entry := h.desk.store.study(digest)).release is not None
        }
        assert len(sessions) == 1

    among_three(body)


def test_clocks_that_differ_are_named() -> None:
    async def main() -> None:
        homes = make_homes()
        async with contextlib.AsyncExitStack() as stack:
            hospitals = [
                await stack.enter_async_context(up(home, off))
                for home, off in zip(homes, map(timedelta, (0, 0, 1)), strict=True)
            ]
            for hospital in hospitals:
                await hospital.desk.peers.wait_ready(5)
            assert hospitals[0].desk.peers.peers[2].clock_ahead_s == pytest.approx(86400)
            entry = await approved_by_all(hospitals)
            error = error_of(await hospitals[0].run(entry.plan.digest()))
            assert "west: this node's clock and the starter's differ by 86400 s" in str(error)

    asyncio.run(main())


def test_a_node_that_stopped_during_a_run_knows_it_when_it_is_back() -> None:
    async def main() -> None:
        homes = make_homes()
        async with connected(*homes) as hospitals:
            entry = await approved_by_all(hospitals)
            digest = entry.plan.digest()
            hospitals[0].desk.store.set_state(digest, State.RUNNING, "")
        async with connected(*homes) as hospitals:
            found = hospitals[0].desk.store.study(digest)
            assert (found.state, found.note) == (
                State.FAILED,
                "this node stopped during the run",
            )
            assert (await hospitals[0].run(digest))[-1].done

    asyncio.run(main())


def test_who_missed_the_end_takes_over_the_release_that_the_others_have() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        north = hospitals[0]
        entry = await approved_by_all(hospitals)
        digest = entry.plan.digest()
        await hospitals[1].run(digest)
        await until(settled(hospitals, digest))
        with north.desk.store.transaction() as db:  # as if it had died before the last message
            db.exec_driver_sql(
                "UPDATE studies SET state = 'failed', release = NULL, outcome = NULL"
            )
        assert (await north.run(digest))[-1].done
        mine, theirs = north.desk.store.study(digest), hospitals[1].desk.store.study(digest)
        assert mine.release == theirs.release
        assert mine.release is not None

    among_three(body)


def test_a_starter_that_dies_before_it_says_go_leaves_the_others_ready() -> None:
    async def main() -> None:
        homes = make_homes()
        async with contextlib.AsyncExitStack() as stack:
            others = [await stack.enter_async_context(up(home)) for home in homes[:2]]
            async with up(homes[2]) as west:
                for hospital in (*others, west):
                    await hospital.desk.peers.wait_ready(5)
                digest = (await approved_by_all([*others, west])).plan.digest()
                for party in (0, 1):
                    await ask_prepare(west, party, digest)
                assert all(len(h.runs.current) == 1 for h in others)
            await until(settled(others, digest))
            for hospital in others:
                found = hospital.desk.store.study(digest)
                assert (found.state, found.note) == (State.FAILED, "west did not begin the run")

    asyncio.run(main())


def test_only_the_starter_begins_or_cancels_its_run() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        north, south, west = hospitals
        digest = (await approved_by_all(hospitals)).plan.digest()
        await ask_prepare(north, 1, digest)
        for topic in ("go", "cancel"):
            with pytest.raises(Refused, match="no such run"):
                await west.desk.peers.ask(1, topic, Go(7), Ack, timeout_s=5)
        await north.desk.peers.ask(1, "cancel", Go(7), Ack, timeout_s=5)
        await until(settled([south], digest))
        assert south.desk.store.study(digest).note == "north called the run off"

    among_three(body)


def test_a_starter_that_names_the_session_differently_sets_no_link_against_another() -> None:
    """Frames of a session that is not open here are nobody's fault but the starter's."""

    async def body(hospitals: list[Hospital]) -> None:
        north, south, west = hospitals
        south.home.timeout_s = west.home.timeout_s = 0.5
        digest = (await approved_by_all(hospitals)).plan.digest()
        link = south.desk.peers.peers[2].link
        for party in (1, 2):
            await ask_prepare(north, party, digest, session=party)
        for party in (1, 2):
            await north.desk.peers.ask(party, "go", Go(party), Ack, timeout_s=5)
        await until(settled([south, west], digest))
        assert south.desk.peers.peers[2].link is link
        assert link is not None
        assert link.lost is None

    among_three(body)
