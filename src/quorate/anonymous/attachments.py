"""A file that goes with a report: what is taken of its author, and what a reader is told.

Nobody here opens a file that came from others: its kind is what its author says, and
its first bytes; its name is made here. What takes data about its author out of a picture
or a PDF is in `node.anonymous.pictures` and `documents`, and runs before a node has it.
"""

from dataclasses import dataclass, field
from typing import Literal

from quorate.errors import Refused

Kind = Literal["jpeg", "png", "pdf", "other"]

MOST_BYTES = 112 << 10
"""Bytes of all files of one report: near 140 runs of cells of 1 KiB."""

MOST_FILES = 8

_BEGINS: dict[Kind, bytes] = {"jpeg": b"\xff\xd8\xff", "png": b"\x89PNG\r\n\x1a\n", "pdf": b"%PDF-"}
_ENDINGS: dict[Kind, str] = {"jpeg": ".jpg", "png": ".png", "pdf": ".pdf", "other": ".bin"}


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file as it travels: its name stays with its author."""

    kind: Kind
    data: bytes = field(repr=False)

    @property
    def shown_kind(self) -> Kind:
        """The kind its author says, where it begins as one does; no more of it is looked at."""
        return self.kind if self.kind == kind_of(self.data) else "other"

    def name(self, thread: bytes, number: int) -> str:
        """Return the name under which a reader saves it: nothing in it is the author's choice."""
        return f"{thread.hex()[:12]}-{number}{_ENDINGS[self.shown_kind]}"


def kind_of(data: bytes) -> Kind:
    """Return what a file is by its first bytes."""
    for kind, begin in _BEGINS.items():
        if data.startswith(begin):
            return kind
    return "other"


def check_sizes(attachments: tuple[Attachment, ...]) -> None:
    """Raise `Refused` for more than one report takes."""
    size = sum(len(attachment.data) for attachment in attachments)
    if len(attachments) > MOST_FILES:
        raise Refused(f"{len(attachments)} files, and {MOST_FILES} are the most of one report")
    if size > MOST_BYTES:
        raise Refused(
            f"{size} bytes of files, and {MOST_BYTES} are the most of one report",
            hint="attach fewer or smaller ones: each run takes less than a kilobyte",
        )
    if not all(attachment.data for attachment in attachments):
        raise Refused("an attached file is empty")
