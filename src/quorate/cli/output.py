"""What a command prints: lines of text or JSON on stdout, errors on stderr.

Text from elsewhere (studies, other members, logs) never reaches a terminal
raw: what does not print is escaped, and nothing is read as markup.
"""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Literal

from rich.console import Console
from rich.text import Text

from quorate.errors import Abort, Error, Refused

Format = Literal["text", "json"]

_WARNING = "SIMULATED"
"""Stands in every line about an enclave that keeps nothing secret: such lines are red."""


def say(*lines: str, style: str = "", error: bool = False) -> None:
    """Print lines; `style` is rich's, and shows on terminals only."""
    console = Console(stderr=error, soft_wrap=True, emoji=False, highlight=False)
    for line in lines:
        warns = "red" if _WARNING in line else style
        console.print(Text(printable(line), style=warns))


def show(value: object, lines: Iterable[str], form: Format) -> None:
    """Print `value` as JSON, or the `lines` that say the same to a person."""
    if form == "json":
        say_json(value)
    else:
        say(*lines)


def say_json(value: object, *, error: bool = False) -> None:
    """Print views or dataclasses as JSON in plain ASCII; bytes become lowercase hex."""
    from pydantic_core import to_jsonable_python

    plain = to_jsonable_python(value, bytes_mode="hex")
    print(json.dumps(plain, indent=2), file=sys.stderr if error else sys.stdout)


def say_error(error: Error, form: Format) -> None:
    """Print what went wrong, and what to do next."""
    if form == "json":
        kind, code = type(error).__name__, error.exit_code
        said = {"error": str(error), "hint": error.hint, "kind": kind, "exit_code": code}
        say_json(said, error=True)
        return
    match error:
        case Abort():
            word = "aborted"
        case Refused():
            word = "refused"
        case _:
            word = "error"
    say(f"quorate: {word}: {error}", style="red", error=True)
    if error.hint:
        say(f"quorate: hint: {error.hint}", error=True)


def printable(text: str) -> str:
    """Return `text` with everything that could steer a terminal escaped."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def grouped(digest: bytes | str) -> str:
    """Return a digest in groups of four hex digits, to be compared by telephone."""
    text = digest.hex() if isinstance(digest, bytes) else digest
    return " ".join(text[i : i + 4] for i in range(0, len(text), 4))


def aligned(rows: Sequence[Sequence[str]], *, indent: str = "") -> list[str]:
    """Return rows as lines whose columns begin at the same place."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        (indent + "  ".join(cell.ljust(n) for cell, n in zip(row, widths, strict=True))).rstrip()
        for row in rows
    ]
