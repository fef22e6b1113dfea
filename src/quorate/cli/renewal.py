"""`quorate key reshare`, `refresh` and `repair`: the same key, with other shares."""

from pathlib import Path
from typing import Annotated

import typer

from quorate.cli.key_text import whole
from quorate.cli.options import FormatOption, NodeOption, names_in, quorum_of, write_file
from quorate.cli.output import show
from quorate.errors import Usage
from quorate.threshold.policy import Role

Name = Annotated[str, typer.Argument(metavar="NAME", help="The key's name.")]
Reason = Annotated[str, typer.Option(help="Why, for all holders to read.")]
PolicyOption = Annotated[
    str,
    typer.Option(
        metavar="WORDS",
        help='Who must act together, in roles: "2 of doctor, pharmacist, nurse". Unreviewed.',
    ),
]
RoleOption = Annotated[
    list[str] | None,
    typer.Option(metavar="ROLE=NAMES", help="A role of the policy, and its members, with commas."),
]


def reshare(
    name: Name,
    min_signers: Annotated[
        str, typer.Option(help='How many must act together: "4 of 7", majority or half.')
    ] = "",
    members: Annotated[
        str, typer.Option(help="Who holds a share then; if not given, as the roster has it.")
    ] = "",
    policy: PolicyOption = "",
    role: RoleOption = None,
    reason: Reason = "the group changed",
    node: NodeOption = None,
    form: FormatOption = "text",
) -> None:
    """Give a key to other holders, or under another rule: its public key stays.

    Who leaves may have kept its old share: where that matters, make a new key.
    """
    with quorum_of(node) as client:
        key = client.reshare_key(
            name, reason, names_in(members), min_signers, policy, roles_in(role)
        )
    show(key, whole(key), form)


def refresh(
    name: Name,
    reason: Reason = "new shares from time to time",
    node: NodeOption = None,
    form: FormatOption = "text",
) -> None:
    """Give all holders of a key new shares: old ones, stolen or not, are then of no use."""
    with quorum_of(node) as client:
        key = client.refresh_key(name, reason)
    show(key, whole(key), form)


def repair(
    name: Name,
    member: Annotated[str, typer.Option(help="Who lost its share.")],
    reason: Reason = "a share was lost",
    node: NodeOption = None,
    form: FormatOption = "text",
) -> None:
    """Give a holder that lost its share a new one: the others deal, and all get new shares."""
    with quorum_of(node) as client:
        key = client.refresh_key(name, reason, member)
    show(key, whole(key), form)


def succeed(
    name: Name,
    successor: Annotated[str, typer.Argument(metavar="NEW", help="The key in its place.")],
    reason: Annotated[str, typer.Option(help="Why, for all to read, for ever.")],
    hours: Annotated[float, typer.Option(help="How long holders may answer.")] = 168,
    node: NodeOption = None,
    form: FormatOption = "text",
) -> None:
    """Ask the holders of both keys that one takes the other's place: after a removal for cause."""
    with quorum_of(node) as client:
        both = client.succeed_key(name, successor, reason, hours)
    lines = [
        *(f"order {one.id}, under {one.key}: {one.words[0]}" for one in both),
        f"their holders approve: quorate order approve {both[0].id}, and {both[1].id}",
        f"then: quorate key succession {name} --out FILE",
        "whoever was removed may have kept its share of the old key; it has none of the new",
        "who leaves in good standing needs no new key: quorate key reshare",
    ]
    show(both, lines, form)


def succession(
    name: Name,
    out: Annotated[Path, typer.Option(help="The file to write.")],
    node: NodeOption = None,
    form: FormatOption = "text",
) -> None:
    """Write which key took the place of one, signed by both, for all who know the old one."""
    with quorum_of(node) as client:
        text = client.succession(name)
    write_file(out, text)
    show({"written": str(out)}, [f"written to {out}: quorate verify {out}"], form)


def roles_in(given: list[str] | None) -> tuple[Role, ...]:
    """Return roles as they are given on a command line. Raises `Usage`."""
    found: list[Role] = []
    for text in given or []:
        name, equals, members = text.partition("=")
        if not equals:
            raise Usage(f"{text} is no role", hint="write for example --role oncology=north,south")
        found.append(Role(name.strip(), names_in(members)))
    return tuple(found)
