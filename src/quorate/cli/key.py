"""`quorate key`: keys that several members hold and nobody owns."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quorate.cli import passphrase, recovery, renewal
from quorate.cli.key_text import whole, why_not
from quorate.cli.options import (
    FormatOption,
    NodeOption,
    names_in,
    open_home,
    quorum_of,
    read_file,
    write_file,
)
from quorate.cli.output import aligned, say, show
from quorate.cli.renewal import PolicyOption, RoleOption, roles_in
from quorate.errors import Error, Refused
from quorate.threshold.age.keys import of_record
from quorate.threshold.keys import Purpose

if TYPE_CHECKING:
    from quorate.node.quorum.views import AliveView

app = typer.Typer(help="Keys that several members hold together, and nobody owns.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The key's name.")]
Reason = Annotated[str, typer.Option(help="Why, for all holders to read.")]


@app.command("create")
def create(
    name: Name,
    threshold: Annotated[
        str, typer.Option(help='How many must act together: "2 of 3", majority or half.')
    ] = "majority",
    members: Annotated[
        str, typer.Option(help="Who holds a share, with commas; if not given, all members.")
    ] = "",
    purpose: Annotated[Purpose, typer.Option(help="What the key is for.")] = "sign",
    recover: Annotated[
        str,
        typer.Option(
            metavar="RULE",
            help='Of a plain key: how many may give one member all of it, "4 of 5". '
            "If not given, all holders together.",
        ),
    ] = "",
    witnesses: Annotated[
        str,
        typer.Option(
            metavar="NAMES",
            help="Holders whose shares unlock only what others have in their logs, with commas.",
        ),
    ] = "",
    published: Annotated[
        int, typer.Option(min=0, help="In how many members' logs; if not given, all.")
    ] = 0,
    reason: Reason = "a new key",
    policy: PolicyOption = "",
    role: RoleOption = None,
    node: NodeOption = None,
    form: FormatOption = "text",
) -> None:
    """Plan a key, and accept it for this member; its holders make it once all have accepted."""
    with quorum_of(node) as client:
        key = client.propose_key(
            name,
            names_in(members),
            threshold,
            reason,
            purpose,
            recover,
            names_in(witnesses),
            published,
            policy,
            roles_in(role),
        )
    show(key, whole(key), form)


@app.command("approve")
def approve(
    name: Name,
    reason: Reason = "agreed",
    node: NodeOption = None,
    form: FormatOption = "text",
) -> None:
    """Accept a share of a key: when every holder has, their nodes make it."""
    with quorum_of(node) as client:
        key = client.answer_key(name, "approve", reason)
    show(key, whole(key), form)


@app.command("decline")
def decline(
    name: Name,
    reason: Annotated[str, typer.Option(help="Why, for all holders to read.")],
    node: NodeOption = None,
    form: FormatOption = "text",
) -> None:
    """Refuse a share of a key: then it is not made."""
    with quorum_of(node) as client:
        key = client.answer_key(name, "decline", reason)
    show(key, whole(key), form)


@app.command("list")
def list_command(node: NodeOption = None, form: FormatOption = "text") -> None:
    """List the keys this node knows."""
    with quorum_of(node) as client:
        keys = client.keys()
    rows = [
        (k.name, k.rule, k.state, k.purpose, ", ".join(h.name for h in k.holders)) for k in keys
    ]
    none = ["no keys; plan one with: quorate key create NAME"]
    show(keys, aligned(rows) if rows else none, form)


@app.command("show")
def show_command(name: Name, node: NodeOption = None, form: FormatOption = "text") -> None:
    """Show one key: who holds it, who answered, for whom it waits."""
    with quorum_of(node) as client:
        key = client.key(name)
    show(key, whole(key), form)


@app.command("recipient")
def recipient(
    name: Name,
    record: Annotated[str, typer.Option(help="As which record; else each file is its own.")] = "",
    node: NodeOption = None,
    form: FormatOption = "text",
) -> None:
    """Print the line to which age seals: age -r LINE FILE."""
    with quorum_of(node) as client:
        key = client.key(name)
    if not key.recipient:
        raise Refused(f"nothing can be sealed to key {name}: {why_not(key)}")
    if key.purpose == "plain":
        say(f"note: {key.warning}", error=True)
    line = of_record(key.recipient, record) if record else key.recipient
    show({"recipient": line}, [line], form)


@app.command("identity")
def identity(name: Name, node: NodeOption = None, form: FormatOption = "text") -> None:
    """Print the line with which age asks this node to open: age -d -i FILE. It is no secret."""
    with quorum_of(node) as client:
        key = client.key(name)
    if not key.identity:
        hint = "quorate unlock FILE --record ID --reason WHY" if key.purpose == "plain" else ""
        raise Refused(f"age does not open with key {name}: {why_not(key)}", hint=hint)
    show({"identity": key.identity}, [key.identity], form)


@app.command("check")
def check(name: Name, node: NodeOption = None, form: FormatOption = "text") -> None:
    """Ask every holder to prove that its share is alive; exit 1 if one is not."""
    with quorum_of(node) as client:
        found = client.check_key(name)
    show(found, _alive(found), form)
    if dead := [one.member for one in found if not one.alive]:
        raise Error(
            f"the share of {', '.join(dead)} was not shown to be alive",
            hint="its holder starts and unlocks its node, or restores the share from its backup",
        )


@app.command("backup")
def backup(
    name: Name,
    out: Annotated[Path, typer.Option(help="The file to write.")],
    passphrase_fd: passphrase.DescriptorOption = None,
    node: NodeOption = None,
    form: FormatOption = "text",
) -> None:
    """Write this member's share to a file that only a passphrase opens."""
    home = open_home(node)
    words = passphrase.asked(passphrase_fd, str(home.folder), "passphrase of the file", twice=True)
    with quorum_of(home.folder) as client:
        text = client.backup(name, words)
    write_file(out, text)
    lines = [
        f"written to {out}: useless without its passphrase, and without this node's identity",
        f"restore it with: quorate key restore {out}",
    ]
    show({"written": str(out)}, lines, form)


@app.command("restore")
def restore(
    file: Annotated[Path, typer.Argument(help="A backup of this member's share.")],
    passphrase_fd: passphrase.DescriptorOption = None,
    node: NodeOption = None,
    form: FormatOption = "text",
) -> None:
    """Put a share back on the node of the member that holds it."""
    home = open_home(node)
    text = read_file(file)
    words = passphrase.asked(passphrase_fd, str(home.folder), "passphrase of the file")
    with quorum_of(home.folder) as client:
        key = client.restore(text, words)
    show(key, whole(key), form)


app.command("recover")(recovery.recover)
app.command("reshare")(renewal.reshare)
app.command("refresh")(renewal.refresh)
app.command("repair")(renewal.repair)
app.command("succeed")(renewal.succeed)
app.command("succession")(renewal.succession)


def _alive(found: "tuple[AliveView, ...]") -> list[str]:
    return aligned(
        [("ok" if one.alive else "fail", one.member, one.trouble or "alive") for one in found]
    )
