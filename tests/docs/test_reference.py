"""The reference of the commands is the one the commands would write now."""

from quorate.cli.reference import markdown
from tests.docs.project import PROJECT


def test_the_reference_is_up_to_date() -> None:
    written = (PROJECT / "docs/reference/cli.md").read_text()
    assert written == markdown(), "write it anew: python -m quorate.cli.reference"
