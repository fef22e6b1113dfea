"""Tables of the page."""

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    lines = [list(head), ["---:"] * len(head), *map(list, body)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
