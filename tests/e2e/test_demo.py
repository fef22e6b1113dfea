"""`quorate demo age`: everything it promises is on the screen, and nothing is left behind."""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from itertools import takewhile
from pathlib import Path

import pytest

from quorate.cli.demo import _compare
from quorate.cli.stage import examples
from quorate.errors import VerificationFailed
from quorate.node.views import ResultView, StudyView
from tests.e2e.nodes import NAMES, quorate

DEMO = [sys.executable, "-m", "quorate.cli.main", "demo", "age"]


def test_the_demo_shows_all_and_leaves_what_it_was_told_to_keep(short: Path) -> None:
    began = time.monotonic()
    said = quorate("demo", "age", "--keep", "kept", cwd=short)
    assert said.returncode == 0, said.stderr
    assert time.monotonic() - began < 60
    for shown in (
        r"reveals +sum of age, of all members together",
        r"to +north, south, west; nothing else is revealed",
        r"holds +against any 2 of 3 members together",
        r"6 rounds, \d+ bytes sent and \d+ received by north, [0-2]\.\d+ s",
        r"mean_age  48\.5181 years  21445/442  21445/442",
        r"patients  442 rows +442 +442",
        *(f"{a} received from {b}: [0-9a-f]{{16}} " for a in NAMES for b in NAMES if a != b),
        r"signed +north, south, west: 3 of 3 signatures verify",
        r"plan +([0-9a-f]{4} ){15}",
        r"roster +([0-9a-f]{4} ){15}",
        r"quorate doctor --node north",
    ):
        assert re.search(shown, said.stdout), shown
    kept = short / "kept"
    offline = quorate("verify", "release.json", "--group", "hospitals.json", cwd=kept)
    assert offline.returncode == 0
    assert not any(kept.glob("*/node.pid"))
    again = quorate("demo", "age", "--keep", "kept", cwd=short)
    assert (again.returncode, "is not an empty folder" in again.stderr) == (5, True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_demo_that_is_interrupted_stops_its_nodes(number: signal.Signals) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="q-") as folder,
        subprocess.Popen(
            DEMO,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"TMPDIR": folder},
        ) as demo,
    ):
        assert demo.stdout is not None
        shown = "".join(takewhile(lambda line: "node start" not in line, demo.stdout))
        ports = [int(port) for port in re.findall(r"--listen 127\.0\.0\.1:(\d+)", shown)]
        assert len(ports) == len(NAMES)
        assert all(map(_is_open, ports))
        demo.send_signal(number)
        _, said = demo.communicate(timeout=30)
        assert (demo.returncode, said) == (130, "quorate: interrupted\n")
        assert not any(map(_is_open, ports))
        assert not any(Path(folder).iterdir())


def test_a_result_that_is_not_the_truth_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    files = {name: examples() / "data" / f"{name}.csv" for name in NAMES}
    _compare(_released("442/1", "21445/442"), files)
    for wrong in (("441/1", "21445/442"), ("442/1", "21446/442"), ("442/1",)):
        with pytest.raises(VerificationFailed):
            _compare(_released(*wrong), files)
    assert "21445/442" in capsys.readouterr().out


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _released(*exact: str) -> StudyView:
    names = ("patients", "mean_age")
    results = tuple(
        ResultView(name=name, formula="", value="", exact=value, unit="")
        for name, value in zip(names, exact, strict=False)
    )
    return StudyView(
        id="",
        digest="",
        title="",
        purpose="",
        table="",
        proposer="",
        proposed_at="",
        state="released",
        note="",
        members=NAMES,
        approved_by=NAMES,
        disclosure=(),
        results=results,
    )
