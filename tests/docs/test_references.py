"""Whatever the code cites is in docs/references.md, and whatever is there is cited."""

import re

from tests.docs.project import PROJECT, files, shown

CITED = re.compile(r"(?<![\w\])])\[([A-Z][A-Za-z]*\d{2,5}[a-z]?)\](?!\()")
ENTRY = re.compile(rf"^- {CITED.pattern} ", re.MULTILINE)
REFERENCES = PROJECT / "docs/references.md"


def cited() -> dict[str, str]:
    """Each key that is cited, with one file that cites it."""
    sources = [*files("*.py", "src"), *files("*.md")]
    return {
        key: shown(path)
        for path in sources
        if path != REFERENCES
        for key in CITED.findall(path.read_text())
    }


def test_every_citation_has_its_reference_and_the_other_way_round() -> None:
    entries = ENTRY.findall(REFERENCES.read_text())
    assert entries == sorted(set(entries)), "the references are sorted, each is there once"
    uses = cited()
    unknown = [f"[{key}] in {uses[key]}" for key in sorted(uses.keys() - set(entries))]
    assert not unknown, f"not in docs/references.md: {unknown}"
    assert uses.keys() == set(entries), f"nobody cites: {sorted(set(entries) - uses.keys())}"
