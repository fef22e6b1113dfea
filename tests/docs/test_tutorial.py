"""Whoever types the tutorial sees what the tutorial shows."""

import re
import shlex
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.docs.project import PROJECT
from tests.docs.transcript import is_like, transcript
from tests.e2e.nodes import quorate
from tests.transport.mesh import free_ports

TUTORIAL = PROJECT / "docs/tutorial.md"
PORTS = ("7401", "7402", "7403")
STUDIES = ("7f3a-91c2", "3c55-0b1e")


@pytest.fixture
def folder() -> Generator[Path]:
    with tempfile.TemporaryDirectory(prefix="q-") as name:
        path = Path(name)
        shutil.copytree(PROJECT / "examples", path / "examples")
        yield path
        for node in path.glob("*/api.sock"):
            quorate("node", "stop", node=node.parent)


def test_the_tutorial_is_true(folder: Path) -> None:
    here = dict(zip(PORTS, map(str, free_ports(len(PORTS))), strict=True))
    commands = list(transcript(TUTORIAL))
    assert len(commands) > 20
    for typed in commands:
        command, expected = (_here(text, here) for text in (typed.command, typed.output))
        program, *arguments = shlex.split(command)
        assert program == "quorate"
        said = quorate(*arguments, cwd=folder)
        found = re.search(r"^study    ([0-9a-f]{4}-[0-9a-f]{4})  ", said.stdout, re.MULTILINE)
        if found and found[1] not in here.values():
            here[next(study for study in STUDIES if study not in here)] = found[1]
            expected = _here(typed.output, here)
        printed = said.stdout if said.returncode == 0 else said.stderr
        assert is_like(printed, expected), f"$ {command}\n{said.stdout}{said.stderr}"


def test_the_studies_shown_are_those_in_the_examples() -> None:
    shown = re.findall(r"^```toml\n(.*?)^```$", TUTORIAL.read_text(), re.DOTALL | re.MULTILINE)
    files = ("average-age.toml", "by-sex.toml")
    assert shown == [(PROJECT / "examples" / file).read_text() for file in files]


def test_a_transcript_that_differs_is_noticed() -> None:
    assert is_like("a 1 b\nc\n", "a ... b\nc\n")
    for said in ("a 1 b\n", "a 1 c\nc\n", "a 1 b\nc\nd\n", "x a 1 b\nc\n"):
        assert not is_like(said, "a ... b\nc\n"), said


def _here(text: str, here: dict[str, str]) -> str:
    """Return the tutorial's text with what is otherwise on this machine."""
    for theirs, ours in here.items():
        text = text.replace(theirs, ours)
    return text
