"""Nodes far apart, so that the blow falls in the middle of the secure sum itself."""

import asyncio
import signal
from collections.abc import Callable
from contextlib import AsyncExitStack, ExitStack
from functools import partial

import pytest

from quorate.errors import Abort
from quorate.node.views import EventView
from tests.e2e.nodes import NAMES, Nodes, three_nodes
from tests.transport.mesh import free_ports
from tests.wan import Line

DELAY_S = 0.1
TIMEOUT_S = 4.0


async def far_apart(scene: Callable[[Nodes], None]) -> None:
    """Run `scene` with three nodes that reach one another over long lines."""
    async with AsyncExitStack() as lines:
        ports = free_ports(len(NAMES))
        far = [await lines.enter_async_context(Line(p, DELAY_S).running()) for p in ports]
        reached_at = {n: f"127.0.0.1:{line.port}" for n, line in zip(NAMES, far, strict=True)}
        await asyncio.to_thread(_with_nodes, scene, ports, reached_at)


def _with_nodes(
    scene: Callable[[Nodes], None], ports: list[int], reached_at: dict[str, str]
) -> None:
    with ExitStack() as stack:
        scene(stack.enter_context(three_nodes(TIMEOUT_S, reached_at, ports)))


def struck(nodes: Nodes, number: signal.Signals, event: EventView) -> None:
    if event.stage == "masked values":
        nodes.signal("west", number)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_member_lost_in_the_middle_of_the_sum_is_named(number: signal.Signals) -> None:
    def scene(nodes: Nodes) -> None:
        id_ = nodes.approved()
        with pytest.raises(Abort, match=r"^west did not answer") as aborted:
            nodes.run(id_, at=partial(struck, nodes, number))
        assert aborted.value.exit_code == 3
        for name in ("north", "south"):
            assert f"run started: {id_} by north" in nodes.told(name)
        assert f"aborted: {id_}: west did not answer" in nodes.told("north")
        if number == signal.SIGSTOP:
            nodes.signal("west", signal.SIGCONT)
        else:
            nodes.start("west")
        nodes.works(id_)

    asyncio.run(far_apart(scene))
