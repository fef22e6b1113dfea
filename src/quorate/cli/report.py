"""`quorate report`: texts that all members read, and nobody learns who wrote them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quorate.cli.options import FormatOption, NodeOption, read_file, reports_of, write_file
from quorate.cli.output import aligned, say, show

if TYPE_CHECKING:
    from quorate.node.anonymous.certificates import Filed
    from quorate.node.anonymous.views import (
        MeterView,
        PostView,
        RunView,
        ThreadView,
        WaitingView,
        WriteBody,
    )

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
Yes = Annotated[bool, typer.Option("--yes", help="Queue it without being asked.")]


@app.command("write")
def write(
    file: TextFile,
    fear: Fear = None,
    to: To = "",
    open_by: OpenBy = 0,
    yes: Yes = False,
    node: NodeOption = None,
    form: FormatOption = "text",
) -> None:
    """Queue a report on this member's own node, after showing behind whom its author stands."""
    body = _body(file, fear, to, open_by)
    with reports_of(node) as client:
        if not yes:
            _ask(client.meter(body.feared))
        waiting = client.write(body)
    show(waiting, _queued(waiting), form)


@app.command("reply")
def reply(
    id_: ThreadId,
    file: TextFile,
    fear: Fear = None,
    to: To = "",
    open_by: OpenBy = 0,
    yes: Yes = False,
    node: NodeOption = None,
    form: FormatOption = "text",
) -> None:
    """Answer a thread, or go on with one's own under the same pseudonym."""
    body = _body(file, fear, to, open_by)
    with reports_of(node) as client:
        if not yes:
            _ask(client.meter(body.feared, id_))
        waiting = client.reply(id_, body)
    show(waiting, _queued(waiting), form)


@app.command("queue")
def queue(node: NodeOption = None, form: FormatOption = "text") -> None:
    """Show what waits on this node, and behind whom its author would stand now."""
    with reports_of(node) as client:
        waiting = client.queue()
    lines = [line for one in waiting for line in _queued(one)]
    show(waiting, lines or ["nothing waits"], form)


@app.command("inbox")
def inbox(node: NodeOption = None, form: FormatOption = "text") -> None:
    """List the threads that runs brought to this node."""
    with reports_of(node) as client:
        threads = client.inbox()
    rows = [
        (t.id, f"posts {len(t.posts)}", f"answers {len(t.answers)}", _first_line(t))
        for t in threads
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
    node: NodeOption = None,
    form: FormatOption = "text",
) -> None:
    """Show a thread: what it says, who answered, and who claims it if anybody does."""
    with reports_of(node) as client:
        thread = client.thread(id_)
        if certificate is not None:
            write_file(certificate, client.certificates(id_))
    show(thread, thread_lines(thread), form)


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
    rows = [(h.id, f"{len(h.members)} members", f"{h.texts} texts", _outcome(h)) for h in held]
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


def thread_lines(thread: "ThreadView") -> list[str]:
    """Return what a person reads of a thread."""
    lines = [f"thread {thread.id}"]
    lines += [f"claimed by {name}, proven by both keys" for name in thread.claimed_by]
    for post in thread.posts:
        lines += ["", f"post {post.number}:", *_text(post)]
    lines += ["", *thread.arriving] if thread.arriving else []
    for post in thread.answers:
        lines += ["", f"answer, of thread {post.thread[:12]}:", *_text(post)]
    return lines


def meter_lines(meter: "MeterView") -> list[str]:
    """Return what the meter says: the set, what is lost, whether it is enough."""
    number, names = len(meter.members), ", ".join(meter.members)
    lines = [
        f"the author is one of {number} members, of {meter.organisations} organisations: {names}"
    ]
    if meter.lost:
        lines.append(f"fewer than before: without {', '.join(meter.lost)}, who are away")
    if meter.lacking:
        lines.append(f"too few ({' and '.join(meter.lacking)}): it waits until there are more")
    return lines


def run_lines(held: "RunView") -> list[str]:
    """Return what a person reads of one run."""
    lines = [
        f"run      {held.id}",
        f"members  {', '.join(held.members)}",
        f"texts    {held.texts}",
        f"outcome  {_outcome(held)}",
    ]
    if held.parts:
        named = zip(held.members, held.parts, strict=True)
        width = max(map(len, held.members))
        lines += [f"  {name.ljust(width)}  {part} ..." for name, part in named]
        lines.append(f"  {'sum'.ljust(width)}  {held.cell} ...")
    return lines


def filed_lines(filed: "Filed") -> list[str]:
    """Return what a person reads of a filing that verifies."""
    lines = [
        f"signed by all of {', '.join(names)}: one of them wrote it" for names in filed.members
    ]
    for post in filed.posts:
        lines += ["", f"thread {post.thread.hex()[:12]}, post {post.number}:"]
        body = "(sealed)" if post.sealed else post.body.decode(errors="replace")
        lines += [f"  {line}" for line in body.splitlines()]
    return lines


def _body(file: Path, fear: list[str] | None, to: str, open_by: int) -> "WriteBody":
    from quorate.node.anonymous.views import WriteBody

    names = tuple(name for name in to.replace(" ", "").split(",") if name)
    text = read_file(file)
    return WriteBody(text=text, feared=tuple(fear or ()), recipients=names, open_by=open_by)


def _ask(meter: "MeterView") -> None:
    say(*meter_lines(meter))
    typer.confirm("queue it?", abort=True)


def _queued(waiting: "WaitingView") -> list[str]:
    fragments, stale = waiting.fragments, waiting.outdated
    what = "1 run" if fragments == 1 else f"{fragments} runs, one fragment in each"
    return [
        f"queued: post {waiting.post} of thread {waiting.thread[:12]}, to leave in {what}",
        *(["it is sealed to keys that are no longer the members': write it again"] * stale),
        *meter_lines(waiting.meter),
    ]


def _text(post: "PostView") -> list[str]:
    lines = [f"  {line}" for line in post.text.splitlines()]
    if not post.sealed:
        return lines
    if not post.recipients:
        return ["  (sealed to some recipients)"]
    among, said = ", ".join(post.recipients), ", ".join(post.approved) or "nobody yet"
    rule = f"  (sealed to {among}; {post.open_by} of them open it; approved by {said})"
    return [rule, *lines]


def _first_line(thread: "ThreadView") -> str:
    if not thread.posts:
        return ", ".join(thread.arriving)
    return (_text(thread.posts[0]) or [""])[0].strip()


def _outcome(held: "RunView") -> str:
    if held.culprits:
        return f"spoilt by {', '.join(held.culprits)}, proven"
    if held.failure:
        return f"failed: {held.failure}"
    return "went well" if held.decision == "key" else "under way"
