"""Every claim of the threat model names tests that exist, and every control belongs to a claim."""

import re

import pytest

from tests.docs.project import PROJECT, table_rows

MODEL = (PROJECT / "docs" / "threat-model.md").read_text()
TESTS = PROJECT / "tests"
ROWS = list(table_rows(MODEL))


def test_there_are_claims() -> None:
    assert len(ROWS) > 10


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:60])
def test_a_claim_names_tests_that_exist(row: list[str]) -> None:
    claim, attacks, control = row
    files = re.findall(r"`([\w/]+\.py)`", attacks)
    assert files, f"no test attacks: {claim}"
    defined = "".join((TESTS / file).read_text() for file in files)
    for name in re.findall(r"`(test_\w+)`", attacks + control):
        assert f"def {name}(" in defined, f"{name} is in none of {files}"


def test_every_control_in_the_tests_is_named() -> None:
    for path in TESTS.rglob("test_*.py"):
        for name in re.findall(r"def (test_control_\w+)", path.read_text()):
            assert f"`{name}`" in MODEL, f"{name} controls no claim"
