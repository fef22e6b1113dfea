"""What a node does in the background about approved requests, and how it asks their holders."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import structlog

from quorate.errors import Error, Party
from quorate.node.desk import Desk
from quorate.transport.containment import contained

T = TypeVar("T")

log = structlog.get_logger()


@dataclass(slots=True)
class Errands:
    """One piece of work at a time for each request; whatever fails, the node goes on."""

    tasks: asyncio.TaskGroup
    what: str
    work: Callable[[bytes], Awaitable[None]]
    at_work: dict[bytes, asyncio.Task[None]] = field(default_factory=dict)
    others: set[asyncio.Task[None]] = field(default_factory=set)

    def start(self, digest: bytes) -> asyncio.Task[None]:
        """Work on a request, or join the work on it."""
        task = self.at_work.get(digest)
        # Work that has ended did not see what is new, even if nobody was told of its end yet.
        if task is None or task.done():
            task = self.at_work[digest] = self.tasks.create_task(self._guarded(digest))
            task.add_done_callback(lambda done: self._ended(digest, done))
        return task

    def start_later(self, digest: bytes, seconds: float) -> None:
        """Work on a request after a while."""
        self.aside(self._later(digest, seconds))

    def aside(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Do something that nobody waits for, unless the node stops."""
        self.others.add(task := self.tasks.create_task(coroutine))
        task.add_done_callback(self.others.discard)

    async def finished(self, digest: bytes) -> None:
        """Wait for what this node does about a request now, if it does anything."""
        if digest in self.at_work:
            await asyncio.wait([self.at_work[digest]])

    def stop(self) -> None:
        """Give up what is under way: it will be tried again."""
        for task in (*self.at_work.values(), *self.others):
            task.cancel()

    def _ended(self, digest: bytes, done: asyncio.Task[None]) -> None:
        if self.at_work.get(digest) is done:
            del self.at_work[digest]

    async def _later(self, digest: bytes, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self.start(digest)

    async def _guarded(self, digest: bytes) -> None:
        with contained("failed", lambda _: None, what=self.what):
            try:
                await self.work(digest)
            except Error as e:
                log.warning("not done", what=self.what, why=str(e))


def is_there(desk: Desk, name: str) -> bool:
    """Return whether a member can be asked now: this one, or one whose node is connected."""
    if name == desk.home.name:
        return True
    listed = name in desk.group.names  # a holder may have left the group since
    return listed and desk.peers.peers[desk.group.party(name)].ready.is_set()


async def ask_enough(
    desk: Desk,
    names: Iterable[str],
    topic: str,
    question: object,
    answer: type[T],
    here: Callable[[Party], T],
    enough: Callable[[Collection[str]], bool],
    *,
    patience: float = 1.0,
) -> dict[str, T | Error]:
    """Ask these members at once, this one by `here`, until those who have answered are `enough`.

    Returns what each of them answered, or its error, in the order in which that
    came; who has not answered by then is not waited for.
    """
    found: dict[str, T | Error] = {}
    async with asyncio.TaskGroup() as tasks:
        asking = {
            tasks.create_task(
                ask_one(desk, name, topic, question, answer, here, patience=patience)
            ): name
            for name in names
        }
        pending = set(asking)
        while pending and not enough([n for n, r in found.items() if not isinstance(r, Error)]):
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            found.update({asking[task]: task.result() for task in done})
        for task in pending:
            task.cancel()
    return found


async def ask_one(
    desk: Desk,
    name: str,
    topic: str,
    question: object,
    answer: type[T],
    here: Callable[[Party], T],
    *,
    patience: float = 1.0,
) -> T | Error:
    """Ask a member, this one by `here`; return what it answers, or its error.

    `patience` is how long to wait for it, in this node's time-outs.
    """
    try:
        if name == desk.home.name:
            return here(desk.me)
        party, timeout_s = desk.group.party(name), desk.home.timeout_s * patience
        return await desk.peers.ask(party, topic, question, answer, timeout_s=timeout_s)
    except Error as e:
        return e
