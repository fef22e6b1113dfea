"""`quorate seal`: a file that only a quorum of a key's holders opens. `--to` needs no node."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from quorate.cli.options import FormatOption, NodeOption, quorum_of
from quorate.cli.output import show
from quorate.cli.whole import whole_file
from quorate.errors import Refused, Unavailable, Usage
from quorate.threshold.age import keys, payload
from quorate.threshold.age.header import FILE_KEY_LENGTH, make_header


@dataclass(frozen=True, slots=True)
class Sealed:
    """A file that was sealed."""

    file: str
    record: str


def seal(
    file: Annotated[Path, typer.Argument(help="The file to seal; it stays as it is.")],
    key: Annotated[str, typer.Option(help="A key that this node knows, by its name.")] = "",
    to: Annotated[
        str, typer.Option(metavar="age1quorate1...", help="Without a node: the key's recipient.")
    ] = "",
    record: Annotated[
        str,
        typer.Option(
            help="The record's identifier, which stays in the clear. If the recipient does not say "
            "one either, the file gets one of its own.",
            show_default=False,
        ),
    ] = "",
    out: Annotated[
        Path | None, typer.Option(help="If not given, the file's name and .age.")
    ] = None,
    node: NodeOption = None,
    form: FormatOption = "text",
) -> None:
    """Seal a file to a key, as `age -r age1quorate1...` does."""
    recipient = keys.parse_recipient(_recipient(to, key, node))
    file_key = os.urandom(FILE_KEY_LENGTH)
    stanza = keys.seal(recipient.public_key, record or recipient.record, file_key, os.urandom)
    target = out or file.with_name(f"{file.name}.age")
    _write(file, target, make_header((stanza,), file_key).encode(), file_key)
    sealed = Sealed(str(target), keys.sealed_in(stanza).label.record)
    show(sealed, [f"{sealed.file} is sealed as record {sealed.record}"], form)


def _recipient(to: str, key: str, node: Path | None) -> str:
    """Return the recipient that was named, or that of a key this node knows."""
    if to or not key:
        if not to or key:
            raise Usage("a file is sealed to one key", hint="name it with --key, or with --to")
        return to
    with quorum_of(node) as client:
        found = client.key(key)
    if found.purpose == "plain":
        raise Refused(
            f"key {key} is plain: any age program seals to it",
            hint=f"age -r {found.recipient} -o FILE.age FILE",
        )
    if not found.recipient:
        raise Refused(
            f"key {key} is {found.state}, to {found.purpose}: nothing can be sealed to it",
            hint="make one with: quorate key create NAME --purpose unlock",
        )
    return found.recipient


def _write(file: Path, target: Path, header: bytes, file_key: bytes) -> None:
    try:
        with file.open("rb") as source, whole_file(target) as sink:
            sink.write(header)
            sink.writelines(payload.seal(file_key, os.urandom(payload.NONCE), source.read))
    except OSError as e:
        raise Unavailable(f"{file} cannot be read: {e.strerror}", hint="check the path") from None
