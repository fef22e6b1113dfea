"""A channel between two enclaves, each of which admitted the other: two messages, two tags.

Signed Diffie-Hellman: both ephemeral keys [RFC7748], both bindings, both
evidences and both roles are in one transcript; each side signs it with the key
that its quote vouches for [RFC8032], under a label of its own role, so nothing
of one's own can be sent back. Both must be bound to the same policy and plan.
Keys are HKDF of the shared secret and the transcript [RFC5869]; tags confirm
them. What TLS lies below does not matter: a relay sees ciphertext.

Adversary: the network and both hosts. Unreviewed.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from quorate import wire
from quorate.algebra.signatures import verify_by
from quorate.enclave.binding import Admitted, Binding
from quorate.errors import Refused, VerificationFailed

End = Literal["caller", "called"]


@dataclass(frozen=True, slots=True)
class Hello:
    """The first message of each side. The evidence travels beside it."""

    end: End
    ephemeral: bytes
    binding: Binding
    evidence: bytes  # digest


@dataclass(frozen=True, slots=True)
class Kept:
    """What one side keeps until the other's hello is here."""

    hello: Hello
    secret: X25519PrivateKey = field(repr=False)


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of a channel, and the digest of what both signed."""

    send: bytes = field(repr=False)
    receive: bytes = field(repr=False)
    tag: bytes  # to be sent
    due: bytes  # to be received
    transcript: bytes

    def confirm(self, tag: bytes) -> None:
        """Raise `VerificationFailed` unless the other side has the same keys."""
        if not hmac.compare_digest(tag, self.due):
            raise VerificationFailed("the other enclave has other keys")


def hello(
    end: End, binding: Binding, evidence: bytes, randomness: Callable[[int], bytes]
) -> tuple[Kept, Hello]:
    """Return what is kept and what is sent, with a fresh key. `evidence`: one's own, by digest."""
    secret = X25519PrivateKey.from_private_bytes(randomness(32))
    sent = Hello(end, secret.public_key().public_bytes_raw(), binding, evidence)
    return Kept(sent, secret), sent


def sign(kept: Kept, theirs: Hello, key: Ed25519PrivateKey) -> bytes:
    """Return one's signature on the transcript, as this end of it."""
    _check_ends(kept.hello, theirs)
    return key.sign(_signed(kept.hello.end, _transcript(kept.hello, theirs)))


def finish(kept: Kept, theirs: Hello, evidence: bytes, peer: Admitted, signature: bytes) -> Keys:
    """Return the channel's keys, once the peer's evidence was admitted.

    `evidence` is the digest of what was admitted, `peer` the result. Raises `Refused`
    where the two are not bound to the same, `VerificationFailed` where the peer did
    not sign this very exchange.
    """
    mine = kept.hello
    _check_ends(mine, theirs)
    if peer.binding != theirs.binding or evidence != theirs.evidence:
        raise VerificationFailed("the other enclave showed evidence of something else")
    _check_same(mine.binding, theirs.binding)
    transcript = _transcript(mine, theirs)
    otherwise = "the other enclave did not sign this exchange"
    message = _signed(theirs.end, transcript)
    verify_by(theirs.binding.signing_key, signature, message, otherwise)
    try:
        shared = kept.secret.exchange(X25519PublicKey.from_public_bytes(theirs.ephemeral))
    except ValueError:
        raise VerificationFailed("the other enclave's fresh key is no key") from None
    digest = wire.digest("enclave-channel", transcript)
    return Keys(
        send=_derive(shared, digest, f"{mine.end} to {theirs.end}"),
        receive=_derive(shared, digest, f"{theirs.end} to {mine.end}"),
        tag=_derive(shared, digest, f"confirmed by {mine.end}"),
        due=_derive(shared, digest, f"confirmed by {theirs.end}"),
        transcript=digest,
    )


def _check_ends(mine: Hello, theirs: Hello) -> None:
    reflected = (
        mine.end == theirs.end
        or mine.ephemeral == theirs.ephemeral
        or mine.binding.signing_key == theirs.binding.signing_key
    )
    if reflected:
        raise VerificationFailed("the other enclave is this one: its own message came back")


def _check_same(mine: Binding, theirs: Binding) -> None:
    if mine.subject.policy != theirs.subject.policy:
        raise Refused("the other enclave runs under another policy")
    if (mine.subject.plan, mine.run) != (theirs.subject.plan, theirs.run):
        raise Refused("the other enclave runs another plan, or another run of it")
    if mine.subject.roster != theirs.subject.roster or mine.approvals != theirs.approvals:
        raise Refused("the other enclave works for another group, or on other approvals")


def _transcript(one: Hello, other: Hello) -> tuple[Hello, Hello]:
    """Both hellos, the caller's first."""
    return (one, other) if one.end == "caller" else (other, one)


def _signed(end: End, transcript: tuple[Hello, Hello]) -> bytes:
    return wire.signing_input(f"enclave-channel-{end}", transcript)


def _derive(shared: bytes, digest: bytes, label: str) -> bytes:
    return HKDF(hashes.SHA256(), 32, salt=digest, info=label.encode()).derive(shared)
