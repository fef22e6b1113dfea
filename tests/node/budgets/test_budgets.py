"""Studies under privacy among three real nodes: what they cost, and that it is never overspent."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from fractions import Fraction

import numpy as np
import pytest
import sqlalchemy as sa

from quorate import wire
from quorate.dp.accounting import NANO
from quorate.dp.chain import State
from quorate.errors import Abort, Error, NotFound, Refused, VerificationFailed
from quorate.node.audit import AuditLog
from quorate.node.budgets.budgets import Budgets
from quorate.node.budgets.rows import LedgerRows, ledger
from quorate.node.lifecycle import State as StudyState
from quorate.node.messages import SignedHead
from quorate.node.store import Entry, Store
from quorate.studies.release import Left, Release, from_json, to_json, verify_release
from quorate.studies.runners.noise import Answer, totals_in
from tests.node.three import (
    NOW,
    Hospital,
    approved_by_all,
    connected,
    error_of,
    make_homes,
    until,
    write_ages,
)

EPSILON = "0.5"


def study(title: str = "Average age", *, noise: str = "jointly", epsilon: str = EPSILON) -> str:
    return f"""
title = "{title}"
purpose = "a test"
max_rows = 1000
min_cell = 1

[privacy]
bounds = "the tests"
noise = "{noise}"

[tables.patients]
age = "integer 0..120 years"

