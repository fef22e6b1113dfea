"""A study in a simulated enclave among three real nodes: the enclave is a process of its own."""

from datetime import timedelta
from pathlib import Path

import pytest

from quorate.enclave.simulation import platform_of
from quorate.errors import Refused
from quorate.node.enclosure import hosting, make_seed
from quorate.node.home import create
from quorate.node.program import measurement
from quorate.node.sandbox import can_confine, confined
from quorate.studies.release import origin_of, verify_release
from quorate.studies.study import read_study
from tests.node.test_bundles import classify, proposed
from tests.node.test_desk import among_three
from tests.node.three import NOW, STUDY, Hospital, until


def inside(host: Hospital, *, off: int = 0) -> str:
    """Return the study in an enclave of `host`, its measurement off by so much."""
    group = host.desk.group
    created = NOW - timedelta(days=1)
    make_seed(host.home, bytes(32), created)
    root = platform_of(bytes(32), created).anchor
    measured = bytearray(measurement(read_study(STUDY), group))
    measured[0] ^= off
    return (
        f'trust = "enclave"\n{STUDY}\n[enclave]\nhost = "{host.home.name}"\n'
        f'platform = "simulated"\nmeasurement = "{measured.hex()}"\nroot = "{root.hex()}"\n'
    )


@pytest.mark.slow
def test_three_nodes_and_a_process_release_what_all_can_trace() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        classify(hospitals)
        entry = await proposed(hospitals, inside(hospitals[1]))
        for hospital in hospitals[1:]:
            await hospital.desk.approve(entry.plan.digest())
        progress = await hospitals[0].run(entry.plan.digest())
        assert progress[-1].done, progress[-1]
        await until(lambda: not any(h.runs.current for h in hospitals))
        release = hospitals[2].desk.store.study(entry.plan.digest()).release
        assert release is not None
        assert verify_release(release, group=hospitals[0].desk.group).roster_known
        verdict = origin_of(release, NOW)
        assert verdict is not None
        assert verdict.watermark.startswith("SIMULATED")

    among_three(body)


def test_a_program_that_differs_is_not_approved() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        classify(hospitals)
        with pytest.raises(Refused, match="not one byte may differ"):
            await proposed(hospitals, inside(hospitals[0], off=1))

    among_three(body)


def test_real_data_are_refused() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        classify(hospitals, north="real")
        with pytest.raises(Refused, match="are real"):
            await proposed(hospitals, inside(hospitals[0]))

    among_three(body)


def test_a_node_says_whether_it_hosts_an_enclave_and_how(tmp_path: Path) -> None:
    home = create(tmp_path / "north", "north", "127.0.0.1:7400")
    assert hosting(home) == "none"
    make_seed(home, bytes(32), NOW)
    assert hosting(home) == ("confined" if can_confine() else "not confined")


def test_a_command_is_confined_where_it_can_be() -> None:
    found = confined(["true"])
    assert found[-1] == "true"
    assert ("--unshare-all" in found) == can_confine()
