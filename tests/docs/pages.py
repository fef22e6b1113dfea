"""A page that is typed, command by command, beside what it shows."""

import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from quorate.cli.ports import free_ports
from tests.docs.project import PROJECT
from tests.docs.transcript import is_like, transcript
from tests.e2e.nodes import quorate, wait

PORTS = ("7401", "7402", "7403")


@contextmanager
def examples() -> Generator[Path]:
    """Yield a folder with the examples in it; nodes that are left running there are stopped."""
    with tempfile.TemporaryDirectory(prefix="q-") as name:
        path = Path(name)
        shutil.copytree(PROJECT / "examples", path / "examples")
        yield path
        for node in path.glob("*/api.sock"):
            quorate("node", "stop", node=node.parent)


def follow(
    page: Path,
    folder: Path,
    studies: Sequence[str],
    before: Callable[[str], None],
    known: Mapping[str, str] | None = None,
) -> int:
    """Type the commands of `page` and assert that each says what is shown; return how many.

    Ports and the identifiers of `studies` are other ones here. `before` is told each command
    before it is typed; `known` is what else is otherwise here.
    """
    here = dict(zip(PORTS, map(str, free_ports(len(PORTS))), strict=True)) | dict(known or {})
    commands = list(transcript(page))
    for typed in commands:
        before(typed.command)
        command, expected = (_here(text, here) for text in (typed.command, typed.output))
        said = _typed(shlex.split(command), folder)
        found = re.search(r"^study    ([0-9a-f]{4}-[0-9a-f]{4})  ", said.stdout, re.MULTILINE)
        if found and found[1] not in here.values():
            here[next(study for study in studies if study not in here)] = found[1]
            expected = _here(typed.output, here)
        printed = said.stdout if said.returncode == 0 else said.stderr
        assert is_like(printed, expected), f"$ {command}\n{said.stdout}{said.stderr}"
    return len(commands)


def _typed(words: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    program, *arguments = words
    if program == "quorate":
        return quorate(*arguments, cwd=folder)
    assert program in {"mv", "python", "tar"}, f"{program} is not typed by tests"
    here = sys.executable if program == "python" else program
    return subprocess.run(
        [here, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )


def group_of_three(folder: Path) -> None:
    """Let three nodes run in `folder`, with the example's patients."""
    names = ("north", "south", "west")
    for name, port in zip(names, free_ports(len(names)), strict=True):
        _done(folder, "init", name, "--name", name, "--listen", f"127.0.0.1:{port}")
    cards = [f"{name}/{name}.card.json" for name in names]
    _done(folder, "group", "create", "hospitals", *cards, "--out", "hospitals.json")
    for name in names:
        _done(folder, "group", "join", "hospitals.json", "--node", name)
        _done(folder, "node", "start", "--node", name)
        _done(folder, "data", "add", "patients", f"examples/data/{name}.csv", "--node", name)
    wait(lambda: "not connected" not in quorate("node", "status", node=folder / "north").stdout)


def _done(folder: Path, *words: str) -> None:
    said = quorate(*words, cwd=folder)
    assert said.returncode == 0, said.stderr


def _here(text: str, here: dict[str, str]) -> str:
    """Return the page's text with what is otherwise on this machine."""
    for theirs, ours in here.items():
        text = text.replace(theirs, ours)
    return text
