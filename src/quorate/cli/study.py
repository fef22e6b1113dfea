"""`quorate study`: propose, understand, approve, run and release studies."""

import csv
import os
import sys
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quorate.cli import study_text
from quorate.cli.options import (
    FormatOption,
    NodeOption,
    StudyId,
    connect,
    open_home,
    read_file,
    write_file,
)
from quorate.cli.output import Format, say, show
from quorate.cli.study_plot import plot
from quorate.errors import Error, NotFound, Usage
from quorate.studies.group import MAX_MEMBERS, Group, Member
from quorate.studies.study import read_study

if TYPE_CHECKING:
    from collections.abc import Iterator

    from quorate.node.client import Client
    from quorate.node.views import EventView, StudyView

app = typer.Typer(help="What the members compute together: propose, approve, run, release.")

Score = Annotated[
    Path | None,
    typer.Option(
        "--score", metavar="FILE", help="A published score, which becomes part of the study."
    ),
]
Accept = Annotated[
    list[str] | None,
    typer.Option(help="A risk accepted in so many words, such as two-members."),
]


OutFile = Annotated[Path | None, typer.Option(help="The file to write; if not given, stdout.")]


@app.command("check")
def check(
    file: Annotated[Path, typer.Argument(help="The study, a TOML file.")],
    members: Annotated[
        int | None,
        typer.Option(min=2, max=MAX_MEMBERS, help="For how many members, if no node is named."),
    ] = None,
    score: Score = None,
    accept: Accept = None,
    node: NodeOption = None,
    form: FormatOption = "text",
) -> None:
    """Say what a study would reveal, to whom, and at what cost. Touches no data and no node."""
    from quorate.studies.disclosure import disclose
    from quorate.studies.planning import compile_plan

    study = read_study(with_score(file, score))
    group = _of_node(node) if node and members is None else _imagined(members or 3)
    now = datetime.now(UTC)  # noqa: TID251 - the edge
    plan = compile_plan(study, group, proposer=group.names[0], now=now, accept=accept or ())
    disclosure = disclose(plan)
    lines = [f"study    {study.title}", f"purpose  {study.purpose}", *disclosure.lines()]
    show(disclosure, lines, form)


@app.command("mock")
def mock(
    file: Annotated[Path, typer.Argument(help="The study, a TOML file.")],
    rows: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many rows.")] = 100,
    out: Annotated[
        Path | None, typer.Option(help="The CSV file to write; if not given, stdout.")
    ] = None,
) -> None:
    """Make rows of nobody that fit the study's declarations, to try it on."""
    from quorate.studies.mock import mock_rows

    text = mock_rows(read_study(read_file(file)), rows, os.urandom)
    if out is None:
        print(text, end="")
    else:
        write_file(out, text)


@app.command("explain")
def explain(id_: StudyId, node: NodeOption = None, form: FormatOption = "text") -> None:
    """Say what a proposed study asks, reveals and costs, as its plan has it."""
    with connect(node) as client:
        study = client.study(id_)
    show(study.disclosure, study_text.explained(study), form)


@app.command("propose")
def propose(
    file: Annotated[Path, typer.Argument(help="The study, a TOML file.")],
    score: Score = None,
    accept: Accept = None,
    node: NodeOption = None,
    form: FormatOption = "text",
) -> None:
    """Propose a study to all members, and approve it for this one."""
    with connect(node) as client:
        study = client.propose(with_score(file, score), tuple(accept or ()))
    show(study, study_text.whole(study), form)


@app.command("list")
def list_command(node: NodeOption = None, form: FormatOption = "text") -> None:
    """List the studies this node knows."""
    with connect(node) as client:
        studies = client.studies()
    none = ["no studies; propose one with: quorate study propose FILE"]
    show(studies, study_text.table(studies) or none, form)


@app.command("show")
def show_command(id_: StudyId, node: NodeOption = None, form: FormatOption = "text") -> None:
    """Show one study: what it reveals, who approved it, what came out."""
    with connect(node) as client:
        study = client.study(id_)
    show(study, study_text.whole(study), form)


@app.command("approve")
def approve(
    id_: StudyId,
    yes: Annotated[bool, typer.Option("--yes", help="Approve without being asked.")] = False,
    node: NodeOption = None,
    form: FormatOption = "text",
) -> None:
    """Let this member take part: shows what is revealed, and asks."""
    with connect(node) as client:
        if not yes:
            _ask(client.study(id_))
        study = client.approve(id_)
    show(study, study_text.decided(study), form)


@app.command("decline")
def decline(id_: StudyId, node: NodeOption = None, form: FormatOption = "text") -> None:
    """Refuse a study for good, and tell the other members."""
    with connect(node) as client:
        study = client.decline(id_)
    show(study, study_text.decided(study), form)


@app.command("revoke")
def revoke(id_: StudyId, node: NodeOption = None, form: FormatOption = "text") -> None:
    """Take this member's approval back, as long as no run has begun."""
    with connect(node) as client:
        study = client.revoke(id_)
    show(study, study_text.decided(study), form)


@app.command("run")
def run(id_: StudyId, node: NodeOption = None, form: FormatOption = "text") -> None:
    """Run an approved study among all members."""
    with connect(node) as client:
        _show_run(client.run(id_), id_, form)


