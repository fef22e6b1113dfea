"""`quorate group`: who is in it, with which keys."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from quorate.cli import roster
from quorate.cli.options import FormatOption, NodeOption, connect, open_home, read_file, write_file
from quorate.cli.output import aligned, grouped, show
from quorate.errors import NotFound, Unavailable
from quorate.quorum.invitation import PREFIX
from quorate.studies.group import Group, check_group, group_from_json, group_to_json

app = typer.Typer(help="Who is in the group, and with which keys.")
for command in (
    *(roster.invite, roster.changes, roster.approve, roster.decline),
    *(roster.remove, roster.rotate),
):
    app.command()(command)


@dataclass(frozen=True, slots=True)
class Row:
    """One member as this node sees it."""

    name: str
    address: str
    operator: str
    public_key: bytes
    reachable: str


@dataclass(frozen=True, slots=True)
class Roster:
    name: str
    epoch: int
    digest: bytes
    members: tuple[Row, ...]


@app.command("create")
def create_command(
    name: Annotated[str, typer.Argument(help="The group's name.")],
    cards: Annotated[list[Path], typer.Argument(help="The members' cards, in order of seats.")],
    out: Annotated[Path, typer.Option(help="The file to give to all members.")],
    form: FormatOption = "text",
) -> None:
    """Make a group file from the members' cards."""
    group = create(name, cards, out)
    lines = [
        *_lines(_roster(group, {})),
        f"next: give {out.name} to every member, who joins with: quorate group join {out.name}",
    ]
    show(_roster(group, {}), lines, form)


def create(name: str, cards: list[Path], out: Path) -> Group:
    """Write the group of those cards to `out` and return it."""
    from quorate.node.home import card_from_json

    group = Group(name, tuple(card_from_json(read_file(card)) for card in cards))
    check_group(group)
    write_file(out, group_to_json(group))
    return group


@app.command("join")
def join(
    file: Annotated[
        str, typer.Argument(metavar="FILE|WORD", help="The group's file, or an invitation.")
    ],
    node: NodeOption = None,
    form: FormatOption = "text",
) -> None:
    """Make a group this node's own: it must list this member with this key."""
    if file.startswith(PREFIX):
        roster.knock(file, node, form)
        return
    home = open_home(node)
    group = group_from_json(read_file(Path(file)))
    home.join(group)
    lines = [
        *_lines(_roster(group, {home.name: "this node"})),
        "next: compare the digest with the other members, by telephone or in person, "
        "then: quorate node start",
    ]
    show(_roster(group, {}), lines, form)


@app.command("show")
def show_command(node: NodeOption = None, form: FormatOption = "text") -> None:
    """Show the members, their keys, and the digest to compare with theirs."""
    home = open_home(node)
    if home.group is None:
        raise NotFound(f"{home.name} is in no group yet", hint="join with: quorate group join FILE")
    reachable = {home.name: "this node"}
    try:
        with connect(home.folder) as client:
            for peer in client.status().peers:
                reachable[peer.name] = "connected" if peer.connected else peer.trouble
    except Unavailable:
        reachable[home.name] = "this node, not running"
    here = _roster(home.group, reachable)
    show(here, _lines(here), form)


def _roster(group: Group, reachable: dict[str, str]) -> Roster:
    rows = (
        Row(m.name, m.address, m.run_by, m.public_key, reachable.get(m.name, ""))
        for m in group.members
    )
    return Roster(group.name, group.epoch, group.digest(), tuple(rows))


def _lines(here: Roster) -> list[str]:
    rows = [(row.name, _where(row), row.reachable) for row in here.members]
    keys = [(row.name, grouped(row.public_key)) for row in here.members]
    return [
        f"group   {here.name}",
        f"epoch   {here.epoch}",
        f"digest  {grouped(here.digest)}",
        "members",
        *aligned(rows, indent="  "),
        "keys",
        *aligned(keys, indent="  "),
    ]


def _where(row: Row) -> str:
    return row.address if row.operator == row.name else f"{row.address}, run by {row.operator}"
