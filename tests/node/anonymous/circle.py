"""Five members' nodes with open vaults, who hold anonymous runs: one process, real sockets."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from quorate.node.anonymous.records import Held
from quorate.node.home import Home
from tests.node.three import Hospital, make_homes, until, up

FIVE = ("ada", "ben", "cleo", "dan", "eve")
SIX = (*FIVE, "fay")
CHEAT = "fay"
PASSPHRASE = "correct horse battery"  # noqa: S105 - of a test
BORING = "This course is boring"


class Circle(dict[str, Hospital]):
    """The nodes that are up, by name, and the homes of those that are not yet."""

    away: tuple[Home, ...] = ()


def in_a_circle(
    body: Callable[[Circle], Awaitable[None]],
    names: tuple[str, ...] = FIVE,
    every_s: float = 0,
    late: int = 0,
    timeout_s: float = 3.0,
) -> None:
    """Run `body` among the connected nodes of these members, whose vaults are open.

    The last `late` of them are away.
    """

    async def main() -> None:
        homes = make_homes(names, timeout_s)
        for home in homes:
            home.report_every_s = every_s
        there = homes[: len(homes) - late]
        async with AsyncExitStack() as stack:
            nodes = [await stack.enter_async_context(up(home)) for home in there]
            circle = Circle((node.home.name, node) for node in nodes)
            circle.away = tuple(homes[len(there) :])
            await until(lambda: all(_linked(node) == len(there) - 1 for node in nodes), 20)
            await asyncio.gather(*(node.quorum.unlock(PASSPHRASE) for node in nodes))
            await body(circle)

    asyncio.run(main())


def _linked(node: Hospital) -> int:
    return sum(peer.ready.is_set() for peer in node.desk.peers.peers.values())


@asynccontextmanager
async def back(circle: Circle) -> AsyncGenerator[Hospital]:
    """Have the first of those that are away come, open its vault, and be in the circle."""
    async with up(circle.away[0]) as node:
        await node.quorum.unlock(PASSPHRASE)
        await until(lambda: _linked(node) == len(circle), 20)
        circle[node.home.name] = node
        yield node


async def hold(circle: Circle, by: str = "ada") -> Held:
    """Have a run held, and wait until all nodes are through with it."""
    held = await circle[by].reports.convening.hold()
    for node in circle.values():
        if (current := node.reports.runs.current) is not None:
            await current.ended.wait()
    return held


def bodies(node: Hospital) -> list[str]:
    """Return what came out of runs on a node."""
    return [post.body.decode() for post in node.reports.shelf().posts]


async def agreed(circle: Circle) -> None:
    """Wait until all nodes know all cards."""
    nodes = circle.values()
    await until(lambda: all(len(n.reports.cards.all()) == len(circle) for n in nodes))


async def settled(circle: Circle) -> None:
    """Wait until a run has been held in which all knew all cards: then may be sealed to them."""
    await agreed(circle)
    await hold(circle)


async def cut_off(circle: Circle, name: str, of: str = "ada") -> Hospital:
    """Cut a member's link to another, take it out of the circle, and return it.

    It dials again by itself.
    """
    await agreed(circle)
    gone = circle.pop(name)
    party, other = gone.desk.me, circle[of].desk
    link = gone.desk.peers.peers[other.me].link
    assert link is not None
    link.close("gone")
    await until(lambda: not other.peers.peers[party].ready.is_set())
    return gone
