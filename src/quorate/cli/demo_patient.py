"""`quorate demo patient`: a practice learns its patients' risk, of which others know a part.

Three real nodes: a practice, a pharmacy and a laboratory. The score is the published FINDRISC; the
patients are made up. Only that one person holds all three files is unreal; it is what lets the
demo set every patient's band beside the plain one.
"""

import csv
import time
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from quorate.cli import made_up, stage, study, verify
from quorate.cli.options import read_file, write_file
from quorate.cli.output import aligned, say
from quorate.errors import NotFound, VerificationFailed
from quorate.node.client import Client
from quorate.node.views import ScoresView, StudyView
from quorate.studies.patients import list_digest, listed_patients
from quorate.studies.sources import open_source

MEMBERS = ("practice", "pharmacy", "laboratory")
STUDY, SCORE = "patient.toml", "scores/findrisc.toml"
_STATED = ("patients = 1_000", 'digest = "' + "00" * 32 + '"')


def patient(
    keep: stage.Keep = None,
    patients: Annotated[int, typer.Option(min=3, max=131_072, help="How many.")] = 100_000,
) -> None:
    """Let a practice learn its patients' risk of diabetes, of which others hold a part."""
    began = time.monotonic()
    with stage.workplace(keep) as folder:
        stage.step(
            f"a practice, a pharmacy and a laboratory, each with a part of {patients} records"
        )
        files = made_up.write_patients(folder, patients)
        roster = stage.members(folder, "care", MEMBERS)
        text = _study_text(folder, files["invited"])
        with stage.running(folder, MEMBERS, "data add records NAME.csv --node NAME") as clients:
            for name, client in clients.items():
                client.add_table("records", files[name])
                client.add_table("invited", files["invited"])
            released = _run(clients, text)
            found = clients["practice"].scores(released.id)
            beside(found, files)
            _nobody_else(clients, released.id)
            release = clients["laboratory"].release(released.id)
        write_file(folder / "release.json", release)
        stage.step("the certificate says that it ran, and nothing of any patient")
        stage.typed("verify release.json --group care.json")
        say(*(f"  {line}" for line in verify.lines_of(verify.report_on(release, roster))))
    say("", f"done in {time.monotonic() - began:.1f} s; the three nodes are stopped")


def _study_text(folder: Path, invited: Path) -> str:
    """Return the study for this list of patients, with the score."""
    stage.step("the practice writes a study for its list of patients, which all three agreed to")
    names = listed_patients(open_source(invited), "patient")
    stated = (f"patients = {len(names)}", f'digest = "{list_digest(names).hex()}"')
    stage.typed("study patients invited.csv")
    say(*(f"  {line}" for line in stated))
    text = read_file(stage.examples() / STUDY)
    for blank, here in zip(_STATED, stated, strict=True):
        text = text.replace(blank, here)
    write_file(folder / STUDY, text)
    return study.with_score(folder / STUDY, stage.examples() / SCORE)


def _run(clients: dict[str, Client], text: str) -> StudyView:
    """Propose, approve and run the study; return it released."""
    stage.step("every member reads what it reveals, and approves")
    proposed = stage.approved(clients, f"{STUDY} --score findrisc.toml", text)
    stage.step("the run: each adds up points of its own part; the sums meet in shares")
    return stage.released(clients, proposed.id)


def beside(found: ScoresView, files: dict[str, Path]) -> None:
    """Set every band beside the plain one. Raises `VerificationFailed` if one differs."""
    stage.step("what the practice learned, beside the plain way, which only this demo can know")
    records: dict[str, dict[str, str]] = {}
    for name in MEMBERS:
        with files[name].open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                records.setdefault(row["patient"], {}).update(row)
    for name, band in found.patients:
        if band != plain_band(records[name]):
            raise VerificationFailed(f"{name} is {band}, and by the plain way another")
    counts = Counter(band for _, band in found.patients)
    say(*aligned([(band, f"{n} patients") for band, n in counts.most_common()], indent="  "))
    say(f"  all {len(found.patients)} bands are the plain ones")


def _nobody_else(clients: dict[str, Client], id_: str) -> None:
    stage.step("nobody else learned any of it")
    for name in MEMBERS[1:]:
        stage.typed(f"study scores {id_} --node {name}")
        try:
            clients[name].scores(id_)
        except NotFound as e:
            say(f"  {e}")
        else:
            raise VerificationFailed(f"{name} has scores of the practice's patients")


def plain_band(record: dict[str, str]) -> str:
    """Return the band of a whole record: the score as its form has it, in a person's words."""
    age, bmi, waist = int(record["age"]), float(record["bmi"]), float(record["waist"])
    slim, wide = (94, 102) if record["sex"] == "male" else (80, 88)
    points = sum(age >= edge for edge in (45, 45, 55, 65))
    points += 3 if bmi > 30 else int(bmi >= 25)
    points += 4 if waist > wide else 3 * (waist >= slim)
    points += 2 * (record["active"] == "no") + (record["vegetables"] == "no")
    points += 2 * (record["antihypertensives"] == "yes") + 5 * (record["high_glucose"] == "yes")
    points += {"none": 0, "distant": 3, "close": 5}[record["family"]]
    bands = ((7, "low"), (12, "slightly elevated"), (15, "moderate"), (21, "high"))
    return next((band for edge, band in bands if points < edge), "very high")
