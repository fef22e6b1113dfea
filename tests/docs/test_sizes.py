"""A file stays small enough to be held in the head, or a decision says why not."""

from tests.docs.project import files, shown

LINES = 400


def test_long_files_are_decided_on() -> None:
    decisions = "\n".join(path.read_text() for path in files("*.md", "docs/decisions"))
    long = {
        shown(path) for path in files("*.py", "src") if len(path.read_text().splitlines()) > LINES
    }
    assert not {path for path in long if path not in decisions}
