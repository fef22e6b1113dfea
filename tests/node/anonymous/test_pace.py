"""Neither size nor time of what a node says tells whether its member has something to say."""

import asyncio
import secrets
import statistics
import time
from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from quorate import wire
from quorate.anonymous.messages import Run
from quorate.anonymous.threads import Pseudonym
from quorate.errors import Error, Refused
from quorate.node.anonymous.book import Book, Draft, Thread, compose
from quorate.node.anonymous.messages import Begin, Since, Standing, Wanted, Which
from quorate.node.anonymous.pace import READ_S, evenly
from quorate.node.anonymous.runs import CELL_BYTES, Runs
from quorate.node.anonymous.writer import BOOK_BYTES
from quorate.node.api import make_app
from quorate.node.members.doorway import Doorway
from quorate.node.members.members import Members
from quorate.node.members.records import RosterRecords
from quorate.node.node import Node
from quorate.quorum.history import verify_history
from quorate.transport.session import Session
from tests.node.anonymous.circle import BORING, Circle, hold, in_a_circle, settled
from tests.node.three import Hospital
from tests.parties import VirtualTimeLoop

WRITER, OTHER = "ben", "dan"
REPEATS = 15


def fill(node: Hospital) -> None:
    """Let as many reports wait on a node as fit, none of which may leave yet."""
    writer, book = node.reports.writer, Book()
    while len(wire.encode(book)) < BOOK_BYTES * 0.7:
        for _ in range(150):
            one = Pseudonym(node.desk.group.digest(), secrets.token_bytes(32))
            book = book.with_thread(Thread(one.seed, one.thread, 1, ("eve",), ()))
            posts = compose(one, 0, Draft(BORING), None, CELL_BYTES, secrets.token_bytes)
            book = replace(book, waiting=(*book.waiting, *posts))
    writer.keep(book)


async def answer(node: Hospital, topic: str, question: object) -> bytes:
    """Return what a node answers ada, or with what words it refuses."""
    try:
        return await node.reports.answers()[topic](0, wire.encode(question))
    except Error as e:
        return str(e).encode()


def test_all_answers_to_members_are_of_one_size_and_the_refusals_too() -> None:
    async def body(circle: Circle) -> None:
        await settled(circle)
        writer, other = circle[WRITER], circle[OTHER]
        writer.reports.writer.write(BORING, ("eve",))
        writer.reports.writer.write(BORING * 100, ())
        for ready in range(2):
            sid = circle["ada"].reports.records.runs(1)[0].run.digest()
            questions = (
                ("report standing", Standing(0, None)),
                ("report go", Begin(5)),
                ("report share", Wanted(bytes(32), 0)),
                ("report missed", Since(0)),
                ("report brought", Which(sid)),
                ("report evidence", Which(sid)),
                ("report prepare", Begin(1)),
                ("report claim", Begin(1)),
            )
            for topic, question in questions:
                said = [len(await answer(node, topic, question)) for node in (writer, other)]
                assert said[0] == said[1], topic
            if not ready:
                await hold(circle)  # a fragment leaves, the rest waits

    in_a_circle(body)


async def asked_here(node: Hospital, route: str) -> bytes:
    """Return what the node's own API answers, with its name as any other's."""
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b""}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    desk = node.desk
    history = verify_history(desk.group, ())
    members = Members(desk, RosterRecords(desk.store), history, desk.tasks)
    doorway = Doorway(members, desk.now)
    whole = Node(
        node.home, desk, node.runs, node.heads, node.quorum, node.reports, members, doorway
    )
    scope = {"type": "http", "method": "GET", "path": route, "query_string": b"", "headers": []}
    await make_app(whole, lambda: None)(scope, receive, send)
    assert sent[0]["status"] == 200, route
    body: bytes = b"".join(message.get("body", b"") for message in sent)
    return body.replace(f'"{node.home.name}"'.encode(), b'"NAME"')


def test_what_a_nodes_own_api_says_to_others_than_its_author_is_of_one_size() -> None:
    """Of all routes only the queue and an own thread's meter know what waits."""

    async def body(circle: Circle) -> None:
        writer, other = circle[WRITER], circle[OTHER]
        writer.reports.writer.write(BORING * 100, ())
        fragments = len(writer.reports.writer.book().waiting[0].cells)
        for left in range(fragments, -1, -1):
            assert bool(writer.reports.writer.book().waiting) == bool(left)
            for route in ("/reports", "/reports/runs", "/data", "/studies"):
                said = [len(await asked_here(node, route)) for node in (writer, other)]
                assert said[0] == said[1], route
            assert writer.events() == other.events()
            await hold(circle)
        queue = [len(await asked_here(node, "/reports/queue")) for node in (writer, other)]
        assert queue[0] == queue[1]
        writer.reports.writer.write(BORING, ("eve",))
        queue = [len(await asked_here(node, "/reports/queue")) for node in (writer, other)]
        assert queue[0] > queue[1]  # the one that may tell does: the comparison sees it

    in_a_circle(body)


def test_what_is_done_evenly_ends_at_one_time_whatever_it_took() -> None:
    def fails() -> None:
        raise Refused("no")

    async def scene() -> None:
        clock = asyncio.get_running_loop().time
        began = clock()
        assert await evenly(lambda: 7) == 7
        assert clock() - began == pytest.approx(READ_S)
        with pytest.raises(Refused):
            await evenly(fails)
        assert clock() - began == pytest.approx(2 * READ_S)

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(scene())


def test_no_first_message_and_no_answer_leaves_before_its_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    began, left = dict[str, float](), dict[str, float]()
    read, send = Runs._next_text, Session._send

    def reading(self: Runs, run: Run) -> bytes:
        began[self.desk.home.name] = asyncio.get_running_loop().time()
        return read(self, run)

    async def sending(
        self: Session, to: Sequence[int], label: str, mine: object, like: object
    ) -> None:
        left.setdefault(self.names[self.me], asyncio.get_running_loop().time())
        await send(self, to, label, mine, like)

    monkeypatch.setattr(Runs, "_next_text", reading)
    monkeypatch.setattr(Session, "_send", sending)

    async def body(circle: Circle) -> None:
        fill(circle[WRITER])
        await hold(circle)
        assert began.keys() == left.keys() == circle.keys()
        assert min(left[name] - began[name] for name in circle) >= READ_S
        for name in (WRITER, OTHER):
            asked = asyncio.get_running_loop().time()
            await answer(circle[name], "report share", Wanted(bytes(32), 0))
            assert asyncio.get_running_loop().time() - asked >= READ_S

    in_a_circle(body)


def seconds(work: Callable[[], object]) -> float:
    """Return the processor's seconds that something takes, the median of some times."""
    taken: list[float] = []
    for _ in range(REPEATS):
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return statistics.median(taken)


def test_control_by_the_work_alone_a_full_book_is_told_from_an_empty_one() -> None:
    """And there is time enough for the fullest: else it would be seen in spite of the clock."""

    async def body(circle: Circle) -> None:
        wanted = Wanted(bytes(32), 0)
        fill(circle[WRITER])
        full, empty = (
            seconds(partial(circle[n].reports.openings._share_for, "ada", wanted))
            for n in (WRITER, OTHER)
        )
        assert full > 1.5 * empty
        run = (await hold(circle)).run
        full, empty = (
            seconds(partial(circle[n].reports.runs._next_text, run)) for n in (WRITER, OTHER)
        )
        assert 1.5 * empty < full < READ_S

    in_a_circle(body)
