"""`quorate group invite`, `changes`, `approve`, `remove`, ...: a group whose members change."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quorate.cli.options import FormatOption, NodeOption, connect, open_home
from quorate.cli.output import Format, aligned, grouped, show
from quorate.node.members.views import ChangeView

if TYPE_CHECKING:
    from quorate.node.members.client import MembersClient
    from quorate.quorum.roster import Word

ChangeId = Annotated[
    str, typer.Argument(metavar="ID", help="The change's identifier, or its beginning.")
]
Reason = Annotated[str, typer.Option(help="Why, for all members to read.")]


@contextmanager
def members_of(node: Path | None) -> Generator["MembersClient"]:
    """Connect to what a node says about its roster, for the length of the block."""
    from quorate.node.members.client import MembersClient

    with connect(node) as client:
        yield MembersClient(client)


def invite(
    hours: Annotated[float, typer.Option(help="How long it can be used, at most 720.")] = 72,
    node: NodeOption = None,
    form: FormatOption = "text",
) -> None:
    """Make a word by which one newcomer can apply: it opens once."""
    with members_of(node) as client:
        made = client.invite(hours)
    lines = [
        made.token,
        f"send it to one newcomer, secretly: until {made.expires} who has it can apply",
        "the newcomer: quorate init FOLDER, then quorate group join WORD",
        "members then compare its key, and vote: quorate group changes",
    ]
    show(made, lines, form)


def knock(word: str, node: Path | None, form: Format) -> None:
    """Apply with an invitation, or take up the group once its members have agreed."""
    from quorate.node.members.newcomer import knock_with, take_up
    from quorate.quorum.invitation import token_from_text

    home, token = open_home(node), token_from_text(word)
    welcome = asyncio.run(knock_with(home, token))
    history = take_up(home, welcome)
    if history is None:
        lines = [
            f"applied to {token.group}; not a member yet",
            f"have to vote: {', '.join(welcome.waits_for)}",
            f"they compare your key: {grouped(home.member().public_key)}",
            "then run the same command again",
        ]
        show(welcome.waits_for, lines, form)
        return
    lines = [
        f"a member of {history.now.name} since epoch {history.now.epoch}",
        f"digest  {grouped(history.now.digest())}",
        "next: compare the digest with another member, by telephone or in person, "
        "then: quorate node start",
    ]
    show(history.now.digest(), lines, form)


def changes(node: NodeOption = None, form: FormatOption = "text") -> None:
    """List the changes of the roster that wait for votes."""
    with members_of(node) as client:
        waiting = client.changes()
    lines = [line for one in waiting for line in lines_of(one)]
    show(waiting, lines or ["no change of the roster waits"], form)


def approve(
    id_: ChangeId,
    reason: Reason = "agreed",
    node: NodeOption = None,
    form: FormatOption = "text",
) -> None:
    """Vote for a change of the roster: final. Compare a newcomer's key first."""
    _vote(id_, "approve", reason, node, form)


def decline(
    id_: ChangeId,
    reason: Reason = "not agreed",
    node: NodeOption = None,
    form: FormatOption = "text",
) -> None:
    """Vote against a change of the roster: final."""
    _vote(id_, "decline", reason, node, form)


def remove(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The member who goes.")],
    reason: Reason,
    for_cause: Annotated[
        bool, typer.Option("--for-cause", help="It may have kept what it should not have.")
    ] = False,
    node: NodeOption = None,
    form: FormatOption = "text",
) -> None:
    """Propose that a member is no longer one; its own vote does not count.

    In good standing: keys are reshared to those who stay and the leaver erases its share; their
    public keys stay. For cause: it may have kept its shares, so keys it held part of need a
    new key in their place, and a statement that both sign: quorate key succeed.
    """
    with members_of(node) as client:
        proposed = client.remove(name, reason, for_cause=for_cause)
    said = (
        "for cause: it may have kept its shares. For each key it held part of, make a new one, "
        "then: quorate key succeed OLD NEW"
        if for_cause
        else "in good standing: keys go to those who stay, their public keys stay the same"
    )
    show(proposed, [*lines_of(proposed), said], form)


def rotate(
    reason: Reason = "a new key from time to time",
    node: NodeOption = None,
    form: FormatOption = "text",
) -> None:
    """Propose that this member has a new identity key, which its node makes now."""
    with members_of(node) as client:
        proposed = client.rotate(reason)
    show(proposed, lines_of(proposed), form)


def lines_of(change: ChangeView) -> list[str]:
    """Return what a person reads of a change before voting."""
    cause = ", for cause" if change.for_cause else ""
    voted = f"{len(change.approved)} of {change.needed} needed: {', '.join(change.approved)}"
    rows = [
        ("by", f"{change.proposer}: {change.reason}"),
        ("listed", f"{change.address}"),
        ("key", grouped(bytes.fromhex(change.public_key))),
        ("for", voted),
        ("against", ", ".join(change.declined) or "nobody"),
        ("state", "holds" if change.holds else f"waits, until {change.expires}"),
    ]
    untold = [("not told", ", ".join(change.untold))] if change.untold else []
    return [
        f"{change.id}  {change.kind} {change.member}{cause}",
        *aligned([*rows, *untold], indent="  "),
    ]


def _vote(id_: str, word: "Word", reason: str, node: Path | None, form: Format) -> None:
    with members_of(node) as client:
        voted = client.vote(id_, word, reason)
    show(voted, lines_of(voted), form)
