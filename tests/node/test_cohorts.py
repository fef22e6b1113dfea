"""Two studies that differ by one patient: the guard stops the second, and says no number."""

import asyncio
from collections.abc import Awaitable, Callable
from fractions import Fraction

import pytest

from quorate.errors import Abort, Refused
from quorate.node.home import write_file
from quorate.node.lifecycle import State
from quorate.node.run import Progress
from quorate.studies.study import read_study
from tests.node.three import (
    NAMES,
    Hospital,
    approved_by_all,
    connected,
    error_of,
    make_homes,
    until,
    write_ages,
)
from tests.studies.trio import group_of, plan_of

VICTIM = 91
AGES = {
    "north": ["40", "50", "52", "61", str(VICTIM)],
    "south": ["33", "45", "58", "71"],
    "west": ["38", "47", "66", "80"],
}
TEXT = """
title = "t"
purpose = "p"
max_rows = 100
{guard}
[tables.patients]
age = "integer 0..120 years"
[releases]
r = "select count(*) as n, sum(age) as s from patients {where}"
"""
GUARD = "guard = true"
ALL, ALL_BUT_ONE, FAR = "", "where age <> 91", "where age < 60"


def text(where: str, guard: str = GUARD) -> str:
    return TEXT.format(guard=guard, where=where)


def among_three(body: Callable[[list[Hospital]], Awaitable[None]]) -> None:
    async def main() -> None:
        homes = make_homes()
        for home in homes:
            write_ages(home, AGES[home.name])
        async with connected(*homes) as hospitals:
            await body(hospitals)

    asyncio.run(main())


async def ran(hospitals: list[Hospital], study: str, by: int = 0) -> list[Progress]:
    """Approve and run a study; wait until everybody knows how it ended."""
    digest = (await approved_by_all(hospitals, study)).plan.digest()
    progress = await hospitals[by].run(digest)
    over = {State.RELEASED, State.FAILED}
    await until(lambda: all(one.desk.store.study(digest).state in over for one in hospitals))
    return progress


async def released(hospitals: list[Hospital], study: str) -> list[Fraction]:
    progress = await ran(hospitals, study)
    assert progress[-1].done, progress[-1].error
    entry = hospitals[0].desk.store.all_studies()[-1]
    assert entry.release is not None
    return [Fraction(one.exact) for one in entry.release.certificate.results]


def test_a_study_that_differs_by_one_patient_is_stopped_without_a_number() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        await released(hospitals, text(ALL))
        error = error_of(await ran(hospitals, text(ALL_BUT_ONE), by=1))
        assert isinstance(error, Abort)
        assert not error.culprits
        assert "about nearly the same rows as one that was released" in str(error)
        assert not any(char.isdigit() for char in f"{error}{error.hint}")
        for one in hospitals:
            assert one.events().count("guard asked") == 1
            assert "aborted" in one.events()

    among_three(body)


def test_control_without_the_guard_two_sums_tell_the_patients_age() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        n, total = await released(hospitals, text(ALL, ""))
        fewer, rest = await released(hospitals, text(ALL_BUT_ONE, ""))
        assert (n - fewer, total - rest) == (Fraction(1), Fraction(VICTIM))

    among_three(body)


def test_the_same_rows_and_rows_that_differ_by_enough_pass() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        first = await released(hospitals, text(ALL))
        again = await released(hospitals, text(ALL).replace("as n,", "as m,"))
        assert again == first
        assert (await released(hospitals, text(FAR)))[0] == 8

    among_three(body)


def test_a_row_that_came_since_is_noticed() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        await released(hospitals, text(ALL))
        write_ages(hospitals[2].home, [*AGES["west"], "64"])
        error = error_of(await ran(hospitals, text(ALL).replace("as n,", "as m,")))
        assert "nearly the same rows" in str(error)

    among_three(body)


def test_two_conditions_of_one_study_are_compared_too() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        both = text(ALL) + f'q = "select sum(age) as s from patients {ALL_BUT_ONE}"\n'
        error = error_of(await ran(hospitals, both))
        assert "nearly the same rows" in str(error)

    among_three(body)


def test_a_starter_that_leaves_out_a_release_is_refused() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        await released(hospitals, text(ALL))
        north = hospitals[0].desk
        with north.store.transaction() as db:
            db.exec_driver_sql("DELETE FROM cohorts")
        error = error_of(await ran(hospitals, text(ALL_BUT_ONE)))
        assert "its own rows cannot be used" in str(error)
        assert "released" not in hospitals[1].events()[-2:]

    among_three(body)


def test_questions_are_counted_by_the_day() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        write_file(hospitals[1].home.folder / "policy.toml", "guards_a_day = 1\n")
        await released(hospitals, text(ALL))
        error_of(await ran(hospitals, text(ALL_BUT_ONE)))
        error = error_of(await ran(hospitals, text(FAR)))
        assert "its own rows cannot be used" in str(error)
        assert "guards_a_day" not in str(error)

    among_three(body)


def test_a_member_may_want_every_exact_study_guarded() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        write_file(hospitals[1].home.folder / "policy.toml", "guard = true\n")
        entry, _ = await hospitals[0].desk.propose(text(ALL, ""), ())
        with pytest.raises(Refused, match="wants exact studies to be guarded"):
            await hospitals[1].desk.approve(entry.plan.digest())

    among_three(body)


def test_a_guard_is_part_of_the_plan() -> None:
    with_it, without = (
        plan_of(read_study(text(ALL, one)), group_of(*NAMES)) for one in (GUARD, "")
    )
    assert with_it.digest() != without.digest()
