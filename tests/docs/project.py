"""The project's own files, as the checks about it read them."""

import os
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

PROJECT = Path(__file__).parent.parent.parent
IGNORED = [".git", *(line.strip("/") for line in (PROJECT / ".gitignore").read_text().split())]


def files(pattern: str = "*", under: str = ".") -> list[Path]:
    """Every file that belongs to the project, whether or not it was added yet."""
    found: list[Path] = []
    for folder, folders, names in os.walk(PROJECT / under):
        folders[:] = [name for name in folders if not is_ignored(name)]
        own = (name for name in names if fnmatch(name, pattern) and not is_ignored(name))
        found.extend(Path(folder, name) for name in own)
    return sorted(found)


def is_ignored(name: str) -> bool:
    return any(fnmatch(name, pattern) for pattern in IGNORED)


def shown(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


def table_rows(markdown: str) -> Iterator[list[str]]:
    """The cells of each body row of the pipe tables in a document."""
    lines = markdown.splitlines()
    for i, line in enumerate(lines):
        is_header = i + 1 < len(lines) and lines[i + 1].startswith("|---")
        if line.startswith("|") and not line.startswith("|---") and not is_header:
            yield [cell.strip() for cell in line.strip("|").split("|")]
