"""Scores among nodes: told to one, for a list that all agreed to, so many times a month."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from quorate.errors import NotFound, Refused
from quorate.node import own
from quorate.node.home import Home, write_file
from quorate.node.lifecycle import State
from quorate.node.own import scores_of
from quorate.studies.patients import list_digest, listed_patients
from quorate.studies.sources import open_source
from tests.node.three import Hospital, approved_by_all, connected, error_of, make_homes, until
from tests.studies.scoring import score_text
from tests.studies.trio import write_csv

PARTS = {
    "north": ("age", {"a": "44", "b": "45", "c": "70", "victim": "80"}),
    "south": ("sugar", {"a": "7", "b": "5", "c": "8.5", "victim": "9"}),
    "west": ("drug", {"a": "no", "b": "yes", "c": "yes", "victim": "yes"}),
}
AGREED = ("a", "b", "c")
VICTIMS = ("a", "b", "victim")
BANDS = [("a", "middle"), ("b", "middle"), ("c", "high")]


def give(home: Home, names: tuple[str, ...]) -> Path:
    """Give a member its part, and a list."""
    column, rows = PARTS[home.name]
    lines = [f"{name},{value}" for name, value in rows.items()]
    home.add_table("records", write_csv(home.folder / "part.csv", f"patient,{column}", lines))
    path = write_csv(home.folder / "invited.csv", "patient", list(names))
    home.add_table("invited", path)
    return path


def text_for(path: Path) -> str:
    names = listed_patients(open_source(path), "patient")
    digest = list_digest(names).hex()
    return score_text(patients=len(names), shows="band", digest=digest)


def among(
    body: Callable[[list[Hospital], str], Awaitable[None]], lists: dict[str, tuple[str, ...]]
) -> None:
    async def main() -> None:
        homes = make_homes()
        paths = [give(home, lists.get(home.name, AGREED)) for home in homes]
        async with connected(*homes) as hospitals:
            await body(hospitals, text_for(paths[0]))

    asyncio.run(main())


def test_the_treating_member_alone_learns_bands_and_the_release_has_none() -> None:
    async def body(hospitals: list[Hospital], text: str) -> None:
        north = hospitals[0]
        plan = (await approved_by_all(hospitals, text)).plan
        steps = await hospitals[1].run(plan.digest())
        assert steps[-1].done, steps[-1].error
        await until(lambda: north.desk.store.study(plan.digest()).state is State.RELEASED)
        found = scores_of(north.desk.home, plan, north.desk.scores.of(plan))
        assert list(found.patients) == BANDS
        for one in hospitals[1:]:
            with pytest.raises(NotFound, match="has no scores"):
                one.desk.scores.of(plan)
        release = north.desk.store.study(plan.digest()).release
        assert release is not None
        assert release.certificate.results == ()

    among(body, {})


def test_nobody_approves_a_list_with_a_patient_it_did_not_agree_to() -> None:
    async def body(hospitals: list[Hospital], text: str) -> None:
        entry, _ = await hospitals[0].desk.propose(text, ())
        for one in hospitals[1:]:
            with pytest.raises(Refused, match="are not those of the study") as error:
                await one.desk.approve(entry.plan.digest())
            assert "victim" not in str(error.value)

    among(body, {"north": VICTIMS})


def test_a_list_that_shrank_after_approval_stops_the_run() -> None:
    async def body(hospitals: list[Hospital], text: str) -> None:
        plan = (await approved_by_all(hospitals, text)).plan
        give(hospitals[2].home, ("a", "b"))
        steps = await hospitals[0].run(plan.digest())
        assert "its own rows cannot be used" in str(error_of(steps))
        assert "data changed" in hospitals[2].events()

    among(body, {})


def test_control_without_the_lists_digest_it_learns_of_a_patient_it_does_not_treat(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The others' nodes take the asking member's list for theirs."""

    async def body(hospitals: list[Hospital], text: str) -> None:
        for one in hospitals[1:]:
            give(one.home, VICTIMS)
        plan = (await approved_by_all(hospitals, text)).plan
        steps = await hospitals[0].run(plan.digest())
        assert steps[-1].done, steps[-1].error
        words = hospitals[0].desk.scores.of(plan)
        found = scores_of(hospitals[0].desk.home, plan, words)
        assert dict(found.patients)["victim"] == "high"

    def unchecked(*_: object) -> None:
        """Look at no list."""

    monkeypatch.setattr(own, "check_listed", unchecked)
    among(body, {"north": VICTIMS})


def test_so_many_scores_a_month_and_a_run_that_failed_counts() -> None:
    async def body(hospitals: list[Hospital], text: str) -> None:
        south = hospitals[1]
        write_file(south.home.folder / "policy.toml", "max_scores = 1\n")
        plan = (await approved_by_all(hospitals, text)).plan
        south.desk.scores.begin(plan)  # as if a run had ended before its release
        steps = await hospitals[0].run(plan.digest())
        assert steps[-1].done, steps[-1].error  # the same study again is no other score
        other, _ = await hospitals[0].desk.propose(text.replace("[0, 3]", "[0, 4]"), ())
        with pytest.raises(Refused, match="allows north 1 scores in 30 days"):
            await south.desk.approve(other.plan.digest())
        later = south.desk.now() + timedelta(days=31)
        south.desk.now = lambda: later
        await south.desk.approve(other.plan.digest())

    among(body, {})
