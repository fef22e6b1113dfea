"""The reference of every command, written from the commands themselves.

python -m quorate.cli.reference > docs/reference/cli.md
"""

from collections.abc import Iterator
from typing import Any

from typer.main import get_command

from quorate.cli.main import app

WIDTH = 100

HEADER = """# The commands

Written by `python -m quorate.cli.reference` from the commands themselves.

Exit codes: 0 done, 1 error, 2 not understood, 3 a run was aborted (somebody did not answer),
4 a run was aborted and it is proven who cheated, 5 refused by a rule. Errors go to stderr, with
`--format json` as an object with `error`, `hint`, `kind` and `exit_code`.
"""


def markdown() -> str:
    """Return the reference as Markdown: one section for each command."""
    return "\n".join([HEADER, *_sections(get_command(app), None, "quorate")])


def _sections(command: Any, above: Any, path: str) -> Iterator[str]:
    context = command.context_class(
        command, parent=above, info_name=path.rpartition(" ")[2], terminal_width=WIDTH
    )
    yield f"## {path}\n\n```text\n{command.get_help(context).strip()}\n```\n"
    for name in command.list_commands(context) if hasattr(command, "list_commands") else ():
        yield from _sections(command.get_command(context, name), context, f"{path} {name}")


if __name__ == "__main__":
    print(markdown(), end="")
