"""Five members' nodes with open vaults, who hold anonymous runs: one process, real sockets."""

import asyncio
from collections.abc import Awaitable, Callable

from quorate.node.anonymous.records import Held
from tests.node.three import Hospital, connected, make_homes, until

FIVE = ("ada", "ben", "cleo", "dan", "eve")
SIX = (*FIVE, "fay")
CHEAT = "fay"
PASSPHRASE = "correct horse battery"  # noqa: S105 - of a test
BORING = "This course is boring"
Circle = dict[str, Hospital]


def in_a_circle(
    body: Callable[[Circle], Awaitable[None]], names: tuple[str, ...] = FIVE, every_s: float = 0
) -> None:
    """Run `body` among the connected nodes of these members, whose vaults are open."""

    async def main() -> None:
        homes = make_homes(names)
        for home in homes:
            home.report_every_s = every_s
        async with connected(*homes) as nodes:
            await asyncio.gather(*(node.quorum.unlock(PASSPHRASE) for node in nodes))
            await body({node.home.name: node for node in nodes})

    asyncio.run(main())


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


async def cut_off(circle: Circle, name: str, of: str = "ada") -> Hospital:
    """Cut a member's link to another, take it out of the circle, and return it.

    It dials again by itself, and is then told what it missed.
    """
    await agreed(circle)
    gone = circle.pop(name)
    party, other = gone.desk.me, circle[of].desk
    link = gone.desk.peers.peers[other.me].link
    assert link is not None
    link.close("gone")
    await until(lambda: not other.peers.peers[party].ready.is_set())
    return gone
