"""`quorate doctor`: what is wrong with a node, and what to do about it."""

from pathlib import Path

import typer

from quorate.cli.options import FormatOption, NodeOption
from quorate.cli.output import say, say_json

STYLES = {"ok": "green", "warn": "yellow", "fail": "bold red"}


def doctor(node: NodeOption = None, form: FormatOption = "text") -> None:
    """Look at everything a node needs; exit 1 if anything fails."""
    from quorate.node.doctor import examine

    found = []
    for check in examine((node or Path.cwd()).absolute()):
        found.append(check)
        if form == "text":
            say(f"{check.state:<4}  {check.name}: {check.found}", style=STYLES[check.state])
            if check.advice and check.state != "ok":
                say(f"      {check.advice}")
    if form == "json":
        say_json(found)
    if any(check.state == "fail" for check in found):
        raise typer.Exit(1)
