"""`quorate report`: texts that all members read, and nobody learns who wrote them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quorate.cli import attaching
from quorate.cli.options import FormatOption, NodeOption, read_file, reports_of, write_file
from quorate.cli.output import Format, aligned, say, show
from quorate.cli.report_lines import (
    filed_lines,
    first_line,
    meter_lines,
    outcome,
    queued_lines,
    run_lines,
    thread_lines,
)

if TYPE_CHECKING:
    from quorate.node.anonymous.views import WriteBody

app = typer.Typer(help="Texts that all members read, and nobody learns who wrote them.")

ThreadId = Annotated[str, typer.Argument(metavar="ID", help="The thread, or its beginning.")]
TextFile = Annotated[
    Path, typer.Argument(metavar="FILE", help="The text, in UTF-8; - reads it from stdin.")
]
Fear = Annotated[
    list[str] | None,
    typer.Option(
        "--fear",
        metavar="NAME",
        help="A member that may work against the author: it does not count. Repeat for more.",
        show_default=False,
    ),
]
To = Annotated[
    str,
    typer.Option(
        "--to",
        metavar="NAME,...",
        help="Only these members can read it; the others do not see who they are.",
        show_default=False,
    ),
]
OpenBy = Annotated[
    int,
    typer.Option(
        metavar="K", help="How many of them must approve; all, if not said.", show_default=False
    ),
]
AtLeast = Annotated[
    int,
    typer.Option(
        metavar="N", help="Wait until it is one of N members, of more than 5.", show_default=False
    ),
]
Organisations = Annotated[
    int,
    typer.Option(
        metavar="M", help="Wait for members of M organisations, of more than 3.", show_default=False
    ),
]
Attach = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FILE",
        help="A picture or PDF to go with it, cleaned of what tells its author. Repeat for more.",
        show_default=False,
    ),
]
AsIs = Annotated[bool, typer.Option("--as-is", help="Attach files with all that they tell.")]
Yes = Annotated[bool, typer.Option("--yes", help="Queue it without being asked.")]


@app.command("write")
def write(
    file: TextFile,
    fear: Fear = None,
    to: To = "",
    open_by: OpenBy = 0,
    at_least: AtLeast = 0,
    organisations: Organisations = 0,
    attach: Attach = None,
    as_is: AsIs = False,
    yes: Yes = False,
    node: NodeOption = None,
    form: FormatOption = "text",
) -> None:
    """Queue a report on this member's own node, after showing behind whom its author stands."""
    body = _body(file, fear, to, open_by, at_least, organisations)
    _send(_with_files(body, attach or [], as_is, form), "", yes, node, form)


@app.command("reply")
def reply(
    id_: ThreadId,
    file: TextFile,
    fear: Fear = None,
    to: To = "",
    open_by: OpenBy = 0,
    at_least: AtLeast = 0,
    organisations: Organisations = 0,
    attach: Attach = None,
    as_is: AsIs = False,
    yes: Yes = False,
    node: NodeOption = None,
    form: FormatOption = "text",
) -> None:
    """Answer a thread, or go on with one's own under the same pseudonym."""
    body = _body(file, fear, to, open_by, at_least, organisations)
    _send(_with_files(body, attach or [], as_is, form), id_, yes, node, form)


@app.command("queue")
def queue(node: NodeOption = None, form: FormatOption = "text") -> None:
    """Show what waits on this node, and behind whom its author would stand now."""
    with reports_of(node) as client:
        waiting = client.queue()
    lines = [line for one in waiting for line in queued_lines(one)]
    show(waiting, lines or ["nothing waits"], form)


@app.command("reseal")
def reseal(node: NodeOption = None, form: FormatOption = "text") -> None:
    """Seal anew what waits for the key of a member that has another one now."""
    with reports_of(node) as client:
        waiting = client.reseal()
    show(waiting, [line for one in waiting for line in queued_lines(one)], form)


@app.command("inbox")
def inbox(node: NodeOption = None, form: FormatOption = "text") -> None:
    """List the threads that runs brought to this node."""
    with reports_of(node) as client:
        threads = client.inbox()
    rows = [
        (t.id, f"posts {len(t.posts)}", f"answers {len(t.answers)}", first_line(t)) for t in threads
    ]
    show(threads, aligned(rows) if rows else ["no reports"], form)


