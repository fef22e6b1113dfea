"""The tree drawn in quorate.errors shows every exception, under its parent."""

import re

from quorate import errors

LINE = re.compile(r"^([ │├└─]*)(\w+)  +\S", re.MULTILINE)
INDENT = 4


def drawn() -> dict[str, str]:
    """Each exception of the drawing with the one it is drawn under."""
    above: list[str] = []
    parents: dict[str, str] = {}
    for branch, name in LINE.findall(errors.__doc__ or ""):
        del above[len(branch) // INDENT :]
        parents[name] = above[-1] if above else "Exception"
        above.append(name)
    return parents


def test_the_drawing_is_true() -> None:
    classes = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    own = [kind for kind in classes if issubclass(kind, errors.Error)]
    assert drawn() == {kind.__name__: kind.__base__.__name__ for kind in own if kind.__base__}
