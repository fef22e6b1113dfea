"""`quorate console`: the pages for this member's own staff, and who may use them."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from quorate.cli.options import FormatOption, NodeOption, connect, open_home
from quorate.cli.output import aligned, show
from quorate.errors import Unavailable

if TYPE_CHECKING:
    from quorate.console.settings import Settings
    from quorate.node.staff.client import StaffClient
    from quorate.node.staff.views import PersonView

app = typer.Typer(help="Pages in a browser for this member's own staff.")

Person = Annotated[str, typer.Argument(metavar="NAME", help="Letters, digits, dots and dashes.")]
Role = Literal["data officer", "clinician", "auditor", "administrator"]


@app.command("open")
def open_(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Of this machine alone.")] = 8700,
    listen: Annotated[
        str, typer.Option(help="Where to listen, if others are to reach it: host:port.")
    ] = "",
    origin: Annotated[
        str, typer.Option(help="What browsers call it: https://host, and the port if it has one.")
    ] = "",
    certificate: Annotated[str, typer.Option(help="For https: a file of certificates.")] = "",
    key: Annotated[str, typer.Option(help="The file of its key.")] = "",
    behind_proxy: Annotated[
        bool, typer.Option("--behind-proxy", help="An https proxy says who asks.")
    ] = False,
    issuer: Annotated[str, typer.Option(help="The address of a single sign-on.")] = "",
    client_id: Annotated[str, typer.Option(help="What it calls this console.")] = "",
    secret_file: Annotated[str, typer.Option(help="A file with the secret it gave.")] = "",
    node: NodeOption = None,
    form: FormatOption = "text",
) -> None:
    """Give this node a console from its next start on."""
    installed()
    from quorate.console import settings

    home, here = open_home(node), settings.local(port)
    chosen = settings.Settings(
        listen=listen or here.listen,
        origin=origin or here.origin,
        certificate=certificate,
        key=key,
        behind_proxy=behind_proxy,
        issuer=issuer,
        client_id=client_id,
        secret_file=secret_file,
    )
    settings.write(home.folder, chosen)
    lines = [
        f"{home.name} has a console at {chosen.origin} when it is started next",
        "next: quorate console invite NAME --role administrator",
    ]
    show({"origin": chosen.origin, "listen": chosen.listen}, lines, form)


@app.command("close")
def close(node: NodeOption = None, form: FormatOption = "text") -> None:
    """Leave the node without a console from its next start on; its staff stays known."""
    from quorate.node import CONSOLE

    home = open_home(node)
    (home.folder / CONSOLE).unlink(missing_ok=True)
    show({"console": "closed"}, [f"{home.name} has no console from its next start on"], form)


@app.command("invite")
def invite(
    name: Person,
    role: Annotated[Role, typer.Option(help="What the person may do.")],
    node: NodeOption = None,
    form: FormatOption = "text",
) -> None:
    """Print a link with which one person makes a passkey; it works once, within a day."""
    chosen = _settings(node)
    with _staff_of(node) as staff:
        invited = staff.invite(name, role)
    link = link_of(chosen, invited.token)
    lines = [link, f"for {invited.name}, {invited.role}, and nobody else; until {invited.until}"]
    show({"name": invited.name, "role": invited.role, "link": link}, lines, form)


@app.command("people")
def people(node: NodeOption = None, form: FormatOption = "text") -> None:
    """List who may use the console, and as what."""
    with _staff_of(node) as staff:
        found = staff.people()
    none = ["nobody yet; invite somebody with: quorate console invite NAME --role ROLE"]
    show(found, _lines(found) or none, form)


@app.command("remove")
def remove(name: Person, node: NodeOption = None, form: FormatOption = "text") -> None:
    """Let a person in no more, from this moment on."""
    with _staff_of(node) as staff:
        left = staff.remove(name)
    show(left, [f"{name} may not use the console any more", *_lines(left)], form)


def link_of(settings: "Settings", token: str) -> str:
    """Return the address of an invitation; the part after # is sent to nobody by a browser."""
    return f"{settings.origin}/invitation#{token}"


def _lines(people: "tuple[PersonView, ...]") -> list[str]:
    rows = [(one.name, one.role, f"since {one.since}") for one in people]
    return aligned(rows) if rows else []


def _settings(node: Path | None) -> "Settings":
    installed()
    from quorate.console import settings

    return settings.read(open_home(node).folder)


def installed() -> None:
    """Raise `Unavailable` where the console's own packages are missing."""
    from importlib.util import find_spec

    if any(find_spec(name) is None for name in ("jinja2", "webauthn", "authlib", "fpdf")):
        raise Unavailable(
            "the console takes packages of its own", hint="pip install 'quorate[console]'"
        )


@contextmanager
def _staff_of(node: Path | None) -> Generator["StaffClient"]:
    from quorate.node.staff.client import StaffClient

    with connect(node) as client:
        yield StaffClient(client)
