"""Work on requests in the background: none is forgotten, and none is done twice at once."""

import asyncio

from quorate.node.quorum.errands import Errands


def test_what_comes_up_just_as_work_ends_is_worked_on() -> None:
    times = 0

    async def body() -> None:
        async with asyncio.TaskGroup() as tasks:

            async def work(digest: bytes) -> None:
                nonlocal times
                times += 1
                if times == 1:  # before anybody is told of the end of this
                    asyncio.get_running_loop().call_soon(errands.start, digest)

            errands = Errands(tasks, "test", work)
            await errands.start(b"one")
            await errands.finished(b"one")

    asyncio.run(body())
    assert times == 2


def test_a_request_is_worked_on_once_at_a_time() -> None:
    async def body() -> None:
        go = asyncio.Event()

        async def work(_: bytes) -> None:
            await go.wait()

        async with asyncio.TaskGroup() as tasks:
            errands = Errands(tasks, "test", work)
            first = errands.start(b"one")
            assert errands.start(b"one") is first
            assert errands.start(b"two") is not first
            go.set()
            await first
            assert not errands.at_work.get(b"one")

    asyncio.run(body())
