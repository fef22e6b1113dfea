"""Whoever types the tutorial sees what the tutorial shows."""

import re

from tests.docs.pages import examples, follow
from tests.docs.project import PROJECT
from tests.docs.transcript import is_like

TUTORIAL = PROJECT / "docs/tutorial.md"


def test_the_tutorial_is_true() -> None:
    with examples() as folder:
        assert follow(TUTORIAL, folder, ("7f3a-91c2", "3c55-0b1e"), lambda _: None) > 20


def test_the_studies_shown_are_those_in_the_examples() -> None:
    shown = re.findall(r"^```toml\n(.*?)^```$", TUTORIAL.read_text(), re.DOTALL | re.MULTILINE)
    files = ("average-age.toml", "by-sex.toml")
    assert shown == [(PROJECT / "examples" / file).read_text() for file in files]


def test_a_transcript_that_differs_is_noticed() -> None:
    assert is_like("a 1 b\nc\n", "a ... b\nc\n")
    for said in ("a 1 b\n", "a 1 c\nc\n", "a 1 b\nc\nd\n", "x a 1 b\nc\n"):
        assert not is_like(said, "a ... b\nc\n"), said