@app.command("show")
def show_command(
    id_: ThreadId,
    certificate: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write the proof that its texts came out of runs of these members."
        ),
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Write the files that came with it into this folder."),
    ] = None,
    node: NodeOption = None,
    form: FormatOption = "text",
) -> None:
    """Show a thread: what it says, who answered, and who claims it if anybody does."""
    with reports_of(node) as client:
        thread = client.thread(id_)
        if certificate is not None:
            write_file(certificate, client.certificates(id_))
        saved = [] if save is None else attaching.save(save, client.files(id_))
    show(thread, [*thread_lines(thread), *saved], form)


@app.command("open")
def open_command(id_: ThreadId, node: NodeOption = None, form: FormatOption = "text") -> None:
    """Approve, as one of its recipients, that a sealed report is opened, and read it if it is."""
    with reports_of(node) as client:
        thread = client.open(id_)
    show(thread, thread_lines(thread), form)


@app.command("claim")
def claim(
    id_: ThreadId,
    yes: Annotated[bool, typer.Option("--yes", help="Claim it without being asked.")] = False,
    node: NodeOption = None,
    form: FormatOption = "text",
) -> None:
    """Prove to all members that this member wrote a thread. It cannot be taken back."""
    if not yes:
        typer.confirm("all members learn that this member wrote it, for good; go on?", abort=True)
    with reports_of(node) as client:
        thread = client.claim(id_)
    lines = thread_lines(thread)
    if thread.untold:
        lines.append(f"will hear of it when they are back: {', '.join(thread.untold)}")
    show(thread, lines, form)


@app.command("run")
def run(node: NodeOption = None, form: FormatOption = "text") -> None:
    """Hold a run now; nodes do it by the clock. Who asks for one after writing shows itself."""
    with reports_of(node) as client:
        held = client.hold()
    show(held, run_lines(held), form)


@app.command("runs")
def runs(node: NodeOption = None, form: FormatOption = "text") -> None:
    """List the last runs: who took part, what came out, who spoilt one."""
    with reports_of(node) as client:
        held = client.runs()
    rows = [(h.id, f"{len(h.members)} members", f"{h.texts} texts", outcome(h)) for h in held]
    show(held, aligned(rows) if rows else ["no runs yet"], form)


@app.command("verify")
def verify(
    file: Annotated[Path, typer.Argument(help="What quorate report show --certificate wrote.")],
    group: Annotated[Path, typer.Option(help="The group's roster.")],
    form: FormatOption = "text",
) -> None:
    """Check, offline, that a report came out of runs of these members. It names no author."""
    from quorate.node.anonymous.certificates import verify_filing
    from quorate.studies.group import group_from_json

    filed = verify_filing(read_file(file), group_from_json(read_file(group)))
    show(filed, filed_lines(filed), form)


def _body(
    file: Path, fear: list[str] | None, to: str, open_by: int, at_least: int, organisations: int
) -> "WriteBody":
    from quorate.node.anonymous.views import WriteBody

    return WriteBody(
        text=read_file(file),
        feared=tuple(fear or ()),
        recipients=tuple(name for name in to.replace(" ", "").split(",") if name),
        open_by=open_by,
        at_least=at_least,
        organisations=organisations,
    )


def _with_files(body: "WriteBody", paths: list[Path], as_is: bool, form: Format) -> "WriteBody":
    """Return the body with files, cleaned or as they are, after saying what stays in them."""
    if not paths:
        return body
    files = attaching.cleaned(paths, as_is=as_is)
    if form == "text":
        say(*attaching.attached_lines(paths, files, as_is=as_is))
    return body.model_copy(update={"files": attaching.bodies(files)})


def _send(body: "WriteBody", thread: str, yes: bool, node: Path | None, form: Format) -> None:
    """Queue a post, of a new thread or to one, after showing what the meter says."""
    from quorate.node.anonymous.views import MeterBody

    with reports_of(node) as client:
        if not yes:
            asked = MeterBody(
                feared=body.feared,
                thread=thread,
                at_least=body.at_least,
                organisations=body.organisations,
            )
            say(*meter_lines(client.meter(asked)))
            typer.confirm("queue it?", abort=True)
        waiting = client.reply(thread, body) if thread else client.write(body)
    show(waiting, [line for one in waiting for line in queued_lines(one)], form)
