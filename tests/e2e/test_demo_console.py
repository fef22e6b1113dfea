"""The tour: its menu, and a story whose nodes' consoles stay open until Ctrl-C."""

import os
import re
import signal
import subprocess
import sys

import pytest
import requests

from quorate.cli.demo import STORIES
from tests.e2e.nodes import quorate

DEMO = (sys.executable, "-m", "quorate.cli.main", "demo")


def test_without_a_name_the_tour_lists_every_story() -> None:
    said = quorate("demo")
    assert said.returncode == 0, said.stderr
    for name in ("age", *STORIES):
        assert re.search(rf"^  \d+ +{name} +\w", said.stdout, re.MULTILINE), name


@pytest.mark.slow
def test_the_consoles_of_a_story_are_open_until_it_is_interrupted() -> None:
    environment = {k: v for k, v in os.environ.items() if "DISPLAY" not in k}
    with subprocess.Popen(
        [*DEMO, "--console"], stdout=subprocess.PIPE, text=True, env=environment
    ) as demo:
        assert demo.stdout is not None
        told: list[str] = []
        for line in demo.stdout:
            told.append(line)
            if "until Ctrl-C" in line:
                break
        links = re.findall(
            r"(north|south|west), data officer: (http://localhost:\d+)", "".join(told)
        )
        assert [name for name, _ in links] == ["north", "south", "west"]
        for _, origin in links:
            assert requests.get(f"{origin}/sign-in", timeout=10).ok
        demo.send_signal(signal.SIGINT)
        rest = demo.stdout.read()
        assert demo.wait(timeout=60) == 0, rest
    assert "the three nodes are stopped" in rest
    for _, origin in links:
        with pytest.raises(requests.ConnectionError):
            requests.get(f"{origin}/sign-in", timeout=10)
