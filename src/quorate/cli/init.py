"""`quorate init`: a new member's node folder, its keys and its card."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from quorate.cli.options import FormatOption, write_file
from quorate.cli.output import aligned, grouped, show
from quorate.errors import Usage
from quorate.studies.group import Member


def init(
    folder: Annotated[Path, typer.Argument(help="Where the node keeps all it has.")],
    name: Annotated[str, typer.Option(help="The member's name in its groups.")] = "",
    listen: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Where the node listens for the others.")
    ] = "127.0.0.1:7400",
    reached_at: Annotated[
        str,
        typer.Option(
            metavar="HOST:PORT",
            help="Where the others reach it, if elsewhere; relay:HOST:PORT through a relay.",
        ),
    ] = "",
    operator: Annotated[
        str, typer.Option(help="Who runs the node, if not the member itself.")
    ] = "",
    form: FormatOption = "text",
) -> None:
    """Make a node's folder with fresh keys, and the card to give to the other members."""
    card, member = create(folder, name or _asked_name(), listen, reached_at, operator)
    lines = [
        *aligned(
            [
                ("member", f"{member.name}, at {member.address}{_run_by(member)}"),
                ("key", grouped(member.public_key)),
                ("card", str(card)),
            ]
        ),
        f"next: give {card.name} to whoever makes the group (quorate group create)",
    ]
    show(member, lines, form)


def create(
    folder: Path, name: str, listen: str, reached_at: str = "", operator: str = ""
) -> tuple[Path, Member]:
    """Make the folder and return where the member's card is, and what it says."""
    from quorate.node import home as homes

    home = homes.create(folder, name, listen, reached_at, operator)
    member = home.member()
    card = home.folder / f"{member.name}.card.json"
    write_file(card, homes.card_to_json(member))
    return card, member


def _run_by(member: Member) -> str:
    return f", run by {member.operator}" if member.operator else ""


def _asked_name() -> str:
    if not sys.stdin.isatty():
        raise Usage("the member has no name", hint="give one with --name")
    return str(typer.prompt("name of this member")).strip()
