"""The header of an age file: stanzas that each wrap the file key, under one MAC [AgeFormat24].

Every byte is a stranger's: what is not the one encoding of a header is refused,
and lengths are bounded before anything is kept.
"""

import base64
import binascii
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from quorate.errors import MalformedMessage, VerificationFailed

FILE_KEY_LENGTH = 16
MAX_LINE = 1 << 13
MAX_BODY = 1 << 14
MAX_STANZAS = 1024
VERSION = b"age-encryption.org/v1\n"

Readline = Callable[[int], bytes]
"""What a stream's `readline` does: a line with its LF, of at most so many bytes."""

_COLUMNS = 64
_ARGUMENTS = re.compile(rb"-> ([!-~]+(?: [!-~]+)*)\n")
_END = re.compile(rb"--- ([A-Za-z0-9+/]{43})\n")


@dataclass(frozen=True, slots=True)
class Stanza:
    """One wrapping of the file key; the first of `arguments` says of which kind."""

    arguments: tuple[str, ...]
    body: bytes

    @property
    def kind(self) -> str:
        return self.arguments[0]

    def encode(self) -> bytes:
        text = to_base64(self.body)
        lines = [text[i : i + _COLUMNS] for i in range(0, len(text) + 1, _COLUMNS)]
        return "\n".join(("-> " + " ".join(self.arguments), *lines, "")).encode()


@dataclass(frozen=True, slots=True)
class Header:
    stanzas: tuple[Stanza, ...]
    mac: bytes

    def encode(self) -> bytes:
        return _authenticated(self.stanzas) + f" {to_base64(self.mac)}\n".encode()

    def verify(self, file_key: bytes) -> None:
        """Raise `VerificationFailed` unless who made this header had `file_key`."""
        if not hmac.compare_digest(self.mac, _mac(self.stanzas, file_key)):
            raise VerificationFailed("the header of the sealed file was altered")


def make_header(stanzas: tuple[Stanza, ...], file_key: bytes) -> Header:
    return Header(stanzas, _mac(stanzas, file_key))


def read_header(readline: Readline) -> Header:
    """Read a header, and nothing of the payload after it. Raises `MalformedMessage`."""
    if readline(len(VERSION)) != VERSION:
        raise MalformedMessage(
            "not an age file, or one in armor",
            hint="seal it without armor (age -a, --armor)",
        )
    stanzas: list[Stanza] = []
    while not (end := _END.fullmatch(line := readline(MAX_LINE))):
        if len(stanzas) == MAX_STANZAS:
            raise MalformedMessage(f"a header of more than {MAX_STANZAS} stanzas")
        stanzas.append(read_stanza(line, readline))
    if not stanzas:
        raise MalformedMessage("a header without stanzas")
    return Header(tuple(stanzas), from_base64(end[1].decode()))


def parse_header(data: bytes) -> Header:
    """Return the header that `data` is, with nothing after it. Raises `MalformedMessage`."""
    place = 0

    def readline(size: int) -> bytes:
        nonlocal place
        end = data.find(b"\n", place, place + size) + 1 or min(place + size, len(data))
        line, place = data[place:end], end
        return line

    header = read_header(readline)
    if place != len(data):
        raise MalformedMessage("bytes after a header")
    return header


def read_stanza(first: bytes, readline: Readline) -> Stanza:
    """Read the stanza that begins with the line `first`. Raises `MalformedMessage`."""
    found = _ARGUMENTS.fullmatch(first)
    if not found:
        raise MalformedMessage("a stanza does not begin as it must")
    text = bytearray()
    while True:
        line = readline(_COLUMNS + 1)
        if not line.endswith(b"\n") or len(text) > 2 * MAX_BODY:
            raise MalformedMessage("a stanza's body is cut, or too long, or in too long lines")
        text += line[:-1]
        if len(line) <= _COLUMNS:
            break
    return Stanza(tuple(found[1].decode().split(" ")), from_base64(text.decode("latin-1")))


def to_base64(data: bytes) -> str:
    """Return base64 without padding, as age writes it."""
    return base64.b64encode(data).rstrip(b"=").decode()


def from_base64(text: str) -> bytes:
    """Return what the one base64 encoding `text` stands for. Raises `MalformedMessage`."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise MalformedMessage("text that is not base64") from None
    if to_base64(data) != text:
        raise MalformedMessage("text that is not canonical base64")
    return data


def _authenticated(stanzas: tuple[Stanza, ...]) -> bytes:
    return VERSION + b"".join(stanza.encode() for stanza in stanzas) + b"---"


def _mac(stanzas: tuple[Stanza, ...], file_key: bytes) -> bytes:
    key = HKDF(SHA256(), 32, salt=None, info=b"header").derive(file_key)
    return hmac.digest(key, _authenticated(stanzas), "sha256")
