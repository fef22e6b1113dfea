"""Messages that are signed, so that what a party said in a session can be shown to others.

Each message is followed by its sender's signature over a statement: the session, the step, the
seat, the length, and a digest

    SHA-256(salt | SHA-256(message))

with a salt that the receiver is sent beside it. The statement hides the message from
whoever lacks the salt, even one of a few bits, so that statements can be shown
where messages must not. It does not name the receiver: who follows a protocol says one
thing at one step, whoever hears it. Two statements of one step that differ convict.

A session's identifier is claimed for good before anything is signed in it, so no party ever
signs for it twice. What is kept is a statement for each message that was due, however long it is.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate import wire
from quorate.algebra.signatures import verify_by
from quorate.errors import Abort, Party, VerificationFailed
from quorate.transport.session import Buffer, Channel

SALT_BYTES = 16
TRAILER_BYTES = SALT_BYTES + 64
"""Bytes that follow each message: the salt, and the Ed25519 signature [RFC8032]."""

DOMAIN = "session message"


@dataclass(frozen=True, slots=True)
class Statement:
    """That the party in seat `sender` said something at one step of one session."""

    context: bytes  # what the session is for
    session: bytes
    label: str
    sender: Party
    size: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class Heard:
    """A signed statement; where its step's messages may be shown, also what opens it."""

    statement: Statement
    signature: bytes
    salt: bytes = b""
    inner: bytes = b""  # SHA-256 of the message
    body: bytes = b""  # the message


@dataclass(frozen=True, slots=True)
class Signing:
    """With what a party signs, and by what it knows the others."""

    key: Ed25519PrivateKey = field(repr=False)
    roster: tuple[bytes, ...]
    """Everybody's Ed25519 public key, by seat."""


def digest_of(salt: bytes, inner: bytes) -> bytes:
    """Return the digest in a statement about the message whose SHA-256 is `inner`."""
    return sha256(salt + inner)


def sha256(message: Buffer) -> bytes:
    return hashlib.sha256(message).digest()


def verify_heard(heard: Heard, roster: tuple[bytes, ...]) -> None:
    """Raise `VerificationFailed` unless it is signed by its sender, and opens as it says."""
    statement = heard.statement
    if not 0 <= statement.sender < len(roster):
        raise VerificationFailed("a statement of nobody in the roster")
    message = wire.signing_input(DOMAIN, statement)
    otherwise = "a statement that its sender has not signed"
    verify_by(roster[statement.sender], heard.signature, message, otherwise)
    if heard.body and sha256(heard.body) != heard.inner:
        raise VerificationFailed("a statement is shown with another message")
    if heard.inner and digest_of(heard.salt, heard.inner) != statement.digest:
        raise VerificationFailed("a statement is opened to what was not said")


class Digest(Protocol):
    """A hash under way."""

    def update(self, data: Buffer, /) -> None: ...
    def digest(self) -> bytes: ...


@dataclass(slots=True)
class SignedChannel:
    """A channel of a session whose parties sign all they say in it."""

    inner: Channel
    names: tuple[str, ...]
    me: Party
    context: bytes
    session: bytes
    signing: Signing
    randomness: Callable[[int], bytes]
    shows: Callable[[str], tuple[bool, bool]] = lambda _: (False, False)
    """Says of a label whether the message's SHA-256, and the message, may be shown to others."""

    heard: list[Heard] = field(default_factory=list)
    _leaving: dict[tuple[Party, str], tuple[Digest, int]] = field(default_factory=dict)
    _said: dict[str, tuple[bytes, bytes]] = field(default_factory=dict, repr=False)

    async def send(self, to: Party, label: str, total: int, piece: Buffer) -> None:
        told, before = self._leaving.pop((to, label), (hashlib.sha256(), 0))
        told.update(piece)
        await self.inner.send(to, label, total, piece)
        if before + len(piece) < total:
            self._leaving[to, label] = told, before + len(piece)
            return
        trailer = self._sign(label, total, told.digest())
        await self.inner.send(to, _trailer(label), TRAILER_BYTES, trailer)

    def expect(self, sender: Party, label: str, at_most: int) -> Awaitable[Buffer]:
        both = asyncio.gather(
            self.inner.expect(sender, label, at_most),
            self.inner.expect(sender, _trailer(label), TRAILER_BYTES),
        )
        both.add_done_callback(_seen)
        return self._verified(sender, label, both)

    def last_heard(self, sender: Party) -> float:
        return self.inner.last_heard(sender)

    def close(self, error: BaseException | None) -> None:
        self.inner.close(error)

    def _sign(self, label: str, total: int, inner: bytes) -> bytes:
        """Return salt and signature: the same for all who hear this step's message."""
        if label not in self._said:
            salt = self.randomness(SALT_BYTES)
            statement = self._statement(self.me, label, total, digest_of(salt, inner))
            signature = self.signing.key.sign(wire.signing_input(DOMAIN, statement))
            self._said[label] = inner, salt + signature
        said, trailer = self._said[label]
        if said != inner:
            raise ValueError(f"two things would be said at step {label}")
        return trailer

    def _statement(self, sender: Party, label: str, size: int, digest: bytes) -> Statement:
        return Statement(self.context, self.session, label, sender, size, digest)

    async def _verified(
        self, sender: Party, label: str, both: Awaitable[tuple[Buffer, Buffer]]
    ) -> Buffer:
        message, trailer = await both
        trailing = bytes(trailer)
        salt, signature = trailing[:SALT_BYTES], trailing[SALT_BYTES:]
        inner = sha256(message)
        statement = self._statement(sender, label, len(message), digest_of(salt, inner))
        shows_digest, shows_body = self.shows(label)
        heard = Heard(
            statement,
            signature,
            salt if shows_digest else b"",
            inner if shows_digest else b"",
            bytes(message) if shows_body else b"",
        )
        try:
            verify_heard(heard, self.signing.roster)
        except VerificationFailed:
            raise Abort(
                f"{self.names[sender]} did not sign what it sent", suspects=[sender]
            ) from None
        self.heard.append(heard)
        return message


def _seen(both: asyncio.Future[tuple[Buffer, Buffer]]) -> None:
    """Look at a failure: whoever awaits it will see it; nobody may."""
    if not both.cancelled():
        both.exception()


def _trailer(label: str) -> str:
    return f"{label} signature"
