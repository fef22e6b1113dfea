"""`quorate audit`: what this node did and refused, in a log that cannot be rewritten unseen."""

import typer

from quorate.cli.options import FormatOption, NodeOption, connect
from quorate.cli.output import aligned, grouped, show
from quorate.node.views import AuditView, WitnessView

app = typer.Typer(help="What this node did and refused, in a chain of digests.")


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


def _witness(witness: WitnessView) -> str:
    if witness.agrees and witness.number:
        return f"{witness.member} holds entry {witness.number}, which is in this chain"
    return f"{witness.member}: {witness.trouble}"


def _lines(log: AuditView) -> list[str]:
    rows = [(str(entry.number), entry.time, entry.event, entry.details) for entry in log.entries]
    return aligned(rows)
