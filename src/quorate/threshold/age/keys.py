"""How a group's key is written for age: a recipient, an identity, and the stanza between them.

The recipient holds the public key, so stock `age -r` seals with our plugin and no
node. The identity holds no secret: it says which node to ask, about which key.
"""

from dataclasses import dataclass

from quorate import wire
from quorate.algebra.edwards25519 import Point, Randomness, decode_point
from quorate.errors import MalformedMessage
from quorate.threshold import tdh2
from quorate.threshold.age import bech32
from quorate.threshold.age.header import Stanza

PLUGIN = "quorate"
KIND = "quorate/1"
VERSION = 1
_RECIPIENT, _IDENTITY = f"age1{PLUGIN}", f"age-plugin-{PLUGIN}-"


@dataclass(frozen=True, slots=True)
class Recipient:
    """A public key to seal to, and as which record; an empty one is drawn for each file."""

    version: int
    public_key: bytes
    record: str

    def text(self) -> str:
        return bech32.encode(_RECIPIENT, wire.encode(self))


@dataclass(frozen=True, slots=True)
class Identity:
    """Where a quorum is asked: the folder of a member's own node, and the public key."""

    version: int
    public_key: bytes
    node: str

    def text(self) -> str:
        return bech32.encode(_IDENTITY, wire.encode(self)).upper()


def parse_recipient(text: str) -> Recipient:
    """Return what `age1quorate1...` says. Raises `MalformedMessage`."""
    recipient = wire.decode(_data(text, _RECIPIENT), Recipient)
    _check(recipient.version, recipient.public_key)
    if recipient.record:
        tdh2.check_record(recipient.record)
    return recipient


def parse_identity(text: str) -> Identity:
    """Return what `AGE-PLUGIN-QUORATE-1...` says. Raises `MalformedMessage`."""
    identity = wire.decode(_data(text, _IDENTITY), Identity)
    _check(identity.version, identity.public_key)
    return identity


def seal(public_key: bytes, record: str, file_key: bytes, randomness: Randomness) -> Stanza:
    """Return the stanza that wraps a file key to a group's key."""
    record = record or f"file-{randomness(16).hex()}"
    sealed = tdh2.encrypt(decode_point(public_key), record, file_key, randomness)
    return Stanza((KIND,), wire.encode(sealed))


def sealed_in(stanza: Stanza) -> tdh2.Ciphertext:
    """Return what a stanza of our kind holds, still unverified. Raises `MalformedMessage`."""
    if stanza.arguments != (KIND,):
        raise MalformedMessage("a stanza of a group's key has no arguments")
    return wire.decode(stanza.body, tdh2.Ciphertext)


def is_for(public_key: bytes, sealed: tdh2.Ciphertext) -> bool:
    return sealed.label.key == tdh2.seal_id(Point(public_key))


def _data(text: str, due: str) -> bytes:
    prefix, data = bech32.decode(text)
    if prefix != due:
        raise MalformedMessage(f"a key that does not begin with {due}1")
    return data


def _check(version: int, public_key: bytes) -> None:
    if version != VERSION:
        raise MalformedMessage(
            f"a key of form {version}", hint="use the version of quorate that wrote it"
        )
    decode_point(public_key)
