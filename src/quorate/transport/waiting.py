"""Waiting for messages, as long as bytes keep coming: who stays silent, and what failed first."""

import asyncio
from collections.abc import Callable, Mapping
from typing import TypeVar

from quorate.errors import Party

M = TypeVar("M")


async def wait_whole(
    arriving: Mapping[Party, asyncio.Future[M]],
    last_heard: Callable[[Party], float],
    timeout_s: float,
) -> list[Party]:
    """Return once all messages are whole: nobody, or those unheard for `timeout_s` until now.

    Raises the first failure there is.
    """
    if len(arriving) == 1:
        ((party, message),) = arriving.items()
        return await _wait_for_one(party, message, last_heard, timeout_s)
    clock = asyncio.get_running_loop().time
    started = clock()
    while waiting := [p for p, message in arriving.items() if not message.done()]:
        due = {p: max(started, last_heard(p)) + timeout_s for p in waiting}
        left = min(due.values()) - clock()
        if left <= 0:
            return [p for p in waiting if due[p] <= clock()]
        await asyncio.wait(
            [arriving[p] for p in waiting], timeout=left, return_when=asyncio.FIRST_EXCEPTION
        )
        for message in arriving.values():
            if message.done() and (error := message.exception()):
                raise error
    return []


async def _wait_for_one(
    party: Party,
    message: asyncio.Future[M],
    last_heard: Callable[[Party], float],
    timeout_s: float,
) -> list[Party]:
    """Do the same for one: `asyncio.wait` would take one more turn of the loop every round."""
    loop, silent = asyncio.get_running_loop(), False
    timer: asyncio.TimerHandle
    started = loop.time()

    def look() -> None:
        nonlocal silent, timer
        due = max(started, last_heard(party)) + timeout_s
        if silent := due <= loop.time():
            message.cancel()
        else:
            timer = loop.call_at(due, look)

    timer = loop.call_at(started + timeout_s, look)
    try:
        await message
    except asyncio.CancelledError:
        if not silent:
            raise
        return [party]
    finally:
        timer.cancel()
    return []