[releases.age]
sql = "select count(*) as patients, avg(age) as mean_age from patients"
privacy = {{ epsilon = {epsilon} }}
""".replace('noise = "each record"', 'noise = "each record"\nneighbours = "replace"')


def among(body: Callable[[list[Hospital]], Awaitable[None]], *, epsilon: int | None = NANO) -> None:
    """Run `body` among three members who let so much be spent."""

    async def main() -> None:
        async with connected(*make_homes()) as hospitals:
            for hospital in hospitals:
                if epsilon is not None:
                    hospital.desk.budgets.set("patients", epsilon, None, "first")
            await body(hospitals)

    asyncio.run(main())


async def released(hospitals: list[Hospital], text: str) -> Release:
    """Propose, approve and run a study; return its release, the same everywhere."""
    entry = await approved_by_all(hospitals, text)
    progress = await hospitals[0].run(entry.plan.digest())
    assert progress[-1].done, error_of(progress)
    await until(lambda: all(_release(h, entry) is not None for h in hospitals), 20)
    first, *others = [_release(h, entry) for h in hospitals]
    assert first is not None
    assert others == [first, first]
    return first


def _release(hospital: Hospital, entry: Entry) -> Release | None:
    return hospital.desk.store.study(entry.plan.digest()).release


def states(hospital: Hospital) -> list[State]:
    return [entry.state for entry in hospital.desk.budgets.history("patients")]


@pytest.mark.parametrize("noise", ["jointly", "in shares", "each record"])
def test_a_study_under_privacy_is_paid_for_at_every_member(noise: str) -> None:
    async def body(hospitals: list[Hospital]) -> None:
        for hospital in hospitals:
            write_ages(hospital.home, ["60"] * 300)
        release = await released(hospitals, study(noise=noise))
        verify_release(release, group=hospitals[0].desk.group)
        count, mean = (Fraction(result.exact) for result in release.certificate.results)
        assert 700 < count < 1100
        assert 40 < mean < 80
        left = tuple(Left(name, NANO // 2, None) for name in ("north", "south", "west"))
        assert release.certificate.left == left
        for hospital in hospitals:
            assert states(hospital) == [State.RESERVED, State.OPENED, State.RELEASED]
            assert hospital.desk.budgets.left("patients") == (NANO // 2, None)
            wanted = ["budget reserved", "budget opened", "budget released", "released"]
            assert [e for e in hospital.events() if e in wanted] == wanted

    among(body)


def test_the_same_study_again_is_the_same_answer_for_free_whatever_the_rows_are_now() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        first = await released(hospitals, study())
        for hospital in hospitals:
            write_ages(hospital.home, ["3"] * 500)
        again = await released([*hospitals[1:], hospitals[0]], study())
        assert again.certificate.results == first.certificate.results
        assert again.certificate.plan != first.certificate.plan
        assert [h.desk.budgets.left("patients") for h in hospitals] == [(NANO // 2, None)] * 3
        other = await released(hospitals, study("Another title"))
        assert other.certificate.results != first.certificate.results
        assert [h.desk.budgets.left("patients") for h in hospitals] == [(0, None)] * 3

    among(body)


def test_what_costs_too_much_is_refused_with_numbers_before_any_row_is_read() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        north = hospitals[0]
        (north.home.folder / "ages.csv").write_text("no ages at all\n")
        with pytest.raises(Refused) as refused:
            await north.desk.propose(study(epsilon="1.5"), ())
        assert str(refused.value) == "this costs epsilon 1.5; 0 of 1 is spent, 1 is left"
        assert states(north) == []

    among(body)


def test_control_under_a_wider_cap_the_same_study_runs_and_its_rows_are_read() -> None:
    """So it is the owner's cap, and nothing else, that refuses it above."""

    async def body(hospitals: list[Hospital]) -> None:
        await released(hospitals, study(epsilon="1.5"))
        assert [h.desk.budgets.left("patients") for h in hospitals] == [(NANO // 2, None)] * 3

    among(body, epsilon=2 * NANO)


def test_a_member_without_a_budget_takes_no_part() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        with pytest.raises(Refused, match="no budget is set for patients"):
            await hospitals[0].desk.propose(study(), ())

    among(body, epsilon=None)


def test_a_budget_that_is_spent_meanwhile_refuses_the_run_and_the_others_hear_the_numbers() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        hospitals[1].desk.budgets.set("patients", NANO // 2, None, "first")
        waiting = await approved_by_all(hospitals, study("waits"))
        await released(hospitals, study())
        progress = await hospitals[0].run(waiting.plan.digest())
        told = str(error_of(progress))
        assert "this costs epsilon 0.5; 0.5 of 0.5 is spent, 0 is left" in told
        assert states(hospitals[1]) == [State.RESERVED, State.OPENED, State.RELEASED]

    among(body)


def test_what_was_opened_and_lost_is_not_opened_again() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        entry = await approved_by_all(hospitals, study())
        south = hospitals[1].desk.budgets
        assert not south.reserve(entry.plan).answer
        south.at_stage(entry.plan, "reveal")
        progress = await hospitals[0].run(entry.plan.digest())
        assert "its answer was lost" in str(error_of(progress))
        await until(lambda: not any(h.runs.current for h in hospitals))
        assert hospitals[2].desk.store.study(entry.plan.digest()).state is StudyState.FAILED
        assert State.OPENED not in states(hospitals[0])

    among(body)


@contextmanager
def cannot_write(hospital: Hospital, state: State) -> Iterator[None]:
    """Let its database refuse ledger entries of this state, as if it died at that moment."""
    store, word = hospital.desk.store, wire.encode(state.value).hex()
    with store.transaction() as db:
        db.execute(
            sa.text(
                "create trigger dies before insert on ledger "
                f"when instr(hex(new.entry), '{word.upper()}') "
                "begin select raise(abort, 'dies here'); end"
            )
        )
    yield
    with store.transaction() as db:
        db.execute(sa.text("drop trigger dies"))


async def released_but_at_south(hospitals: list[Hospital], text: str) -> Entry:
    """Run a study to an end that south's ledger does not see."""
    entry = await approved_by_all(hospitals, text)
    with cannot_write(hospitals[1], State.RELEASED):
        progress = await hospitals[0].run(entry.plan.digest())
        assert progress[-1].done, error_of(progress)
        await until(lambda: not any(h.runs.current for h in hospitals), 20)
    assert states(hospitals[1]) == [State.RESERVED, State.OPENED]
    assert _release(hospitals[1], entry) is None
    return entry


@pytest.mark.parametrize("noise", ["jointly", "in shares", "each record"])
def test_a_release_that_is_taken_over_from_others_is_released_in_the_ledger(noise: str) -> None:
    async def body(hospitals: list[Hospital]) -> None:
        entry = await released_but_at_south(hospitals, study(noise=noise))
        progress = await hospitals[1].run(entry.plan.digest())
        assert progress[-1].done, error_of(progress)
        release = _release(hospitals[1], entry)
        assert release is not None
        assert release == _release(hospitals[0], entry)
        assert states(hospitals[1]) == [State.RESERVED, State.OPENED, State.RELEASED]
        again = await released(hospitals[::-1], study(noise=noise))
        assert again.certificate.results == release.certificate.results
        for hospital in hospitals:
            assert hospital.desk.budgets.left("patients") == (NANO // 2, None)
            assert len(states(hospital)) == 3

    among(body)


def test_two_that_lost_the_end_both_take_it_over_from_the_third() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        with cannot_write(hospitals[2], State.RELEASED):
            entry = await released_but_at_south(hospitals, study())
        for hospital in hospitals[1:]:
            progress = await hospital.run(entry.plan.digest())
            assert progress[-1].done, error_of(progress)
            assert states(hospital) == [State.RESERVED, State.OPENED, State.RELEASED]

    among(body)


def test_totals_that_are_not_those_of_the_release_are_not_taken_over() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        entry = await released_but_at_south(hospitals, study())
        release, south = _release(hospitals[0], entry), hospitals[1].desk.budgets
        assert release is not None
        numbers = totals_in(hospitals[0].desk.budgets.answer(entry.plan))
        for wrong in (b"", wire.encode(Answer(numbers[:1])), wire.encode(Answer((1, 1)))):
            with pytest.raises(Abort):
                south.adopt(release, wrong)
        assert states(hospitals[1]) == [State.RESERVED, State.OPENED]

    among(body)


def test_a_release_that_a_ledger_knows_nothing_of_is_charged_beyond_its_cap() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        release = await released(hospitals, study())
        answer = hospitals[0].desk.budgets.answer(release.plan)
        store = Store(":memory:")
        budgets = Budgets(store, AuditLog(store, lambda: NOW), lambda: NOW)
        budgets.set("patients", NANO // 4, None, "first")
        budgets.adopt(release, answer)
        assert budgets.spent("patients").nano_epsilon == NANO // 2
        assert budgets.left("patients") == (0, None)
        assert [e.state for e in budgets.history("patients")] == list(State)
        assert budgets.answer(release.plan) == answer

    among(body)


def test_a_new_period_begins_when_the_owner_says_so_and_not_by_the_clock() -> None:
    async def main() -> None:
        homes = make_homes()
        async with connected(*homes) as hospitals:
            for hospital in hospitals:
                hospital.desk.budgets.set("patients", NANO // 2, None, "2030")
            await released(hospitals, study())
        for days in (-4000, 4000):
            async with connected(*homes, clock_off=timedelta(days=days)) as hospitals:
                with pytest.raises(Refused, match="0 is left"):
                    await hospitals[0].desk.propose(study("again"), ())
        async with connected(*homes) as hospitals:
            budgets = hospitals[0].desk.budgets
            budgets.set("patients", NANO // 2, None, "2030")
            assert budgets.left("patients") == (0, None)
            budgets.set("patients", NANO // 2, None, "2031")
            assert budgets.left("patients") == (NANO // 2, None)
            assert budgets.spent("patients").nano_epsilon == NANO // 2
            assert hospitals[0].events()[-1] == "budget set"

    asyncio.run(main())


@pytest.mark.parametrize("ages", [["-5", "1e400", "nan", "", "old"], ["999"] * 2000])
def test_no_row_is_a_reason_to_refuse(ages: list[str]) -> None:
    """Out of bounds, unreadable, missing, more than max_rows, fewer than the policy wants."""

    async def body(hospitals: list[Hospital]) -> None:
        (hospitals[2].home.folder / "policy.toml").write_text("min_rows = 100\n")
        write_ages(hospitals[2].home, ages)
        release = await released(hospitals, study())
        assert 0 <= Fraction(release.certificate.results[1].exact) <= 120

    among(body)


def test_a_policy_can_want_every_value_noised() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        (hospitals[0].home.folder / "policy.toml").write_text("privacy = true\n")
        exact = study().replace("[privacy]", "[other]").split("[other]")[0] + (
            '[tables.patients]\nage = "integer 0..120 years"\n'
            '[releases]\na = "select count(*) as n from patients"\n'
        )
        with pytest.raises(Refused, match="every value noised"):
            await hospitals[0].desk.propose(exact, ())
        await hospitals[0].desk.propose(study(), ())

    among(body)


# Old copies


def test_a_ledger_without_its_last_entries_releases_nothing() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        await released(hospitals, study())
        north = hospitals[0].desk
        with north.store.transaction() as db:
            db.execute(ledger.delete().where(ledger.c.number > 1))
        with pytest.raises(VerificationFailed, match="audit log tells of"):
            await north.propose(study("again"), ())

    among(body)


async def _restored(*, witnesses: bool) -> tuple[Error | None, int | None]:
    """Put north's folder back to before its second study and run a third of 0.5 each.

    Returns how the run ended, and what north's ledger says is spent.
    """
    homes = make_homes()
    async with connected(*homes) as hospitals:
        for hospital in hospitals:
            hospital.desk.budgets.set("patients", NANO, None, "first")
        hospitals[0].desk.budgets.set("patients", NANO // 2, None, "first")
        await released(hospitals, study("before"))
        seen = len(hospitals[0].desk.audit.verified())
    copy = homes[0].database.read_bytes()
    async with connected(*homes) as hospitals:
        hospitals[0].desk.budgets.set("patients", NANO, None, "first")
        await released(hospitals, study("after"))
    async with connected(*homes) as hospitals:
        await until(lambda: _holds(hospitals[1], hospitals[0]) > seen + 10)
    homes[0].database.write_bytes(copy)
    async with connected(*homes) as hospitals:
        for hospital in hospitals:
            hospital.desk.budgets.set("patients", 2 * NANO, None, "first")
        if not witnesses:
            hospitals[0].runs.check_past = _nobody
        entry = await approved_by_all(hospitals, study("once more"))
        progress = await hospitals[0].run(entry.plan.digest())
        spent = hospitals[0].desk.budgets.spent("patients").nano_epsilon
    return progress[-1].error, spent


async def _nobody() -> None:
    """Ask no member what it has seen."""


def _holds(holder: Hospital, of: Hospital) -> int:
    """Return up to which entry one member has seen another's log."""
    held = holder.desk.store.head(of.home.name)
    return 0 if held is None else wire.decode(held, SignedHead).head.number


def test_a_folder_put_back_to_an_old_copy_releases_nothing() -> None:
    error, _ = asyncio.run(_restored(witnesses=True))
    assert isinstance(error, VerificationFailed)
    assert "later past" in str(error)


def test_control_without_witnesses_a_folder_put_back_spends_twice() -> None:
    """Of 1.5 that were spent in three releases its ledger knows 1."""
    assert asyncio.run(_restored(witnesses=False)) == (None, NANO)


# What is kept


def test_ledgers_of_two_tables_are_two() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        store = hospitals[0].desk.store
        one, other = LedgerRows(store, "patients"), LedgerRows(store, "births")
        with one.transaction():
            one.append(1, "a", b"1")
        with other.transaction():
            other.append(1, "a", b"2")
        assert (one.last(), other.last(), one.last_of("a"), other.last_of("b")) == (
            b"1",
            b"2",
            b"1",
            None,
        )
        assert list(other.entries()) == [b"2"]

    among(body)


def test_a_budget_says_what_is_left_of_it() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        budgets = hospitals[0].desk.budgets
        with pytest.raises(NotFound):
            budgets.cap("births")
        with pytest.raises(Refused, match="without a limit"):
            budgets.set("births", None, None, "first")
        budgets.set("births", None, 5, "first")
        assert [cap.dataset for cap in budgets.caps()] == ["births", "patients"]
        assert budgets.left("births") == (None, 5)

    among(body)


MANY = """
title = "Patients by region and day"
purpose = "a test"
max_rows = 1000
min_cell = 1

[privacy]
bounds = "the tests"

[tables.patients]
region = "category {regions}"
day = "category {days}"

[releases.patients_by_region_and_day]
sql = "select region, day, count(*) as patients from patients group by region, day"
privacy = {{ epsilon = 0.5 }}
"""


@pytest.mark.slow
def test_a_study_releases_ten_thousand_noisy_cells() -> None:
    regions, days = ([f"{what}{i:02}" for i in range(100)] for what in ("region ", "day "))
    text = MANY.format(
        regions=" ".join(f'\\"{r}\\"' for r in regions), days=" ".join(f'\\"{d}\\"' for d in days)
    )

    async def body(hospitals: list[Hospital]) -> None:
        for hospital in hospitals:
            path = hospital.home.folder / "patients.csv"
            path.write_text("\n".join(["region,day", *["region 07,day 03"] * 500]) + "\n")
            hospital.home.add_table("patients", path)
        release = await released(hospitals, text)
        found = [int(result.exact) for result in release.certificate.results]
        assert len(found) == 10_000
        at = 100 * 7 + 3
        assert 1400 < found[at] < 1600
        rest = np.array(found[:at] + found[at + 1 :])
        assert abs(rest.mean()) < 0.2
        assert 2.6 < rest.std() < 3.0  # sqrt(2) / 0.5
        verify_release(from_json(to_json(release)), group=hospitals[0].desk.group)

    among(body)
