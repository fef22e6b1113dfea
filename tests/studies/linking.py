"""Made-up persons at several hospitals, their files, and a study that counts them."""

import csv
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from quorate.algebra import ring
from quorate.algebra.ring import Words
from quorate.errors import Error
from quorate.studies.own_rows import rows_read
from quorate.studies.plan import Plan
from quorate.studies.programs import program_of
from quorate.studies.protocols import TABLES
from quorate.studies.runners.tables import Tabled, reveal_tables
from quorate.studies.running import Running
from quorate.studies.sources import open_source
from quorate.studies.study import read_study
from quorate.transport.session import Session
from tests.parties import names_of
from tests.studies.trio import group_of, plan_of

HEAD = """
title = "t"
purpose = "p"
max_rows = {most}
min_cell = {least}
[tables.patients]
age = "integer 0..120 years"
infarction = "category no yes"
[analyses.all]
kind = "linkage"
"""
BY_NAME = 'key = ["sound given", "sound family", "date born"]\n'
EVENT = 'outcome = "infarction"\nevent = "yes"\n'
FIELDS = ("given", "family", "born", "age", "infarction")
Rows = Sequence[Mapping[str, str]]


def row(person: int, *, event: bool = False, family: str = "Okafor") -> dict[str, str]:
    """Return a row of a person, who is another for each number below 10,000."""
    born = f"{1930 + person // 360}-{1 + person % 12:02}-{13 + person // 12 % 15:02}"
    given = f"{'bdlmr'[person % 5]}a{'bdlmr'[person // 5 % 5]}a{'bdlmr'[person // 25 % 5]}a"
    return {
        "given": given,
        "family": family,
        "born": born,
        "age": str(20 + person % 60),
        "infarction": "yes" if event else "no",
    }


def plan_among(
    n: int, text: str = BY_NAME + EVENT, *accept: str, most: int = 40, least: int = 5
) -> Plan:
    study = read_study(HEAD.format(most=most, least=least) + text)
    plan = plan_of(study, group_of(*names_of(n)), *accept)
    assert plan.protocol == TABLES
    return plan


def write(path: Path, rows: Rows) -> Path:
    with path.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.DictWriter(lines, FIELDS)
        writer.writeheader()
        writer.writerows(rows)
    return path


def own_words(plan: Plan, folder: Path, parts: Sequence[Rows]) -> list[Words]:
    """Return what each member deals of its rows, by way of a file."""
    program = program_of(plan.study, len(parts))
    found: list[Words] = []
    for name, rows in zip(names_of(len(parts)), parts, strict=True):
        source = open_source(write(folder / f"{name}.csv", rows))
        found.append(program.own(rows_read(source, plan, program.reads)).flat)
    return found


def linking(plan: Plan, own: Sequence[Words]) -> Callable[[Session], Awaitable[Tabled]]:
    async def protocol(session: Session) -> Tabled:
        words = ring.from_signed(own[session.me].view("i8"))
        return await reveal_tables(Running(session, plan, words, b"", lambda _: None, os.urandom))

    return protocol


def told(outcomes: Mapping[int, Tabled | Error]) -> dict[str, str]:
    """Return the results by name, the same at all members."""
    found = [one for one in outcomes.values() if isinstance(one, Tabled)]
    assert len(found) == len(outcomes), outcomes
    assert len({one.results for one in found}) == 1
    return {result.number: result.value for result in found[0].results}
