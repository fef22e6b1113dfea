"""`quorate order`: what a quorum of a key's holders approves and signs, one by one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quorate.cli.answering import Kind, RequestId, Yes, add_common
from quorate.cli.options import FormatOption, NodeOption, quorum_of, read_file, write_file
from quorate.cli.output import aligned, grouped, show
from quorate.cli.request_text import Reason, confirm, heading, untold, waits
from quorate.errors import Unavailable
from quorate.quorum.key_plan import GROUPS_OWN
from quorate.quorum.order import Order, order_from_json, public_pem

if TYPE_CHECKING:
    from quorate.node.quorum.views import OrderView

app = typer.Typer(help="Orders that enough holders of a key approve, and then sign as one.")


@app.command("propose")
def propose(
    file: Annotated[
        Path, typer.Argument(help="The order, a JSON file: FHIR is shown in plain words.")
    ],
    reason: Reason,
    key: Annotated[
        str, typer.Option("--key", "--group", help="The key whose holders are to sign.")
    ] = GROUPS_OWN,
    hours: Annotated[
        float, typer.Option(min=0.01, max=24 * 90, help="For how long it may wait.")
    ] = 24,
    node: NodeOption = None,
    form: FormatOption = "text",
) -> None:
    """Propose an order, and approve it if this member holds a share of the key."""
    with quorum_of(node) as client:
        order = client.propose_order(read_file(file), key, reason, hours)
    show(order, lines_of(order), form)


@app.command("approve")
def approve(
    id_: RequestId,
    reason: Reason,
    yes: Yes = False,
    node: NodeOption = None,
    form: FormatOption = "text",
) -> None:
    """Approve an order under this member's own name: shows what it says, and asks."""
    with quorum_of(node) as client:
        if not yes:
            order = client.order(id_)
            confirm("order", order, lines_of(order))
        order = client.answer_order(id_, "approve", reason)
    show(order, KIND.decided(order), form)


@app.command("sign")
def sign(id_: RequestId, node: NodeOption = None, form: FormatOption = "text") -> None:
    """Try again now to gather the signature of an approved order; nodes do so by themselves."""
    with quorum_of(node) as client:
        order = client.sign_order(id_)
    show(order, KIND.decided(order), form)


@app.command("export")
def export(
    id_: RequestId,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Where to write its files.")],
    node: NodeOption = None,
    form: FormatOption = "text",
) -> None:
    """Write a signed order, and what any other program needs to verify it."""
    with quorum_of(node) as client:
        text = client.order_file(id_)
    files = write_order(text, out)
    lines = [
        *(f"written to {file}" for file in files),
        f"next: quorate verify {files[0]}",
        f"or:   {' '.join(openssl_command(out))}",
    ]
    show({"written": [str(file) for file in files]}, lines, form)


def write_order(text: str, folder: Path) -> tuple[Path, ...]:
    """Write a signed order as files: itself, what is signed, the signature, the key."""
    order = order_from_json(text)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        name = folder / f"order-{order.request.short_id}.json"
        write_file(name, text)
        write_file(folder / "key.pem", public_pem(order.key))
        for file, content in _binary(order).items():
            (folder / file).write_bytes(content)
    except OSError as e:
        raise Unavailable(f"{folder} cannot be written: {e.strerror}") from None
    return name, folder / "key.pem", *(folder / file for file in _binary(order))


def openssl_command(folder: Path) -> list[str]:
    """Return how stock openssl verifies what `write_order` wrote."""
    return [
        *("openssl", "pkeyutl", "-verify", "-rawin", "-pubin"),
        *("-inkey", str(folder / "key.pem"), "-in", str(folder / "message")),
        *("-sigfile", str(folder / "signature")),
    ]


def lines_of(order: "OrderView") -> list[str]:
    """Return an order as lines of text."""
    return [
        *aligned(heading("order", order)),
        *(f"  {line}" for line in order.words),
        f"document {grouped(order.subject)}",
        *KIND.decided(order)[1:],
    ]


def _next(order: "OrderView") -> list[str]:
    lines = untold(order)
    if order.state == "open":
        lines.append(waits("order", order))
    elif order.state == "approved":
        lines.append(f"approved; it is signed as soon as {order.rule} are there and able")
    elif order.state == "signed":
        lines.append(f"signed   {grouped(order.signature[:32])} ...")
        lines.append(f"next: quorate order export {order.id} --out FOLDER")
    return lines


def _binary(order: Order) -> dict[str, bytes]:
    return {"message": order.request.message(), "signature": order.signature}


KIND: "Kind[OrderView]" = Kind(
    "order",
    "orders",
    "quorate order propose FILE --reason WHY",
    lambda client: client.orders(),
    lambda client, id_: client.order(id_),
    lambda client, id_, reason: client.answer_order(id_, "decline", reason),
    lambda order: order.words[0],
    lines_of,
    _next,
)
add_common(app, KIND)
