"""Print `docs/reference/costs.md`: what each protocol says in its docstring that it costs."""

import ast
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).parent.parent
SOURCE = PROJECT / "src" / "quorate"
HEADER = """\
# What protocols cost

Written by `python scripts/costs.py` from the docstrings of the protocols; tests hold what is said
against bytes and rounds that are counted in a run. n is the number of members; bytes are those one
party sends.

What a study costs its plan says, before it is approved: `quorate study check study.toml`.
"""


def markdown() -> str:
    """Return the page: a section for each module that has protocols."""
    return "\n".join([HEADER, *_sections()])


def _sections() -> Iterator[str]:
    for path in sorted(SOURCE.rglob("*.py")):
        module = ".".join(("quorate", *path.relative_to(SOURCE).with_suffix("").parts))
        costs = list(_costs(ast.parse(path.read_text(encoding="utf-8"))))
        if costs:
            yield f"## {module}\n\n| | cost |\n|---|---|"
            yield from (f"| `{name}` | {cost} |" for name, cost in costs)
            yield ""


def _costs(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield each function's name, and the paragraph of its docstring that begins with Cost."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for part in (ast.get_docstring(node) or "").split("\n\n"):
                if part.startswith(("Cost:", "Cost,")):
                    said = " ".join(part.removeprefix("Cost").lstrip(":, ").split())
                    yield node.name, said.replace("|", "\\|")


if __name__ == "__main__":
    print(markdown(), end="")
