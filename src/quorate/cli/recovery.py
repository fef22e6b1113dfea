"""`quorate key recover`: a plain key whole, for one member, where enough holders agree."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quorate.cli.options import FormatOption, NodeOption, quorum_of
from quorate.cli.output import say, show
from quorate.cli.request_text import Reason
from quorate.cli.unlock import lines_of
from quorate.cli.waiting import wait_until_done
from quorate.cli.whole import whole_file
from quorate.errors import Error, Refused, Usage
from quorate.threshold.recovery import MEANING

if TYPE_CHECKING:
    from quorate.node.quorum.views import UnlockView, WholeKeyView


def recover(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The key's name.")],
    reason: Reason,
    out: Annotated[
        Path | None, typer.Option(help="The identity file to write; if not given, NAME.key.")
    ] = None,
    hours: Annotated[
        float, typer.Option(min=0.01, max=24 * 90, help="For how long holders may answer.")
    ] = 24,
    wait: Annotated[bool, typer.Option(help="Wait for the holders, or ask and go.")] = True,
    yes: Annotated[bool, typer.Option("--yes", help="Ask without being asked.")] = False,
    node: NodeOption = None,
    form: FormatOption = "text",
) -> None:
    """Ask the holders of a plain key for all of it, as an identity file of age: an emergency.

    Whoever stops waiting types the same again later: the request goes on.
    """
    target = out or Path(f"{name}.key")
    if wait and target.exists():
        raise Refused(f"{target} exists", hint="choose another name with --out")
    with quorum_of(node) as client:
        if not yes:
            _confirm(name)
        asked = client.ask_for_key(name, reason, hours)
        if not wait and asked.state != "recovered":
            show(asked, lines_of(asked), form)
            return
        wait_until_done(client.asking, asked.id, lambda line: say(line, error=True))
        _write(target, asked, client.whole_key(asked.id))
    done = {"file": str(target), "key": name, "request": asked.id}
    lines = [f"the whole key {name} is in {target}", f"next: age -d -i {target} FILE.age"]
    show(done, [*lines, f"warning  {MEANING}"], form)


def _confirm(name: str) -> None:
    say(f"you are about to ask for the whole key {name}: {MEANING}", error=True)
    if not sys.stdin.isatty():
        raise Usage("nobody is here to be asked", hint="decide with --yes, or at a terminal")
    if not typer.confirm("ask its holders for that?", err=True):
        raise Error("nothing was asked for", hint="quorate unlock FILE opens one file")


def _write(target: Path, asked: "UnlockView", found: "WholeKeyView") -> None:
    about = f"# key {asked.key}, recovered by request {asked.id} of {asked.requester}"
    lines = (about, f"# public key: {found.recipient}", found.identity)
    with whole_file(target, mode=0o600) as sink:
        sink.writelines(f"{line}\n".encode() for line in lines)
