"""A page that is typed, command by command, beside what it shows."""

import re
import shlex
import shutil
import tempfile
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.docs.project import PROJECT
from tests.docs.transcript import is_like, transcript
from tests.e2e.nodes import quorate
from tests.transport.mesh import free_ports

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


def follow(page: Path, folder: Path, studies: Sequence[str], before: Callable[[str], None]) -> int:
    """Type the commands of `page` and assert that each says what is shown; return how many.

    Ports and the identifiers of `studies` are other ones here. `before` is told each command
    before it is typed.
    """
    here = dict(zip(PORTS, map(str, free_ports(len(PORTS))), strict=True))
    commands = list(transcript(page))
    for typed in commands:
        before(typed.command)
        command, expected = (_here(text, here) for text in (typed.command, typed.output))
        program, *arguments = shlex.split(command)
        assert program == "quorate"
        said = quorate(*arguments, cwd=folder)
        found = re.search(r"^study    ([0-9a-f]{4}-[0-9a-f]{4})  ", said.stdout, re.MULTILINE)
        if found and found[1] not in here.values():
            here[next(study for study in studies if study not in here)] = found[1]
            expected = _here(typed.output, here)
        printed = said.stdout if said.returncode == 0 else said.stderr
        assert is_like(printed, expected), f"$ {command}\n{said.stdout}{said.stderr}"
    return len(commands)


def _here(text: str, here: dict[str, str]) -> str:
    """Return the page's text with what is otherwise on this machine."""
    for theirs, ours in here.items():
        text = text.replace(theirs, ours)
    return text
