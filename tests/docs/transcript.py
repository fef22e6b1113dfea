"""The ```console blocks of a document: commands, and what they must print."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

BLOCK = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Typed:
    """One command and its output, in which `...` stands for anything."""

    command: str
    output: str


def transcript(document: Path) -> Iterator[Typed]:
    """Yield the commands of a document in order."""
    for block in BLOCK.findall(document.read_text()):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            yield Typed(command, output)


def is_like(said: str, expected: str) -> bool:
    """Return whether a command said what the document shows."""
    pattern = ".*?".join(re.escape(part) for part in expected.strip().split("..."))
    return re.fullmatch(pattern, said.strip(), re.DOTALL) is not None
