"""Any bytes in any pieces: a link takes them in bounded memory, or ends itself and says why."""

import asyncio
import tracemalloc
from collections.abc import Callable, Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from typing_extensions import override

from quorate import wire
from quorate.transport.link import AHEAD, EARLY, FRAME, HEAD, OVERHEAD, Inbound, Link, label_key

RUN, OTHER = 7, 8
LABELS = ["/1", "/2", "/3"]
SIZES = [0, 1, 7, 8, 9, 100, FRAME, FRAME + 1, wire.MAX_RECORD, wire.MAX_RECORD + 1, EARLY]


class Pipe(asyncio.Transport):
    """The network's end of a connection: keeps what is written, and whether it was cut."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.cut = False

    @override
    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    @override
    def abort(self) -> None:
        self.cut = True


def feed(link: Link, data: bytes, pieces: Sequence[int]) -> None:
    """Hand `data` to the link as a socket does, at most so many bytes at a time."""
    at, turn = 0, 0
    while at < len(data) and link.lost is None:
        buffer = link.get_buffer(-1)
        assert len(buffer) > 0
        step = min(len(buffer), len(data) - at, pieces[turn % len(pieces)])
        buffer[:step] = data[at : at + step]
        link.buffer_updated(step)
        at, turn = at + step, turn + 1


def held(link: Link) -> int:
    """Return the bytes of messages the link keeps that nobody has asked for."""
    boxes = [*link._boxes.values(), link._records]
    messages = [m for box in boxes for m in box.inbound.values()]
    return sum(_size(m) for m in messages)


def _size(message: Inbound) -> int:
    return 0 if message.data is None else len(message.data)


headers = st.tuples(
    st.sampled_from([0, RUN, RUN, RUN, OTHER]),
    st.sampled_from([0, 1, *map(label_key, LABELS)]),
    st.sampled_from([*SIZES, (1 << 32) - 1]),
    st.sampled_from([*SIZES, (1 << 32) - 1]),
)
honest_frames = st.tuples(
    st.sampled_from([RUN, RUN, 0]), st.sampled_from(list(map(label_key, LABELS))), st.binary()
).map(lambda f: HEAD.pack(f[0], f[1], len(f[2]), len(f[2])) + f[2])
lying_frames = st.tuples(headers, st.binary(max_size=300)).map(lambda f: HEAD.pack(*f[0]) + f[1])
talk = st.lists(st.one_of(honest_frames, lying_frames, st.binary(max_size=40)), max_size=12)


def with_link(scene: Callable[[Link, Pipe], None]) -> None:
    async def run() -> None:
        pipe = Pipe()
        link = Link(lambda _: None, lambda _, __: None)
        link.connection_made(pipe)
        link.peer, link.name = 1, "south"
        link.open_session(RUN, lambda _: None)
        scene(link, pipe)

    asyncio.run(run())


@given(talk, st.lists(st.sampled_from([1, 3, 24, 1000, 1 << 20]), min_size=1, max_size=3))
@example([HEAD.pack(RUN, label_key("/1"), EARLY, 1) + b"x"], [1])
def test_whatever_comes_is_taken_within_bounds_or_ends_the_link(
    frames: list[bytes], pieces: list[int]
) -> None:
    def scene(link: Link, pipe: Pipe) -> None:
        due = link.expect(RUN, "/1", 8)
        for data in frames:
            feed(link, data, pieces)
            assert held(link) <= EARLY + 2 * wire.MAX_RECORD + 8
        assert pipe.cut == (link.lost is not None)
        if link.lost is not None:
            assert str(link.lost).startswith("south broke the protocol: ")
            assert link.lost.suspects == {1}
            assert due.done()
        if due.done() and due.exception() is None:
            assert len(due.result()) <= 8

    with_link(scene)


@given(
    st.lists(st.tuples(st.sampled_from(LABELS), st.binary(min_size=1)), unique_by=lambda m: m[0]),
    st.lists(st.sampled_from([*range(1, 60), 500, 1 << 20]), min_size=1, max_size=4),
    st.booleans(),
)
def test_messages_arrive_whole_however_they_are_cut(
    messages: list[tuple[str, bytes]], pieces: list[int], asked_first: bool
) -> None:
    data = b"".join(
        HEAD.pack(RUN, label_key(label), len(body), len(body)) + body for label, body in messages
    )

    def scene(link: Link, pipe: Pipe) -> None:
        if asked_first:
            due = [link.expect(RUN, label, 10_000) for label, _ in messages]
            feed(link, data, pieces)
        else:
            feed(link, data, pieces)
            due = [link.expect(RUN, label, 10_000) for label, _ in messages]
        assert [bytes(d.result()) for d in due] == [body for _, body in messages]
        assert not pipe.cut
        assert held(link) == 0

    with_link(scene)


@given(st.lists(st.integers(1, 40), min_size=2, max_size=5), st.data())
def test_messages_interleave_frame_by_frame(sizes: list[int], data: st.DataObject) -> None:
    bodies = {f"/{k}": bytes([k]) * size for k, size in enumerate(sizes)}
    left = dict(bodies)

    def scene(link: Link, pipe: Pipe) -> None:
        due = {label: link.expect(RUN, label, 40) for label in bodies}
        while left:
            label = data.draw(st.sampled_from(sorted(left)))
            part = left[label][: data.draw(st.integers(1, len(left[label])))]
            head = HEAD.pack(RUN, label_key(label), len(bodies[label]), len(part))
            feed(link, head + part, [1 << 20])
            left[label] = left[label][len(part) :]
            if not left[label]:
                del left[label]
        assert {label: bytes(d.result()) for label, d in due.items()} == bodies
        assert not pipe.cut

    with_link(scene)


@pytest.mark.parametrize("size", [1, 100, AHEAD - HEAD.size - 1, AHEAD - HEAD.size, AHEAD, 10_000])
def test_many_frames_and_heartbeats_in_one_piece(size: int) -> None:
    """What is read ahead holds several frames, ends inside of one, or inside of its header."""
    heartbeat = HEAD.pack(0, 0, 0, 0)
    bodies = [bytes([k]) * (size + k) for k in range(60)]
    data = b"".join(
        heartbeat * (k % 3) + HEAD.pack(RUN, 1000 + k, len(body), len(body)) + body
        for k, body in enumerate(bodies)
    )

    def scene(link: Link, pipe: Pipe) -> None:
        feed(link, data, [1 << 20])
        boxes = link._boxes[RUN].inbound
        assert [bytes(boxes[1000 + k].done.result()) for k in range(60)] == bodies
        assert not pipe.cut

    with_link(scene)


def test_what_comes_in_one_piece_after_a_broken_rule_is_not_believed() -> None:
    broken = HEAD.pack(RUN, label_key("/1"), 8, 9) + bytes(9)
    whole = HEAD.pack(RUN, label_key("/2"), 8, 8) + bytes(8)

    def scene(link: Link, pipe: Pipe) -> None:
        due = link.expect(RUN, "/2", 8)
        feed(link, broken + whole, [1 << 20])
        assert pipe.cut
        assert due.exception() is link.lost
        assert len(link.get_buffer(-1)) > 0

    with_link(scene)


def test_what_an_early_message_is_said_to_cost_covers_what_it_costs() -> None:
    def scene(link: Link, _: Pipe) -> None:
        tracemalloc.start()
        count = 2000
        for k in range(count):
            feed(link, HEAD.pack(RUN, 1000 + k, 1, 1) + b"x", [1 << 20])
        used = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        assert link.lost is None
        assert used <= count * OVERHEAD

    with_link(scene)


@pytest.mark.parametrize("size", [1, FRAME - 1, FRAME, FRAME + 1, 3 * FRAME + 5])
def test_what_one_link_sends_another_takes(size: int) -> None:
    async def run() -> None:
        body = bytes(range(251)) * (size // 251 + 1)
        sender, receiver = (Link(lambda _: None, lambda _, __: None) for _ in range(2))
        pipe = Pipe()
        for link in (sender, receiver):
            link.connection_made(pipe)
            link.open_session(RUN, lambda _: None)
        due = receiver.expect(RUN, "/1", size)
        await sender.send(RUN, "/1", size, body[:size])
        await asyncio.sleep(0)
        feed(receiver, bytes(pipe.written), [1 << 20])
        assert bytes(due.result()) == body[:size]

    asyncio.run(run())
