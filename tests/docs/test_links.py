"""Every relative link of a document leads somewhere."""

import re
from pathlib import Path

import pytest

from tests.docs.project import PROJECT, files, shown

LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)


def prose(document: Path) -> str:
    return FENCE.sub("", document.read_text())


def anchors(document: Path) -> set[str]:
    """The names under which the headings of a document can be linked to."""
    headings = (
        re.sub(r"[^\w\- ]", "", title.lower()) for title in HEADING.findall(prose(document))
    )
    return {title.replace(" ", "-") for title in headings}


@pytest.mark.parametrize("document", files("*.md"), ids=shown)
def test_links_lead_somewhere(document: Path) -> None:
    for link in LINK.findall(prose(document)):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (document.parent / name).resolve() if name else document
        assert target.is_relative_to(PROJECT), f"{link} leaves the project"
        assert target.exists(), f"{link} leads nowhere"
        assert not anchor or anchor in anchors(target), f"{link}: no such heading"
