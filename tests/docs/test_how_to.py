"""Whoever types the how-to pages sees what they show."""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from tests.docs.pages import examples, follow, group_of_three
from tests.docs.project import PROJECT
from tests.e2e.nodes import quorate, wait

HOW_TO = PROJECT / "docs/how-to"
STUDY = "7f3a-91c2"
TODAY = "2027-01-31"

OMOP = """
create table person (person_id integer, gender_concept_id integer, year_of_birth integer);
create table condition_occurrence (person_id integer, condition_concept_id integer);
create table measurement (
    person_id integer, measurement_concept_id integer, measurement_date date, value_as_number double
);
create table drug_exposure (person_id integer, drug_concept_id integer);
create table concept_ancestor (ancestor_concept_id integer, descendant_concept_id integer);
insert into concept_ancestor values (201826, 201826), (201826, 443729), (1503297, 40164929);
insert into person values
    (1, 8532, 1960), (2, 8507, 1950), (3, 8507, 1980),
    (4, 8532, 1970), (5, 0, 1970), (6, 8532, 1940);
insert into condition_occurrence values
    (1, 443729), (1, 201826), (2, 201826), (4, 201826), (5, 201826);
insert into measurement values
    (1, 3004410, '2025-01-01', 9), (1, 3004410, '2026-01-01', 7.25), (2, 3004410, '2026-05-05', 8),
    (4, 3004410, '2026-05-05', 75), (5, 3004410, '2026-05-05', 7), (3, 3004410, '2026-05-05', 6);
insert into drug_exposure values (1, 40164929), (1, 40164929), (3, 40164929);
"""
"""Six people; 3 and 6 have no diabetes, 4 no possible value, and of 5 the sex is not known."""


def omop(folder: Path) -> None:
    with duckdb.connect(folder / "omop.duckdb") as db:
        db.execute(OMOP)


def proposed(folder: Path) -> None:
    group_of_three(folder)
    said = quorate(
        "study", "propose", "examples/average-age.toml", node=folder / "north", cwd=folder
    )
    assert said.returncode == 0, said.stderr
    wait(lambda: "proposed" in quorate("study", "list", node=folder / "south").stdout)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("page", "ready", "least"),
    [("approve", proposed, 6), ("operate", group_of_three, 9)],
)
def test_the_page_is_true(page: str, ready: Callable[[Path], None], least: int) -> None:
    with examples() as folder:
        ready(folder)
        here = _study_of(folder) if ready is proposed else {}
        assert follow(HOW_TO / f"{page}.md", folder, (), lambda _: None, here) >= least


@pytest.mark.slow
def test_the_page_about_omop_is_true() -> None:
    with examples() as folder:
        group_of_three(folder)
        omop(folder)
        assert follow(HOW_TO / "omop.md", folder, (), lambda _: None) == 3


def test_each_patient_of_an_omop_database_is_one_row_by_the_rules(tmp_path: Path) -> None:
    omop(tmp_path)
    query = (PROJECT / "examples/omop/diabetes.sql").read_text()
    with duckdb.connect(tmp_path / "omop.duckdb", read_only=True) as db:
        rows = db.sql(query, params={"today": TODAY}).fetchall()
    assert rows == [(67, "female", 7.3, "yes"), (77, "male", 8.0, "no")]


@pytest.mark.parametrize(
    ("page", "language", "file"),
    [("omop.md", "toml", "omop/hba1c.toml"), ("operate.md", "ini", "quorate.service")],
)
def test_files_that_are_shown_are_the_examples(page: str, language: str, file: str) -> None:
    block = re.compile(rf"^```{language}\n(.*?)^```$", re.DOTALL | re.MULTILINE)
    shown = block.findall((HOW_TO / page).read_text())
    assert shown == [(PROJECT / "examples" / file).read_text()]


@pytest.mark.system
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed: the unit was not verified")
    unit = (PROJECT / "examples/quorate.service").read_text()
    here = tmp_path / "quorate.service"
    here.write_text(unit.replace("/usr/local/lib/quorate/bin/python", "/bin/true"))
    said = subprocess.run(
        [program, "verify", str(here)], capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stderr
    assert not said.stderr


def _study_of(folder: Path) -> dict[str, str]:
    return {STUDY: quorate("study", "list", node=folder / "south").stdout.split()[0]}
