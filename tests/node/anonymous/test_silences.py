"""A member that ends every run by silence is left out by all; nobody is by some others' word."""

from collections.abc import Sequence

import pytest

from quorate.anonymous.absence import RUNS, Silent, Unheard, say
from quorate.anonymous.messages import Run
from quorate.errors import Party, Refused, VerificationFailed
from quorate.node.anonymous.runs import Runs
from quorate.transport.session import Session
from tests.node.anonymous.circle import (
    BORING,
    SIX,
    Circle,
    agreed,
    back,
    bodies,
    hold,
    in_a_circle,
)
from tests.node.three import Hospital, until

SEVEN = (*SIX, "gus")
EVE = 4  # her seat


@pytest.fixture
def eve_is_mute(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have eve answer all questions, and say nothing in any run."""
    send = Session._send

    async def mute(
        self: Session, to: Sequence[Party], label: str, mine: object, like: object
    ) -> None:
        if self.names[self.me] != "eve":
            await send(self, to, label, mine, like)

    monkeypatch.setattr(Session, "_send", mute)


def left_out(node: Hospital) -> frozenset[str]:
    return node.reports.silences.left_out()


async def until_left_out(circle: Circle) -> list[Run]:
    """Hold runs until all but eve know that she is left out; return them."""
    held = [(await hold(circle)).run for _ in range(RUNS)]
    others = [node for name, node in circle.items() if name != "eve"]
    await until(lambda: all(left_out(node) == {"eve"} for node in others), 20)
    return held


@pytest.mark.slow
@pytest.mark.usefixtures("eve_is_mute")
def test_who_is_silent_in_three_runs_is_left_out_by_all_and_the_report_leaves() -> None:
    async def body(circle: Circle) -> None:
        await agreed(circle)
        circle["cleo"].reports.writer.write(BORING, ())
        for held in await until_left_out(circle):
            assert len(held.members) == 6
        ada = circle["ada"].reports
        assert "eve, silent in 3 runs" in circle["ada"].details()
        again = await hold(circle)
        assert [m.name for m in again.run.members] == ["ada", "ben", "cleo", "dan", "fay"]
        assert again.failure == ""
        others = [node for name, node in circle.items() if name != "eve"]
        assert [bodies(node) for node in others] == [[BORING]] * 5
        (thread,) = circle["cleo"].reports.writer.book().threads
        assert "eve" not in thread.crowd  # the meter counts her no more
        with pytest.raises(Refused, match="silent"):
            ada.runs._check(held_with_eve(circle), "ada", 1)

    in_a_circle(body, SIX)


def held_with_eve(circle: Circle) -> Run:
    runs = circle["ada"].reports.runs
    last = runs.records.runs(1)[0].run
    return Run(
        last.group, last.number + 1, bytes(32), last.cell_bytes, runs.identities(), last.cards
    )


@pytest.mark.slow
@pytest.mark.usefixtures("eve_is_mute")
def test_no_silence_makes_the_set_smaller_than_the_gate() -> None:
    async def body(circle: Circle) -> None:
        await agreed(circle)
        circle["cleo"].reports.writer.write(BORING, ())
        await until_left_out(circle)
        with pytest.raises(Refused, match="4 members, and 5 are the least"):
            await circle["ada"].reports.convening.hold()
        assert len(circle["cleo"].reports.writer.book().waiting) == 1

    in_a_circle(body)


@pytest.mark.slow
@pytest.mark.usefixtures("eve_is_mute")
def test_who_comes_back_hears_who_is_left_out_and_its_texts_wait() -> None:
    """It has not heard the silence itself: others may have agreed to it to make its set smaller."""

    async def body(circle: Circle) -> None:
        await agreed(circle)
        await until_left_out(circle)
        async with back(circle) as gus:
            await until(lambda: left_out(gus) == {"eve"}, 20)
            await agreed(circle)
            gus.reports.writer.write(BORING, ())
            held = await hold(circle, "gus")
            assert held.failure == ""
            assert "eve" not in {m.name for m in held.run.members}
            assert len(gus.reports.writer.book().waiting) == 1
            assert bodies(gus) == []

    in_a_circle(body, SEVEN, late=1)


async def say_so(circle: Circle, by: Sequence[str], about: str) -> list[Run]:
    """Have some members say, of three good runs, that they heard nothing of another."""
    runs = [(await hold(circle)).run for _ in range(RUNS)]
    for run in runs:
        for name in by:
            word = say(circle[name].home.identity, Silent(run.digest(), about, name))
            await circle[name].desk.tell_all("report silent", word)
    return runs


def test_nobody_is_left_out_by_the_word_of_all_others_but_one() -> None:
    async def body(circle: Circle) -> None:
        await agreed(circle)
        runs = await say_so(circle, ("ada", "ben", "dan", "fay"), "eve")
        assert {left_out(node) for node in circle.values()} == {frozenset()}
        signed = [
            say(circle[name].home.identity, Silent(runs[0].digest(), "eve", name)).signature
            for name in ("ada", "ben", "dan", "fay")
        ]
        with pytest.raises(VerificationFailed):  # cleo has not said it
            circle["cleo"].reports.silences.take(Unheard(runs[0], "eve", (*signed, signed[0])))
        held = await hold(circle)
        assert len(held.run.members) == 6

    in_a_circle(body, SIX)


def leave_out_eve(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have ada convene without eve, who is there: five of six are enough for the gate."""
    present = Runs.present

    def without(self: Runs) -> tuple[Party, ...]:
        return tuple(p for p in present(self) if self.desk.home.name != "ada" or p != EVE)

    monkeypatch.setattr(Runs, "present", without)


async def _left_out_by_ada(circle: Circle) -> list[str]:
    await agreed(circle)
    circle["cleo"].reports.writer.write(BORING, ())
    held = await hold(circle)
    assert held.failure == ""
    assert [m.name for m in held.run.members] == ["ada", "ben", "cleo", "dan", "fay"]
    return bodies(circle["ben"])


@pytest.mark.slow
def test_no_text_leaves_in_a_run_that_leaves_out_who_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    leave_out_eve(monkeypatch)

    async def body(circle: Circle) -> None:
        assert await _left_out_by_ada(circle) == []
        held = await hold(circle, "ben")  # another's turn
        assert len(held.run.members) == 6
        assert bodies(circle["ben"]) == [BORING]

    in_a_circle(body, SIX)


def test_control_where_texts_do_not_wait_whoever_convenes_chooses_the_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    leave_out_eve(monkeypatch)
    monkeypatch.setattr(Runs, "left_behind", lambda *_: frozenset())

    async def body(circle: Circle) -> None:
        assert await _left_out_by_ada(circle) == [BORING]

    in_a_circle(body, SIX)


@pytest.mark.slow
def test_who_does_not_get_ready_is_in_the_run_and_is_heard_to_be_silent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A member that refuses is not left out by whoever convenes, which might say so of any."""

    def refuse(self: Runs, run: Run, starter: str, session: int) -> None:
        if self.desk.home.name == "eve":
            raise Refused("not today")

    async def body(circle: Circle) -> None:
        await agreed(circle)
        monkeypatch.setattr(Runs, "_check", refuse)
        held = await hold(circle)
        assert len(held.run.members) == 6
        assert "eve did not answer" in held.failure

        def said() -> bool:
            return all(
                len(node.reports.silences.unheard()) == 1
                for name, node in circle.items()
                if name != "eve"
            )

        await until(said, 20)

    in_a_circle(body, SIX)
