"""The words that docs/glossary.md refuses are not used in src.

Looked at are the names our code defines (not those of a library that it uses),
its comments and its strings.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.project import PROJECT, files, shown, table_rows

PROSE = (tokenize.COMMENT, tokenize.STRING)
HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|_+")


def refused() -> list[str]:
    rows = table_rows((PROJECT / "docs/glossary.md").read_text())
    return sorted({word for row in rows for word in re.findall(r"`([^`]+)`", row[2])})


WORDS = re.compile(rf"\b(?:{'|'.join(map(re.escape, refused()))})s?\b", re.IGNORECASE)


def names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The names a module defines, with their lines."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.lineno, node.name
            case ast.arg():
                yield node.lineno, node.arg
            case ast.Name(ctx=ast.Store()):
                yield node.lineno, node.id
            case ast.Attribute(ctx=ast.Store()):
                yield node.lineno, node.attr


def words(source: str) -> Iterator[tuple[int, str]]:
    """Names cut into their words, comments and strings, with their lines."""
    for line, name in names(ast.parse(source)):
        yield line, HUMP.sub(" ", name)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in PROSE:
            yield token.start[0], token.string


@pytest.mark.parametrize("path", files("*.py", "src"), ids=shown)
def test_no_refused_word_in(path: Path) -> None:
    found = [
        f"{shown(path)}:{line}: {match[0]}"
        for line, text in [(1, path.stem.replace("_", " ")), *words(path.read_text())]
        for match in WORDS.finditer(text)
    ]
    assert not found, "\n".join(found)


def test_refused_words_are_found_in_names_comments_and_strings() -> None:
    assert {"worker", "participant", "result file"} <= set(refused())
    for source in ("class JobQueue: ...", "rank = 0", "# all participants", "'a result file'"):
        assert any(WORDS.search(text) for _, text in words(source)), source
    for source in ("x = y.rank", "import util", "ranking = 1"):
        assert not any(WORDS.search(text) for _, text in words(source)), source
