"""`quorate seal`: a file that only a quorum of a key's holders opens. It needs no node."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from quorate.cli.options import FormatOption
from quorate.cli.output import show
from quorate.errors import Refused, Unavailable
from quorate.threshold.age import keys, payload
from quorate.threshold.age.header import FILE_KEY_LENGTH, make_header


@dataclass(frozen=True, slots=True)
class Sealed:
    """A file that was sealed."""

    file: str
    record: str


def seal(
    file: Annotated[Path, typer.Argument(help="The file to seal; it stays as it is.")],
    to: Annotated[str, typer.Option(metavar="age1quorate1...", help="The key's recipient.")],
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
    form: FormatOption = "text",
) -> None:
    """Seal a file to a key, as `age -r age1quorate1...` does."""
    recipient = keys.parse_recipient(to)
    file_key = os.urandom(FILE_KEY_LENGTH)
    stanza = keys.seal(recipient.public_key, record or recipient.record, file_key, os.urandom)
    target = out or file.with_name(f"{file.name}.age")
    _write(file, target, make_header((stanza,), file_key).encode(), file_key)
    sealed = Sealed(str(target), keys.sealed_in(stanza).label.record)
    show(sealed, [f"{sealed.file} is sealed as record {sealed.record}"], form)


def _write(file: Path, target: Path, header: bytes, file_key: bytes) -> None:
    try:
        with file.open("rb") as source, target.open("xb") as sink:
            sink.write(header)
            for chunk in payload.seal(file_key, os.urandom(payload.NONCE), source.read):
                sink.write(chunk)
    except FileExistsError:
        raise Refused(f"{target} exists", hint="choose another name with --out") from None
    except OSError as e:
        raise Unavailable(
            f"{file} was not sealed: {e.strerror}",
            hint=f"check the paths; what is in {target} is not whole",
        ) from None
