"""`quorate demo`: a menu of stories, and the first: three hospitals learn an average age.

Three real nodes, their keys, TLS between them, and the commands a person would
type. Only that one person holds all three hospitals' files is unreal; it is
what lets the demo set the result beside the truth.
"""

import csv
import sys
import time
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from quorate.cli import consoles, stage, study_text, verify
from quorate.cli.nouns import nouns
from quorate.cli.options import read_file, utc_now, write_file
from quorate.cli.output import aligned, say
from quorate.errors import Usage, VerificationFailed
from quorate.node.client import Client
from quorate.node.views import StudyView
from quorate.studies.group import Group

STORIES = (
    *("cancer", "patient", "linkage", "medication", "record", "anonymous"),
    *("noise", "trust", "poisoning", "enclave"),
)

app = typer.Typer(
    cls=nouns({story: f"quorate.cli.demo_{story}" for story in STORIES}),
    help="See it work, on this machine alone.",
)

HOSPITALS = ("north", "south", "west")


@app.callback(invoke_without_command=True)
def demo(
    context: typer.Context,
    console: Annotated[
        bool, typer.Option("--console", help="Keep the nodes' consoles open until Ctrl-C.")
    ] = False,
) -> None:
    """See it work, on this machine alone. Without a name: the tour, a menu of all stories."""
    if console:
        consoles.want()
    if context.invoked_subcommand is None:
        story = _chosen(context, "age" if console else "")
        if story is not None:
            story.main([], prog_name=context.command_path, standalone_mode=False)


def _chosen(context: typer.Context, story: str) -> Any:
    """Return the command of a story: of `story`, or of what a person chooses from the menu."""
    tour: Any = context.command
    stories = {name: tour.get_command(context, name) for name in tour.list_commands(context)}
    if story:
        return stories[story]
    rows = [
        (str(number), name, one.get_short_help_str(90))
        for number, (name, one) in enumerate(stories.items(), 1)
    ]
    say("the tour: each story runs for real, on this machine alone", *aligned(rows, indent="  "))
    if not sys.stdin.isatty():
        say("next: quorate demo NAME, or with open consoles: quorate demo --console NAME")
        return None
    choice = typer.prompt("which, by number or name", default="1")
    for number, name, _ in rows:
        if choice in (number, name):
            return stories[name]
    raise Usage(f"there is no story {choice}", hint="quorate demo")


@app.command("age")
def age(
    keep: stage.Keep = None,
) -> None:
    """Let three hospitals learn their patients' average age, and nothing else."""
    began = time.monotonic()
    with stage.workplace(keep) as folder:
        patients = {name: stage.examples() / "data" / f"{name}.csv" for name in HOSPITALS}
        stage.step("three hospitals, each with its own node, keys and patients; and their group")
        roster = stage.members(folder, "hospitals", HOSPITALS)
        registered = "data add patients NAME.csv --node NAME"
        with stage.running(folder, HOSPITALS, registered) as clients:
            for name, client in clients.items():
                client.add_table("patients", patients[name])
            released = _study(clients)
            _compare(released, patients)
            _received(clients, released.id)
            text = clients["north"].release(released.id)
        write_file(folder / "release.json", text)
        _certificate(text, roster)
        _what_next(keep)
    say("", f"done in {time.monotonic() - began:.1f} s; the three nodes are stopped")


def _study(clients: dict[str, Client]) -> StudyView:
    """Propose, approve and run the study; return it released."""
    stage.step("north proposes a study; every member reads what it reveals, and approves")
    text = read_file(stage.examples() / "average-age.toml")
    proposed = stage.approved(clients, "average-age.toml", text)
    stage.step("the run: each node computes its part in its own database, then all sum in secret")
    return stage.released(clients, proposed.id)


def _compare(released: StudyView, files: dict[str, Path]) -> None:
    """Set the result beside the truth. Raises `VerificationFailed` if they differ."""
    stage.step(
        "the result, beside the truth, which only this demo can know: it owns all three files"
    )
    ages = {name: [Fraction(row["age"]) for row in _rows(file)] for name, file in files.items()}
    for name, own in ages.items():
        say(f"  {name} has {len(own)} patients, whose ages sum to {sum(own)}: nobody else was told")
    everybody = [age for own in ages.values() for age in own]
    truth = {"patients": Fraction(len(everybody)), "mean_age": sum(everybody) / len(everybody)}
    rows = [("", "secure", "exactly", "truth")]
    for result in released.results:
        found, exact = Fraction(result.exact), truth.get(result.name)
        rows.append((result.name, f"{result.value} {result.unit}", str(found), str(exact)))
        if found != exact:
            raise VerificationFailed(f"{result.name} is {found}, and in truth {exact}")
    if len(released.results) != len(truth):
        raise VerificationFailed("the results are not those of the study")
    say(*aligned(rows, indent="  "))


def _received(clients: dict[str, Client], id_: str) -> None:
    """Show what each node was sent, which is noise, and that all have the same result."""
    stage.step("what each node received: noise, which only added up over all members is a sum")
    finals: list[StudyView] = []
    for name, client in clients.items():
        stage.wait(partial(_is_released, client, id_))
        finals.append(client.study(id_))
        say(*(f"  {name} received {study_text.seen(view)}" for view in finals[-1].seen))
    if any(final.results != finals[0].results for final in finals):
        raise VerificationFailed("the members have different results")


def _certificate(text: str, roster: Group) -> None:
    stage.step("the certificate, signed by every member; anyone verifies it, offline")
    stage.typed("verify release.json --group hospitals.json")
    say(*(f"  {line}" for line in verify.lines_of(verify.report_on(text, roster, utc_now()))))


def _what_next(keep: Path | None) -> None:
    stage.step("next")
    if keep is None:
        say("  quorate demo age --keep FOLDER", "  quorate study check examples/average-age.toml")
        return
    say(
        f"  cd {keep}",
        "  quorate verify release.json --group hospitals.json",
        "  quorate node start --node north",
        "  quorate study list --node north",
        "  quorate audit show --node north",
        "  quorate doctor --node north",
        "  quorate node stop --node north",
    )


def _is_released(client: Client, id_: str) -> bool:
    return client.study(id_).state == "released"


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))
