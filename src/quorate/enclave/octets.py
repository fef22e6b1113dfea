"""Fixed layouts of bytes, read from the front: no read goes past the end."""

from dataclasses import dataclass
from typing import Literal

from quorate.errors import MalformedMessage


@dataclass(slots=True)
class Reader:
    """A place in bytes that nobody vouches for."""

    data: bytes
    at: int = 0

    def take(self, length: int) -> bytes:
        """Return the next `length` bytes. Raises `MalformedMessage` where they are not there."""
        piece = self.data[self.at : self.at + length]
        if len(piece) != length:
            raise MalformedMessage(f"{length} bytes are due at {self.at}, {len(piece)} are there")
        self.at += length
        return piece

    def number(self, length: int, order: Literal["little", "big"] = "little") -> int:
        return int.from_bytes(self.take(length), order)

    def sized(self, width: int, order: Literal["little", "big"] = "little") -> bytes:
        """Return the bytes whose length stands before them in `width` bytes."""
        return self.take(self.number(width, order))

    def rest(self) -> bytes:
        return self.take(len(self.data) - self.at)

    def end(self) -> None:
        """Raise `MalformedMessage` if anything is left."""
        if self.at != len(self.data):
            raise MalformedMessage(f"{len(self.data) - self.at} bytes after the end")
