"""Pairwise keys for one session that no third party knows, and the session's own name.

Every party sends a fresh nonce, a fresh X25519 public key [RFC7748] and a
commitment to whatever its protocol will open later. The session identifier is
a hash over the context and all of these, so it is fresh as long as one party
is honest; the key of a pair is HKDF-SHA256 [RFC5869] of their agreement with
the identifier as salt. Private keys live for one call and are never stored:
who seizes a node later cannot remove the masks of past sessions.

Adversary: active, any number of parties; the channel authenticates senders.
What is guaranteed: honest parties that return hold the same identifier and
commitments, and the key of two honest parties is unknown to all others.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from quorate import wire
from quorate.errors import Abort, Party
from quorate.transport.session import Session

Randomness = Callable[[int], bytes]
"""Returns so many bytes from the operating system."""

Claim = Callable[[bytes], None]
"""Records a session identifier for good. Raises `SessionReused` if it was recorded before."""


@dataclass(frozen=True, slots=True)
class Hello:
    """What each party says first. All fields are 32 bytes."""

    nonce: bytes
    public_key: bytes
    commitment: bytes


@dataclass(frozen=True, slots=True)
class Agreement:
    """What the parties of one session have in common, and in pairs."""

    session_id: bytes
    commitments: tuple[bytes, ...]
    keys: tuple[bytes, ...] = field(repr=False)
    """`keys[p]` is shared with party p; one's own entry is empty."""


async def agree(
    session: Session, context: bytes, commitment: bytes, claim: Claim, randomness: Randomness
) -> Agreement:
    """Agree on an identifier and on a key with each party.

    `context` (what this session is for) enters the identifier. Raises `Abort`,
    and whatever `claim` raises.

    Cost: 2 rounds, 163 * (n - 1) bytes a party
    """
    private = X25519PrivateKey.from_private_bytes(randomness(32))
    hello = Hello(randomness(32), private.public_key().public_bytes_raw(), commitment)
    hellos = await session.broadcast(hello)
    _check(session, hellos)
    session_id = wire.digest("session", (context, session.names, hellos))
    claim(session_id)
    keys = tuple(
        b"" if p == session.me else _pair_key(session, private, p, hellos[p], session_id)
        for p in range(session.n)
    )
    return Agreement(session_id, tuple(h.commitment for h in hellos), keys)


def _check(session: Session, hellos: tuple[Hello, ...]) -> None:
    for party in session.others:
        hello = hellos[party]
        if any(len(part) != 32 for part in (hello.nonce, hello.public_key, hello.commitment)):
            raise Abort(f"{session.names[party]} sent a malformed greeting", suspects=[party])
        if hello.nonce == hellos[session.me].nonce:
            raise Abort(f"{session.names[party]} repeated this node's nonce", suspects=[party])


def _pair_key(
    session: Session, private: X25519PrivateKey, party: Party, hello: Hello, session_id: bytes
) -> bytes:
    try:
        shared = private.exchange(X25519PublicKey.from_public_bytes(hello.public_key))
    except ValueError:  # a point of low order: the agreement would be all zeros
        raise Abort(f"{session.names[party]} sent an unusable key", suspects=[party]) from None
    pair = f"quorate/v1/pair/{min(session.me, party)}/{max(session.me, party)}"
    return HKDF(SHA256(), 32, salt=session_id, info=pair.encode()).derive(shared)
