"""`quorate demo linkage`: three hospitals count patients who were at two of them once.

Three real nodes and made-up patients, whose names each hospital writes in its own way. Only that
one person made up all three files is unreal; it is what lets the demo set the result beside the
plain way.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from quorate.cli import stage, verify
from quorate.cli.made_up_persons import Truth, write_persons
from quorate.cli.options import read_file, utc_now, write_file
from quorate.cli.output import aligned, say
from quorate.errors import VerificationFailed
from quorate.node.client import Client
from quorate.node.views import ResultView, StudyView

HOSPITALS = ("north", "south", "west")
STUDY = "linkage.toml"
SHOWN = 3


def linkage(
    keep: stage.Keep = None,
    persons: Annotated[int, typer.Option(min=60, max=1200, help="How many.")] = 1200,
) -> None:
    """Let three hospitals count patients of several of them once, and learn no name."""
    began = time.monotonic()
    with stage.workplace(keep) as folder:
        stage.step(f"three hospitals with {persons} patients, some of whom are at two of them")
        files, truth = write_persons(folder, HOSPITALS, persons)
        _show_rows(files)
        roster = stage.members(folder, "region", HOSPITALS)
        registered = "data add patients NAME.csv --node NAME"
        with stage.running(folder, HOSPITALS, registered) as clients:
            for name, client in clients.items():
                client.add_table("patients", files[name])
            released = _study(clients)
            beside(released.results, truth)
            release = clients["south"].release(released.id)
        write_file(folder / "release.json", release)
        stage.step("the certificate has three numbers, and nothing of any patient")
        stage.typed("verify release.json --group region.json")
        report = verify.report_on(release, roster, utc_now())
        say(*(f"  {line}" for line in verify.lines_of(report)))
    say("", f"done in {time.monotonic() - began:.1f} s; the three nodes are stopped")


def _show_rows(files: dict[str, Path]) -> None:
    for name, file in files.items():
        head, *rows = file.read_text(encoding="utf-8").splitlines()
        say(f"  {name}.csv, {len(rows)} rows", *(f"    {line}" for line in [head, *rows[:SHOWN]]))


def _study(clients: dict[str, Client]) -> StudyView:
    """Propose, approve and run the study; return it released."""
    stage.step("north proposes to count them by the sound of their names and the date of birth")
    proposed = stage.approved(clients, STUDY, read_file(stage.examples() / STUDY))
    stage.step("the run: keys are made at home; tables meet in shares, are sorted, and counted")
    return stage.released(clients, proposed.id)


def beside(results: Sequence[ResultView], truth: Truth) -> None:
    """Set each number beside the plain one. Raises `VerificationFailed` if one differs."""
    stage.step("the result, beside the plain way, which only this demo can know")
    persons, events = len(truth.persons), len(truth.events)
    plain = {
        "region persons": persons,
        "region duplicates": truth.counted - persons,
        "region events": events,
    }
    found = {one.name: one.value for one in results}
    for name, right in plain.items():
        if found.get(name) != str(right):
            raise VerificationFailed(f"{name} is {found.get(name)}, and by the plain way {right}")
    rate = float(found["region rate"])
    if abs(rate - 1000 * events / persons) > 0.01:
        raise VerificationFailed(f"the rate is {rate}, and by the plain way another")
    rows = [(one.name, f"{one.value} {one.unit}") for one in results]
    say(*aligned(rows, indent="  "), "  each is the plain one")
    say(f"  had each hospital counted its own: {truth.counted} persons")
