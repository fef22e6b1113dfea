"""`quorate demo cancer`: three hospitals compare how their patients fared under hormone therapy.

Three real nodes and one study: Table 1, the rate of recurrence, a logrank test, survival curves,
and what goes with recurrence. Only that one person holds all three hospitals' files is
unreal; it is what lets the demo set each result beside the plain one.
"""

import csv
import time
from collections.abc import Sequence
from pathlib import Path

from quorate.cli import stage
from quorate.cli.options import read_file, write_file
from quorate.cli.output import aligned, say
from quorate.cli.study_plot import draw
from quorate.errors import VerificationFailed
from quorate.node.client import Client
from quorate.node.views import ResultView, StudyView
from quorate.pictures.lines import lines_of
from quorate.pictures.released import chart_named, charts_of
from quorate.studies.analyses.kinds import every_value
from quorate.studies.analyses.pooled import plain_numbers
from quorate.studies.plan import Plan
from quorate.studies.release import Verified, from_json, verify_release
from quorate.studies.results import NONE, WITHHELD
from quorate.studies.sources import aggregate, open_source

HOSPITALS = ("north", "south", "west")
STUDY = "cancer.toml"
CURVE, RISK = "curve", "risk"
NEAR = 2e-4
"""How far a result may be from the plain one, relative, or of 1."""


def cancer(
    keep: stage.Keep = None,
) -> None:
    """Let three hospitals learn how a therapy did, and no number of any patient."""
    began = time.monotonic()
    with stage.workplace(keep) as folder:
        stage.step("three hospitals, each with a third of 686 patients with breast cancer")
        patients = _split(stage.examples() / "data" / "gbsg2.csv", folder)
        stage.members(folder, "hospitals", HOSPITALS)
        with stage.running(folder, HOSPITALS, "data add patients NAME.csv --node NAME") as clients:
            for name, client in clients.items():
                client.add_table("patients", patients[name])
            released = _study(clients)
            text = clients["north"].release(released.id)
        write_file(folder / "release.json", text)
        verified = verify_release(from_json(text))
        _beside(released.results, verified.plan, patients)
        _charts(verified, folder if keep else None)
    say("", f"done in {time.monotonic() - began:.1f} s; the three nodes are stopped")


def _split(file: Path, folder: Path) -> dict[str, Path]:
    """Write each hospital's patients, every third of them."""
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.reader(lines))
    written: dict[str, Path] = {}
    for i, name in enumerate(HOSPITALS):
        path = folder / f"{name}.csv"
        with path.open("w", encoding="utf-8", newline="") as lines:
            csv.writer(lines).writerows([rows[0], *rows[1 + i :: len(HOSPITALS)]])
        written[name] = path
    return written


def _study(clients: dict[str, Client]) -> StudyView:
    """Propose, approve and run the study; return it released."""
    stage.step("north proposes a study; every member reads what it reveals, and approves")
    proposed = stage.approved(clients, STUDY, read_file(stage.examples() / STUDY))
    stage.step("the run: sums of each node's own rows, and rows in shares; then all in secret")
    return stage.released(clients, proposed.id)


def _beside(results: Sequence[ResultView], plan: Plan, files: dict[str, Path]) -> None:
    """Set each analysis beside the plain one. Raises `VerificationFailed` if they differ."""
    stage.step("the results, beside the plain ones, which only this demo can know")
    values = [f"{a.analysis.name} {value.name}" for a, value in every_value(plan.study, 3)]
    first = next(i for i, one in enumerate(results) if one.name.startswith(values[0]))
    told, after = results[first : first + len(values)], results[first + len(values) :]
    plain = plain_numbers(plan, [aggregate(open_source(files[n]), plan) for n in HOSPITALS])
    rows = [("", "secure", "plain")]
    for one, right in zip(told, plain, strict=True):
        if not _agree(one, right):
            raise VerificationFailed(f"{one.name} is {one.value}, and by the plain way {right}")
        if not one.name.startswith(CURVE):
            rows.append((one.name, one.value, "" if right is None else f"{right:.6g}"))
    say(*aligned([(one.name, f"{one.value} {one.unit}") for one in results[:first]], indent="  "))
    say("", *aligned(rows, indent="  "), "")
    follows = [(one.name, f"{one.value} {one.unit}") for one in after]
    shown = [row for row in follows if not row[0].startswith(CURVE)]
    say(*aligned(shown, indent="  follows "))


def _agree(one: ResultView, right: float | None) -> bool:
    if one.value in {NONE, WITHHELD} or right is None:
        return one.value == WITHHELD or (one.value == NONE) == (right is None)
    return abs(float(one.value) - right) <= NEAR * max(abs(right), 1.0)


def _charts(verified: Verified, folder: Path | None) -> None:
    """Show the survival curves and the risks as pictures, and all of them as files."""
    charts = charts_of(verified.plan, verified.certificate.results)
    stage.step("survival without recurrence, where enough patients are behind it, and the risks")
    for name in (CURVE, RISK):
        say(*(f"  {line}" for line in lines_of(chart_named(charts, name))), "")
    if folder is not None:
        stage.typed("study plot release.json --out pictures")
        say(*(f"  drawn  {path}" for path in draw(charts, folder / "pictures", "svg")))
