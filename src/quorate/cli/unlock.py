"""`quorate unlock`: sealed files that enough holders of a key agree to open."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer
from typer.core import TyperGroup

from quorate.cli.answering import Kind, RequestId, Yes, add_common
from quorate.cli.options import FormatOption, NodeOption, quorum_of
from quorate.cli.output import aligned, say, show
from quorate.cli.request_text import Reason, confirm, heading, untold, waits, words
from quorate.cli.waiting import wait_for_key
from quorate.cli.whole import whole_file
from quorate.errors import Unavailable, Usage
from quorate.threshold.age import payload
from quorate.threshold.age.header import read_header

if TYPE_CHECKING:
    from quorate.node.quorum.views import UnlockView


class _FileFirst(TyperGroup):
    """`quorate unlock FILE` is short for `quorate unlock file FILE`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] != "--help":
            args = ["file", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_FileFirst, help="Sealed files that enough holders of a key open, for who asks and why."
)


@app.command("file")
def file_command(
    file: Annotated[Path, typer.Argument(help="An age file that is sealed to a group's key.")],
    reason: Reason,
    out: Annotated[
        Path | None, typer.Option(help="If not given, the file's name without .age.")
    ] = None,
    record: Annotated[
        str, typer.Option(help="Of a file that is sealed to a plain key: which record it is.")
    ] = "",
    key: Annotated[str, typer.Option(help="Which key, if it is sealed to several.")] = "",
    opener: Annotated[str, typer.Option(help="Of such a file: the holder that opens it.")] = "",
    hours: Annotated[
        float, typer.Option(min=0.01, max=24 * 90, help="For how long holders may answer.")
    ] = 24,
    wait: Annotated[bool, typer.Option(help="Wait for the holders, or ask and go.")] = True,
    node: NodeOption = None,
    form: FormatOption = "text",
) -> None:
    """Ask the holders to open a file, wait for them, and write what is in it.

    Whoever stops waiting types the same again later: the request goes on.
    """
    from quorate.node.quorum.seeking import ask_to_open

    target = out or _without_age(file)
    try:
        with file.open("rb") as source, quorum_of(node) as client:
            header = read_header(source.readline)
            asked = ask_to_open(
                client, header, reason, record=record, hours=hours, key=key, opener=opener
            )
            if asked.risk:
                say(f"note: {asked.risk}", error=True)
            if not wait and asked.state != "unlocked":
                show(asked, lines_of(asked), form)
                return
            file_key = wait_for_key(client.asking, asked.id, lambda line: say(line, error=True))
            header.verify(file_key)
            _write(source, target, file_key)
    except OSError as e:
        raise Unavailable(f"{file} cannot be read: {e.strerror}", hint="check the path") from None
    done = {"file": str(target), "record": asked.record, "request": asked.id}
    show(done, [f"{asked.record} is in {target}"], form)


@app.command("approve")
def approve(
    id_: RequestId,
    reason: Reason,
    yes: Yes = False,
    whole_key: Annotated[
        bool, typer.Option("--whole-key", help="With --yes: even if it is for a whole key.")
    ] = False,
    node: NodeOption = None,
    form: FormatOption = "text",
) -> None:
    """Let this member's share help to open a record: shows for whom and why, and asks."""
    with quorum_of(node) as client:
        if not yes:
            request = client.unlock_request(id_)
            confirm("unlock", request, lines_of(request))
            whole_key = request.mode == "whole key"
        request = client.answer_unlock(id_, "approve", reason, whole_key=whole_key)
    show(request, KIND.decided(request), form)


def lines_of(request: "UnlockView") -> list[str]:
    """Return a request to unlock as lines of text."""
    rows = [*heading("unlock", request), ("record", request.record)]
    if request.opener:
        rows.append(("opener", request.opener))
    if request.witnesses:
        rows.append(("witness", request.witnesses))
    if request.culprits:
        rows.append(("cheated", f"{', '.join(request.culprits)}: proven"))
    word = "warning" if request.mode == "whole key" else "risk"
    risk = [f"{word:<8} {request.risk}"] if request.risk else []
    return [*aligned(rows), *risk, *words(request), *_next(request)]


def _next(request: "UnlockView") -> list[str]:
    lines = untold(request)
    if request.state == "open":
        lines.append(waits("unlock", request))
    return lines


def _without_age(file: Path) -> Path:
    if file.suffix != ".age":
        raise Usage(f"{file} does not end in .age", hint="name the file to write with --out")
    return file.with_suffix("")


def _write(source: BinaryIO, target: Path, file_key: bytes) -> None:
    with whole_file(target) as sink:
        sink.writelines(payload.unseal(file_key, source.read))


KIND: "Kind[UnlockView]" = Kind(
    "unlock",
    "requests",
    "quorate unlock FILE --reason WHY",
    lambda client: client.unlocks(),
    lambda client, id_: client.unlock_request(id_),
    lambda client, id_, reason: client.answer_unlock(id_, "decline", reason),
    lambda request: request.record,
    lines_of,
    _next,
)
add_common(app, KIND)
