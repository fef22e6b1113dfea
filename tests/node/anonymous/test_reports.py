"""Anonymous reports among five nodes: written, held back, read by all, answered, claimed."""

import pytest

from quorate.anonymous.meter import Gate, own_gate
from quorate.errors import NotFound, Refused, Unavailable, VerificationFailed
from quorate.node.anonymous.certificates import filing_of, verify_filing
from tests.node.anonymous.circle import (
    BORING,
    FIVE,
    SIX,
    Circle,
    bodies,
    cut_off,
    hold,
    in_a_circle,
)
from tests.node.three import until


def test_a_report_comes_out_on_every_node_and_leaves_its_writers_queue() -> None:
    async def body(circle: Circle) -> None:
        circle["cleo"].reports.writer.write(BORING, ())
        held = await hold(circle)
        assert (held.decision, held.failure) == ("key", "")
        assert [bodies(node) for node in circle.values()] == [[BORING]] * 5
        assert circle["cleo"].reports.writer.book().waiting == ()
        again = await hold(circle, "eve")
        assert again.run.number > held.run.number
        assert held.past is not None
        assert again.run.previous == held.past.vote.transcript
        assert again.shape is not None
        assert again.shape.texts == 0
        assert [bodies(node) for node in circle.values()] == [[BORING]] * 5

    in_a_circle(body)


def test_all_members_say_as_much_and_their_parts_add_up_to_the_cell() -> None:
    async def body(circle: Circle) -> None:
        circle["ben"].reports.writer.write(BORING, ())
        held = await hold(circle)
        shapes = [n.reports.records.run(held.run.digest()).shape for n in circle.values()]
        assert held.shape is not None
        assert shapes == [held.shape] * 5
        total = 0
        for part in held.shape.parts:
            total ^= int.from_bytes(part)
        assert total == int.from_bytes(held.shape.cell) != 0
        assert len(set(held.shape.parts)) == 5

    in_a_circle(body)


@pytest.mark.slow
def test_a_long_report_takes_several_runs() -> None:
    async def body(circle: Circle) -> None:
        text = "It is boring. " * 150
        (waiting,) = circle["dan"].reports.writer.write(text, ())
        assert len(waiting.cells) == 3
        for left in (2, 1, 0):
            assert bodies(circle["ada"]) == []
            await hold(circle)
            book = circle["dan"].reports.writer.book()
            assert [len(w.cells) for w in book.waiting] == [left] * bool(left)
        assert [bodies(node) for node in circle.values()] == [[text]] * 5

    in_a_circle(body)


@pytest.mark.slow
def test_a_report_waits_while_too_few_could_have_written_it() -> None:
    async def body(circle: Circle) -> None:
        writer = circle["eve"].reports.writer
        writer.write(BORING, ("ada",))
        reading = circle["eve"].reports.reading(("ada",))
        assert {c.name for c in reading.crowd} == set(FIVE[1:])
        assert reading.lacking == ("4 members, and 5 are the least",)
        await hold(circle)
        assert bodies(circle["ben"]) == []
        assert len(writer.book().waiting) == 1
        with pytest.raises(NotFound):
            writer.write(BORING, ("nobody",))
        with pytest.raises(Refused, match="does not fear itself"):
            writer.write(BORING, ("eve",))
        with pytest.raises(Refused, match="nothing to send"):
            writer.write(" \n", ())

    in_a_circle(body)


def test_with_a_member_away_five_are_no_crowd_and_six_are() -> None:
    async def body(circle: Circle) -> None:
        circle["eve"].reports.writer.write(BORING, ())
        await hold(circle)
        await cut_off(circle, "fay")
        held = await hold(circle)
        assert [m.name for m in held.run.members] == list(FIVE)
        (thread,) = circle["eve"].reports.writer.book().threads
        reading = circle["eve"].reports.writer.reading(
            thread, circle["eve"].reports.runs.crowd(FIVE)
        )
        assert [c.name for c in reading.lost] == ["fay"]

    in_a_circle(body, SIX)


def test_nobody_holds_a_run_of_too_few() -> None:
    async def body(circle: Circle) -> None:
        with pytest.raises(Refused, match="3 members, and 5 are the least"):
            await circle["ada"].reports.convening.hold()
        assert circle["ada"].reports.records.runs(10) == ()

    in_a_circle(body, FIVE[:3])


def test_threads_are_answered_continued_claimed_and_certified() -> None:
    async def body(circle: Circle) -> None:
        cleo, dan = circle["cleo"].reports, circle["dan"].reports
        thread = cleo.writer.write(BORING, ())[0].thread
        await hold(circle)
        answer = dan.writer.write("Which part?", (), to=dan.find(thread.hex()[:12]))[0].thread
        cleo.writer.write("The first hour.", (), to=thread)
        await hold(circle)
        posts = circle["eve"].reports.shelf().posts
        assert {(p.thread, p.number, p.to, p.body) for p in posts} == {
            (thread, 0, b"", BORING.encode()),
            (thread, 1, b"", b"The first hour."),
            (answer, 0, thread, b"Which part?"),
        }
        group = circle["ada"].desk.group
        text = filing_of(circle["eve"].reports, thread)
        filed = verify_filing(text, group)
        assert [p.body for p in filed.posts] == [BORING.encode(), b"The first hour."]
        assert filed.members == (FIVE,)
        with pytest.raises(VerificationFailed):
            verify_filing(text, type(group)("others", group.members))
        with pytest.raises(NotFound, match="did not write"):
            await dan.claim(thread)
        assert await cleo.claim(thread) == ()
        assert [c.bond.member for c in circle["ben"].reports.records.claims()] == ["cleo"]
        assert "thread claimed" in circle["ben"].events()

    in_a_circle(body)


def test_who_has_no_open_vault_takes_part_and_cannot_write() -> None:
    async def body(circle: Circle) -> None:
        circle["ben"].quorum.custody.opened = None
        with pytest.raises(Unavailable, match="locked"):
            circle["ben"].reports.writer.write(BORING, ())
        circle["ada"].reports.writer.write(BORING, ())
        await hold(circle)
        assert bodies(circle["ben"]) == [BORING]

    in_a_circle(body)


def test_nodes_hold_runs_by_the_clock() -> None:
    """It waits for runs to end, and not for a time: a loaded machine holds more of them."""

    async def body(circle: Circle) -> None:
        circle["dan"].reports.writer.write(BORING, ())
        runs = circle["ada"].reports.runs
        while any(bodies(node) != [BORING] for node in circle.values()):
            await until(lambda: runs.current is not None, 60)
            if runs.current is not None:
                await runs.current.ended.wait()

    in_a_circle(body, every_s=4, timeout_s=30)


def test_a_report_waits_for_as_many_as_its_author_asked_for() -> None:
    async def body(circle: Circle) -> None:
        writer = circle["eve"].reports.writer
        thread = writer.write(BORING, (), gate=own_gate(6, 0))[0].thread
        held = await hold(circle)
        assert held.shape is not None
        assert held.shape.texts == 0
        five = circle["eve"].reports.runs.crowd(FIVE)
        assert writer.reading(writer.own(thread), five).lacking == (
            "5 members, and 6 are the least",
        )
        writer.write("And long.", (), to=thread)  # who goes on with it asks for no less
        assert writer.own(thread).gate == Gate(6, 3)
        writer.write("Fine with five.", ())
        await hold(circle)
        assert bodies(circle["ada"]) == ["Fine with five."]

    in_a_circle(body)
