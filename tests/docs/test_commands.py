"""Every command a person can type is documented."""

from collections.abc import Iterator

import pytest
import typer.main

from quorate.cli.main import app
from tests.docs.project import PROJECT, files


def commands(command: object, path: str = "quorate") -> Iterator[str]:
    """The full name of each command, groups of commands excluded."""
    below: dict[str, object] = getattr(command, "commands", {})
    if not below:
        yield path
    for name, child in below.items():
        yield from commands(child, f"{path} {name}")


@pytest.fixture(scope="module")
def documents() -> str:
    return "\n".join(path.read_text() for path in [PROJECT / "README.md", *files("*.md", "docs")])


@pytest.mark.parametrize("name", sorted(commands(typer.main.get_command(app))))
def test_is_documented(name: str, documents: str) -> None:
    assert name in documents
