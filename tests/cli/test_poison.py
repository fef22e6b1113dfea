"""`quorate poison lab`: the textbook's classifier, one's own file, and the report."""

import json
from pathlib import Path

import pytest

from tests.cli.say import Shell
from tests.models.data import DATA

QUICK = ("--seeds", "2", "--share", "0.1")


def test_the_textbook(shell: Shell) -> None:
    said = shell("poison", "lab", *QUICK, "--out", "report.html")
    assert said.code == 0, said.err
    assert (
        "without attack and without defence 91.5 % are told rightly, give or take 2.0 %" in said.out
    )
    assert "out-of-range inserts" in said.out
    assert "misleads: clipping" in said.out
    assert "what this cannot see" in said.out
    assert "  backdoor" in said.err  # progress
    page = Path("report.html").read_text()
    assert page.startswith("<!doctype html>")
    assert page.count("<svg") == 3
    assert "<script" not in page
    assert "http://www.w3.org" in page
    assert "src=" not in page  # nothing from elsewhere


def test_one_s_own_file(shell: Shell) -> None:
    said = shell("poison", "lab", "--data", DATA / "wisconsin.csv", *QUICK, "--format", "json")
    assert said.code == 0, said.err
    assert said.err == ""
    found = json.loads(said.out)
    assert (found["rows"], found["test_rows"]) == (456, 113)
    assert found["clean"] > 0.85
    assert {one["defence"] for one in found["measured"]} >= {"none", "vote", "median"}


@pytest.mark.slow
def test_the_report_of_a_file_without_a_plane_has_no_border(shell: Shell) -> None:
    said = shell("poison", "lab", "--data", DATA / "wisconsin.csv", *QUICK, "--out", "r.html")
    assert said.code == 0, said.err
    assert Path("r.html").read_text().count("<svg") == 1


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a,b\n1,2\n", "has no column target"),
        ("a,target\n1,x\n2,y\n3,z\n", "target has 3 values"),
        ("a,target\nwonderful,x\n2,y\n", "a is not a number in every row"),
        ("a,target\n,x\n2,y\n", "a is not a number in every row"),
        ("a,target\n1,x\n2,y\n", "an experiment takes 60 rows or more"),
        ("", "has no column target"),
    ],
)
def test_a_file_that_will_not_do(shell: Shell, text: str, why: str) -> None:
    Path("f.csv").write_text(text)
    said = shell("poison", "lab", "--data", "f.csv")
    assert said.code != 0
    assert why in said.err
    assert "wonderful" not in said.err  # no value of a row


def test_what_people_call_columns_is_no_markup(shell: Shell) -> None:
    rows = "\n".join(f"{i % 7},{i % 11},{i % 2}" for i in range(80))
    Path("f.csv").write_text(f"<b>,c,target\n{rows}\n")
    said = shell("poison", "lab", "--data", "f.csv", *QUICK, "--out", "r.html")
    assert said.code == 0, said.err
    assert "<b>" not in Path("r.html").read_text()
