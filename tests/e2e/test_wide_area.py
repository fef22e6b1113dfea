"""Nodes far apart, so that the blow falls in the middle of the secure sum itself."""

import asyncio
import signal
from collections.abc import Callable
from contextlib import AsyncExitStack, ExitStack, suppress
from functools import partial

import pytest

from quorate.cli.ports import free_ports
from quorate.dp.accounting import NANO
from quorate.errors import Abort, Error, Unavailable
from quorate.node.budgets.client import BudgetClient
from quorate.node.budgets.views import BudgetBody
from quorate.node.run import OWN_ROWS
from quorate.node.views import EventView
from quorate.studies.protocols import ADDITIVE, JOINT_NOISE, NOISE_IN_SHARES, Protocol
from quorate.studies.runners.run import stages_of
from tests.e2e.nodes import NAMES, Nodes, three_nodes, wait
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


@pytest.mark.slow
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


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["north", "west"])  # the starter, and another
def test_a_node_killed_at_any_stage_comes_back_and_one_release_comes_out(victim: str) -> None:
    def scene(nodes: Nodes) -> None:
        for stage in (OWN_ROWS, *stages_of(ADDITIVE)):
            id_ = nodes.approved()
            kill_at(nodes, victim, stage, id_)
            nodes.start(victim)
            nodes.connected(NAMES)
            for name in NAMES:
                all_settled(nodes, id_)
                if state_of(nodes, name, id_) != "released":
                    nodes.run(id_, by=name)
            all_settled(nodes, id_)
            assert len({release_of(nodes, name, id_) for name in NAMES}) == 1

    asyncio.run(far_apart(scene))


NOISY = """
title = "{title}"
purpose = "a test"
max_rows = 1000
min_cell = 1
[privacy]
bounds = "the tests"
noise = "{noise}"
[tables.patients]
age = "integer 0..120 years"
[releases.age]
sql = "select avg(age) as mean_age from patients"
privacy = {{ epsilon = 0.5 }}
"""


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["north", "west"])
@pytest.mark.parametrize("protocol", [JOINT_NOISE, NOISE_IN_SHARES])
def test_a_node_killed_at_any_stage_of_a_noisy_study_is_never_out_of_its_budget(
    victim: str, protocol: Protocol
) -> None:
    noise = "jointly" if protocol == JOINT_NOISE else "in shares"
    stages = (OWN_ROWS, *stages_of(protocol))

    def scene(nodes: Nodes) -> None:
        for name in NAMES:
            with nodes.client(name) as client:
                budget = BudgetBody(nano_epsilon=len(stages) * NANO // 2, period="now")
                BudgetClient(client).set("patients", budget)
        for stage in stages:
            id_ = nodes.approved(NOISY.format(title=f"killed at {stage}", noise=noise))
            kill_at(nodes, victim, stage, id_)
            nodes.start(victim)
            nodes.connected(NAMES)
            for name in NAMES:
                all_settled(nodes, id_)
                if state_of(nodes, name, id_) != "released":
                    with suppress(Error):  # what was opened and lost stays so
                        nodes.run(id_, by=name)
            all_settled(nodes, id_)
            ends = [state_of(nodes, name, id_) for name in NAMES]
            assert len(set(ends)) == 1
            if ends[0] == "released":
                assert len({release_of(nodes, name, id_) for name in NAMES}) == 1
                assert [last_step(nodes, name) for name in NAMES] == ["released"] * 3

    asyncio.run(far_apart(scene))


def last_step(nodes: Nodes, name: str) -> str:
    with nodes.client(name) as client:
        return BudgetClient(client).history("patients")[-1].state


def kill_at(nodes: Nodes, victim: str, stage: str, id_: str) -> None:
    """Start a run by north and kill a node when north comes to `stage`."""

    def strike(event: EventView) -> None:
        if event.stage == stage:
            nodes.kill(victim)

    with suppress(Abort, Unavailable):  # near the end it may be too late to stop it
        nodes.run(id_, at=strike)


def state_of(nodes: Nodes, name: str, id_: str) -> str:
    with nodes.client(name) as client:
        return client.study(id_).state


def release_of(nodes: Nodes, name: str, id_: str) -> str:
    with nodes.client(name) as client:
        return client.release(id_)


def all_settled(nodes: Nodes, id_: str) -> None:
    """Wait until no node is in the middle of a run."""
    for name in NAMES:
        wait(partial(is_settled, nodes, name, id_))


def is_settled(nodes: Nodes, name: str, id_: str) -> bool:
    return state_of(nodes, name, id_) != "running"
