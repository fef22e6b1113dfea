"""Work whose end others see, ended at one time after it began, however much there was to do.

What waits in the book makes a node read longer: by a millisecond, or by 20 with a book
full of reports. So where another member could measure it, a run's first message and an
answer leave by the clock.
"""

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

READ_S = 0.2
"""Seconds for reading the book: ten times what the fullest takes, of 630 reports."""


async def evenly(work: Callable[[], T]) -> T:
    """Return what `work` returns, or raise what it raises, `READ_S` after it began."""
    clock = asyncio.get_running_loop().time
    due = clock() + READ_S
    try:
        return work()
    finally:
        await asyncio.sleep(due - clock())
