"""`quorate audit`: what this node did and refused, in a log that cannot be rewritten unseen."""

import typer

from quorate.cli.options import FormatOption, NodeOption, connect
from quorate.cli.output import aligned, grouped, show
from quorate.node.views import AuditView

app = typer.Typer(help="What this node did and refused, in a chain of digests.")


@app.command("show")
def show_command(node: NodeOption = None, form: FormatOption = "text") -> None:
    """Show the log, newest last."""
    with connect(node) as client:
        log = client.audit()
    show(log, [*_lines(log), f"head  {grouped(log.head)}"], form)


@app.command("verify")
def verify(node: NodeOption = None, form: FormatOption = "text") -> None:
    """Recompute the chain: an entry altered, removed or moved breaks it."""
    with connect(node) as client:
        log = client.verify_audit()
    lines = [
        f"{len(log.entries)} entries, the chain is whole",
        f"head  {grouped(log.head)}",
        "believed: whoever writes this node's files could have made the chain anew; "
        "a head noted elsewhere shows it",
    ]
    show(log, lines, form)


def _lines(log: AuditView) -> list[str]:
    rows = [(str(entry.number), entry.time, entry.event, entry.details) for entry in log.entries]
    return aligned(rows)
