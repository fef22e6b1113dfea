"""`quorate audit`: what this node did and refused, in a log that cannot be rewritten unseen."""

from pathlib import Path
from typing import Annotated

import typer

from quorate.algebra import ring
from quorate.cli.options import FormatOption, NodeOption, StudyId, connect, read_file, write_file
from quorate.cli.output import Format, aligned, grouped, show
from quorate.node.views import AuditView, WitnessView
from quorate.studies.dealings import kept_from_json, opening_from_json, trace

app = typer.Typer(help="What this node did and refused, in a chain of digests.")

OutFile = Annotated[Path, typer.Option("--out", help="Where to write the file.")]


@app.command("show")
def show_command(node: NodeOption = None, form: FormatOption = "text") -> None:
    """Show the log, newest last."""
    with connect(node) as client:
        log = client.audit()
    show(log, [*_lines(log), f"head  {grouped(log.head)}"], form)


@app.command("verify")
def verify(node: NodeOption = None, form: FormatOption = "text") -> None:
    """Recompute the chain, and compare it with what the other members hold of it."""
    with connect(node) as client:
        log = client.verify_audit()
    lines = [
        f"{len(log.entries)} entries, the chain is whole",
        f"head  {grouped(log.head)}",
        *map(_witness, log.witnesses),
        "believed: what comes after the last entry that another member holds",
    ]
    show(log, lines, form)


@app.command("open")
def open_command(
    id_: StudyId, out: OutFile, node: NodeOption = None, form: FormatOption = "text"
) -> None:
    """Write what opens the numbers this member dealt in a study: who has it reads them."""
    with connect(node) as client:
        _write(out, client.opening(id_), "give it to nobody but the auditor", form)


@app.command("dealt")
def dealt(id_: StudyId, out: OutFile, node: NodeOption = None, form: FormatOption = "text") -> None:
    """Write the hashes this member, of the committee, keeps of what all dealt in a study."""
    with connect(node) as client:
        _write(out, client.dealt(id_), "give it to the auditor, and to no member", form)


@app.command("trace")
def trace_command(
    opening: Annotated[Path, typer.Argument(help="What a member opens.")],
    records: Annotated[list[Path], typer.Argument(help="What each of the committee keeps.")],
    out: Annotated[
        Path | None, typer.Option(help="Write the numbers that were dealt, one a line.")
    ] = None,
    form: FormatOption = "text",
) -> None:
    """Check, offline, that a member opens what it dealt; to be held against its rows."""
    kept = [kept_from_json(read_file(path)) for path in records]
    opened = opening_from_json(read_file(opening))
    words = ring.to_signed(trace(opened, kept)).tolist()
    if out is not None:
        write_file(out, "".join(f"{word}\n" for word in words))
    digests = {f"seat {one.seat}": one.digest().hex() for one in kept}
    lines = [
        f"{len(words)} numbers were dealt as they are opened, by seat {opened.owner} of the group",
        f"in session {opened.session.hex()}: compare it with the release's",
        *(f"{seat}: its audit log must say dealt {digest}" for seat, digest in digests.items()),
    ]
    said = {"seat": opened.owner, "session": opened.session.hex(), "numbers": len(words)}
    show({**said, "digests": digests}, lines, form)


def _write(out: Path, text: str, advice: str, form: Format) -> None:
    write_file(out, text)
    show({"written": str(out)}, [f"written to {out}", advice], form)


def _witness(witness: WitnessView) -> str:
    if witness.agrees and witness.number:
        return f"{witness.member} holds entry {witness.number}, which is in this chain"
    return f"{witness.member}: {witness.trouble}"


def _lines(log: AuditView) -> list[str]:
    rows = [(str(entry.number), entry.time, entry.event, entry.details) for entry in log.entries]
    return aligned(rows)
