"""Five holders of a key in one process, who approve what they are asked and answer as nodes do."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from quorate import wire
from quorate.threshold import generate_key, plain, unlocking
from quorate.threshold.age.header import parse_header
from quorate.threshold.answers import Identity, SealedAnswer, Sought, answer, make_reply_key
from quorate.threshold.keys import KeyShare, Purpose
from quorate.threshold.unlocking import Unlocked, Unlocking

NAMES = ("ward", "pharmacy", "surgery", "archive", "night")
REQUESTER = "registrar"


def deal(purpose: Purpose, min_signers: int = 3, max_signers: int = 5) -> tuple[KeyShare, ...]:
    """Return the shares of a fresh key, from a generation of its own."""
    return generate_key(max_signers, min_signers, os.urandom, purpose)[0]


@dataclass
class KeptRegister:
    """A register as a node would keep it, in memory."""

    records: dict[bytes, str] = field(default_factory=dict)

    def claim(self, share: bytes, record: str) -> str:
        return self.records.setdefault(share, record)


class Holders:
    """A key's holders, and a member that asks them."""

    def __init__(self, purpose: Purpose) -> None:
        self.shares = deal(purpose)
        self.public = self.shares[0].public
        self.keys = [Ed25519PrivateKey.generate() for _ in NAMES]
        pairs = zip(NAMES, self.keys, strict=True)
        self.identities = tuple(Identity(n, k.public_key().public_bytes_raw()) for n, k in pairs)
        self.registers = [KeptRegister() for _ in NAMES]
        self.requester_key = Ed25519PrivateKey.generate()
        self.requester = Identity(REQUESTER, self.requester_key.public_key().public_bytes_raw())

    def ask(self, content: bytes, record: str, *, reason: str = "acute care") -> "Asking":
        """Return a request of the registrar to open `content`; a plain file goes to the ward."""
        mode: Literal["sealed", "plain"] = "plain" if self.public.purpose == "plain" else "sealed"
        sought = Sought(mode, content, record)
        secret, reply = make_reply_key(self.requester_key, REQUESTER, sought, os.urandom)
        if mode == "sealed":
            return Asking(self, Unlocking(sought, reply, None), reason, secret, secret)
        opening, opener = make_reply_key(self.keys[0], NAMES[0], sought, os.urandom)
        return Asking(self, Unlocking(sought, reply, opener), reason, secret, opening)


@dataclass(frozen=True)
class Asking:
    """One request: its digest is over the document, the reason and a nonce, as a node's is."""

    holders: Holders
    document: Unlocking
    reason: str
    secret: X25519PrivateKey
    opening: X25519PrivateKey
    nonce: bytes = field(default_factory=lambda: os.urandom(16))

    @property
    def request(self) -> bytes:
        subject = hashlib.sha256(wire.encode(self.document)).digest()
        return wire.digest("request", (subject, self.reason, self.nonce))

    def again(self) -> "Asking":
        return replace(self, nonce=os.urandom(16))

    def answers(self, *identifiers: int) -> list[SealedAnswer]:
        """Return the answers of these holders, each of whom looked at everything first."""
        return [self.answer(i) for i in identifiers]

    def answer(self, identifier: int) -> SealedAnswer:
        them = self.holders
        bases = unlocking.check_document(
            them.public, self.document, them.requester, them.identities
        )
        if self.document.opener:
            header = parse_header(self.document.sought.content)
            plain.check_register(
                them.registers[identifier - 1], header, self.document.sought.record
            )
        share, key = them.shares[identifier - 1], them.keys[identifier - 1]
        asked = self.document.asked(self.request)
        return answer(share, key, asked, bases, self.document.answers_to, os.urandom)

    def unlock(self, answers: Sequence[SealedAnswer]) -> Unlocked:
        them = self.holders
        opened = unlocking.unlock(
            them.public, self.document, self.request, self.opening, answers, them.identities
        )
        if self.document.opener is None:
            return opened
        asked = self.document.asked(self.request)
        passed = unlocking.pass_on(opened.file_key, self.document, asked)
        return replace(opened, file_key=unlocking.take_over(self.secret, asked, passed))