@app.command("resume")
def resume(id_: StudyId, node: NodeOption = None, form: FormatOption = "text") -> None:
    """Run a study again whose last run failed: a fresh session under the same approvals."""
    with connect(node) as client:
        _show_run(client.resume(id_), id_, form)


@app.command("compare")
def compare(
    what: Annotated[
        str, typer.Argument(metavar="FILE|ID", help="A bundle to propose, or one to run.")
    ],
    accept: Accept = None,
    node: NodeOption = None,
    form: FormatOption = "text",
) -> None:
    """Run one study under several models of trust, approved as one, and compare them.

    With a file, the bundle is proposed. With the identifier of one of its studies, all that did not
    run yet are run, and set side by side.
    """
    from quorate.cli import compared

    with connect(node) as client:
        if (file := Path(what)).suffix == ".toml":
            proposed = client.propose(read_file(file), tuple(accept or ()))
            again = f"next: when all have approved: quorate study compare {proposed.id}"
            show(proposed, [*study_text.whole(proposed), again], form)
            return
        arms = compared.run_all(client, what, quiet=form == "json")
        show(arms, compared.lines(arms), form)


@app.command("release")
def release(
    id_: StudyId,
    out: OutFile = None,
    node: NodeOption = None,
    form: FormatOption = "text",
) -> None:
    """Write the release: the result and its certificate, signed by every member."""
    with connect(node) as client:
        _give(client.release(id_), out, form)


@app.command("evidence")
def evidence(
    id_: StudyId,
    out: OutFile = None,
    node: NodeOption = None,
    form: FormatOption = "text",
) -> None:
    """Write what was said, and signed, in the last run that was aborted: it may convict."""
    with connect(node) as client:
        _give(client.evidence(id_), out, form)


def _give(text: str, out: Path | None, form: Format) -> None:
    """Write a file that anyone can verify."""
    if out is None:
        print(text, end="")
        return
    write_file(out, text)
    lines = [f"written to {out}", f"next: anyone verifies it with: quorate verify {out}"]
    show({"written": str(out)}, lines, form)


app.command("plot")(plot)


@app.command("scores")
def scores(
    id_: StudyId,
    out: Annotated[
        Path | None, typer.Option(help="The CSV file to write; if not given, stdout.")
    ] = None,
    node: NodeOption = None,
) -> None:
    """Write what this member alone learned of its patients, as CSV."""
    with connect(node) as client:
        found = client.scores(id_)
    text = StringIO()
    csv.writer(text, lineterminator="\n").writerows(
        [(found.pseudonym, found.shows), *found.patients]
    )
    if out is None:
        print(text.getvalue(), end="")
        return
    write_file(out, text.getvalue())
    say(f"{found.score} of {len(found.patients)} patients written to {out}")


@app.command("patients")
def patients(
    file: Annotated[Path, typer.Argument(help="The list, a .csv or .parquet file.")],
    column: Annotated[str, typer.Option(help="The column that names a patient.")] = "patient",
    form: FormatOption = "text",
) -> None:
    """Say what a study states of a list of patients: how many, and its digest. Asks no node."""
    from quorate.studies.patients import list_digest, listed_patients
    from quorate.studies.sources import open_source

    names = listed_patients(open_source(file), column)
    digest = list_digest(names).hex()
    lines = [f"patients = {len(names)}", f'digest = "{digest}"']
    show({"patients": len(names), "digest": digest}, lines, form)


def with_score(file: Path, score: Path | None) -> str:
    """Return the text of a study, that of the score it is proposed with after it."""
    texts = [read_file(file), *([] if score is None else [read_file(score)])]
    return "\n".join(texts)


def run_to_end(client: "Client", id_: str, *, quiet: bool = False) -> "StudyView":
    """Run a study, showing its progress on stderr, and return it released."""
    from quorate.cli.progress import follow

    return follow(client.run(id_), quiet=quiet)


def _show_run(events: "Iterator[EventView]", id_: str, form: Format) -> None:
    from quorate.cli.progress import follow

    try:
        study = follow(events, quiet=form == "json")
    except KeyboardInterrupt:
        say(f"the run goes on without you: quorate study show {id_}", error=True)
        raise
    show(study, [*study_text.outcome(study), *study_text.next_step(study)], form)


def _ask(study: "StudyView") -> None:
    say(*study_text.whole(study), error=True)
    if not sys.stdin.isatty():
        raise Usage("nobody is here to be asked", hint="decide with --yes, or at a terminal")
    if not typer.confirm("approve exactly this?", err=True):
        hint = f"to refuse it for good, and tell the others: quorate study decline {study.id}"
        raise Error("nothing was approved", hint=hint)


def _of_node(node: Path) -> Group:
    group = open_home(node).group
    if group is None:
        raise NotFound("this node is in no group yet", hint="join with: quorate group join FILE")
    return group


def _imagined(n: int) -> Group:
    """Return a group of n that exists nowhere: a disclosure depends on their number alone."""
    return Group(
        "imagined",
        tuple(
            Member(f"member-{i}", f"member-{i}.example:7400", i.to_bytes(32, "big"))
            for i in range(1, n + 1)
        ),
    )
