"""Every command a person can type is documented."""

from collections.abc import Iterator
from typing import Any

import pytest
import typer.main

from quorate.cli.main import app
from tests.docs.project import PROJECT, files


def commands(command: Any, path: str = "quorate") -> Iterator[str]:
    """The full name of each command, groups of commands excluded."""
    if not hasattr(command, "list_commands"):
        yield path
        return
    for name in command.list_commands(None):
        yield from commands(command.get_command(None, name), f"{path} {name}")


@pytest.fixture(scope="module")
def documents() -> str:
    return "\n".join(path.read_text() for path in [PROJECT / "README.md", *files("*.md", "docs")])


@pytest.mark.parametrize("name", sorted(commands(typer.main.get_command(app))))
def test_is_documented(name: str, documents: str) -> None:
    assert name in documents
