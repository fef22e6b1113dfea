"""Whoever types the pages about orders and about records sees what they show."""

import re
import shlex
import shutil
from functools import partial
from pathlib import Path

import pytest

from quorate.cli.ports import free_ports
from tests.cli.conftest import shell
from tests.cli.say import Said, Shell
from tests.docs.project import PROJECT
from tests.docs.transcript import is_like, transcript
from tests.e2e.nodes import quorate, wait

__all__ = ["shell"]

PAGES = [("docs/orders.md", "nurse"), ("docs/records.md", "boris")]
"""Each with the last to join, who hears of everything last."""

PORTS = ("7401", "7402", "7403")
REQUEST = "5e1f-77aa"


@pytest.fixture
def ward(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.setenv("QUORATE_PASSPHRASE", "only for this page")
    shutil.copytree(PROJECT / "examples", shell.folder / "examples")
    (shell.folder / "record.txt").write_text("allergic to penicillin")
    return shell


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("page", "last"), PAGES)
def test_the_page_is_true(ward: Shell, page: str, last: str) -> None:
    here = dict(zip(PORTS, map(str, free_ports(len(PORTS))), strict=True))
    commands = list(transcript(PROJECT / page))
    assert len(commands) > 15
    try:
        for one in commands:
            command, expected = (_here(text, here) for text in (one.command, one.output))
            if "key check" in command or "key create" in command:
                wait(lambda: _is_settled(ward, last))
            if "unlock list" in command:
                wait(lambda: "unlocked" in ward("unlock", "list", "--node", last).out)
            if "unlock show" in command:  # what a node waits for is known when it has asked
                wait(partial(_shows, ward, command, expected))
            said = _typed(ward, command)
            if found := re.search(
                r"^(?:order|unlock) +(\w{4}-\w{4}) under", said.out, re.MULTILINE
            ):
                here[REQUEST] = found[1]
                expected = _here(one.output, here)
            assert said.code == 0, said.err
            assert is_like(said.out, expected), f"$ {command}\n{said.out}{said.err}"
    finally:
        for node in ward.folder.glob("*/api.sock"):
            quorate("node", "stop", node=node.parent)


def _typed(ward: Shell, command: str) -> Said:
    program, *arguments = shlex.split(command)
    assert program == "quorate"
    if "start" in arguments:  # whoever starts a node is gone afterwards
        said = quorate(*arguments, cwd=Path.cwd())
        return Said(said.returncode, said.stdout, said.stderr)
    return ward(*arguments)


def _shows(ward: Shell, command: str, expected: str) -> bool:
    return is_like(_typed(ward, command).out, expected)


def _is_settled(ward: Shell, last: str) -> bool:
    """Return whether a node is connected, and no key waits for anybody."""
    status, keys = ward("node", "status", "--node", last), ward("key", "list", "--node", last)
    return "not connected" not in status.out and not re.search("proposed|generating", keys.out)


def _here(text: str, here: dict[str, str]) -> str:
    """Return the page's text with what is otherwise on this machine."""
    for theirs, ours in here.items():
        text = text.replace(theirs, ours)
    return text
