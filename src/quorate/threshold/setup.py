"""What the holders of a key agree on before it is made, and what each then says [COCKTAIL26]."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate import wire
from quorate.algebra import edwards25519 as ed
from quorate.algebra.edwards25519 import Point, Scalar
from quorate.errors import MalformedMessage, OutOfRange, Refused, VerificationFailed
from quorate.threshold import schnorr
from quorate.threshold.delivery import MAX_CIPHERTEXT, OVERHEAD, Route
from quorate.threshold.identity import verify_by
from quorate.threshold.keys import Purpose, seat
from quorate.threshold.rule import Rule

CIPHERSUITE = b"COCKTAIL(Ed25519, SHA-512)"


@dataclass(frozen=True, slots=True)
class Setup:
    """The same at all holders; `session` never before. Raises `MalformedMessage`.

    Holder i is at seat i - 1 of both lists of keys.
    """

    purpose: Purpose
    min_signers: int
    session: bytes
    static_keys: tuple[Point, ...]
    identities: tuple[bytes, ...]  # Ed25519: who answers for what is sent

    def __post_init__(self) -> None:
        try:
            Rule(self.min_signers, len(self.static_keys))
        except Refused as e:
            raise MalformedMessage(f"no key can be made like this: {e}") from None
        for keys in (self.static_keys, self.identities):
            if len(set(keys)) != len(self.static_keys) or len(keys) != len(self.static_keys):
                raise MalformedMessage("every holder needs keys of its own")
        for point in self.static_keys:
            ed.decode_point(point)
        if not self.session or any(len(identity) != 32 for identity in self.identities):
            raise MalformedMessage("a key generation needs a session, and identities of 32 bytes")

    @property
    def max_signers(self) -> int:
        return len(self.static_keys)

    def context(self) -> bytes:
        """Return the 64 bytes that tie every message to this session and these holders."""
        parts = [b"COCKTAIL-DKG-CONTEXT"]
        for text in (self.session, CIPHERSUITE):
            parts += [len(text).to_bytes(8, "big"), text]
        parts += [self.max_signers.to_bytes(4, "little"), *self.static_keys]
        return hashlib.sha512(b"".join(parts)).digest()

    def digest(self) -> bytes:
        return wire.digest("dkg setup", self)

    def identifier_of(self, static: Scalar) -> int:
        """Return whose secret key `static` is. Raises `OutOfRange` where it is nobody's."""
        public = ed.base_mul(static)
        if public not in self.static_keys:
            raise OutOfRange("this static key is no holder's")
        return self.static_keys.index(public) + 1

    def route(self, sender: int, recipient: int, ephemeral: Point) -> Route:
        keys = self.static_keys
        return Route(self.context(), ephemeral, keys[seat(sender)], keys[seat(recipient)])


def static_key(seed: bytes) -> Scalar:
    """Return the secret static key that follows from `seed`, 32 secret bytes or more."""
    return ed.hash_to_scalar(b"quorate/v1/dkg static key\0", seed)


@dataclass(frozen=True, slots=True)
class Promise:
    """The public part of a dealing: the certificate is over everybody's."""

    commitment: tuple[Point, ...]
    proof: bytes  # of possession of the polynomial's constant
    ephemeral: Point


@dataclass(frozen=True, slots=True)
class Dealing:
    """What a holder sends in round 1: a polynomial's commitment, and its shares, sealed."""

    promise: Promise
    ciphertexts: tuple[bytes, ...]  # by seat


@dataclass(frozen=True, slots=True)
class SignedDealing:
    """A dealing under its sender's identity key: two different ones, or a bad one, are proof."""

    dealing: Dealing
    signature: bytes


def possession_input(context: bytes, promise: Promise) -> bytes:
    """Return what a proof of possession signs, with the constant as the key."""
    return b"".join([context, *promise.commitment, promise.ephemeral])


def sign_dealing(
    setup: Setup, identifier: int, dealing: Dealing, identity: Ed25519PrivateKey
) -> SignedDealing:
    return SignedDealing(dealing, identity.sign(_input(setup, identifier, dealing)))


def verify_sender(setup: Setup, identifier: int, signed: SignedDealing) -> None:
    """Raise `VerificationFailed` unless holder `identifier` signed this dealing for this setup."""
    identity, message = (
        setup.identities[seat(identifier)],
        _input(setup, identifier, signed.dealing),
    )
    otherwise = f"the dealing of {identifier} is not signed by it"
    verify_by(identity, signed.signature, message, otherwise)


def verify_dealing(setup: Setup, dealing: Dealing) -> None:
    """Raise `VerificationFailed` for what no honest holder deals, whoever looks at it.

    Exactly `min_signers` points, or a cheat could raise the number of signers
    for all; a proof of possession, or the last to speak could choose the key.
    """
    promise = dealing.promise
    if len(promise.commitment) != setup.min_signers:
        raise VerificationFailed(
            f"a commitment of {len(promise.commitment)} points, where {setup.min_signers} are due"
        )
    if len(dealing.ciphertexts) != setup.max_signers:
        raise VerificationFailed("not one share for each holder")
    if not all(OVERHEAD <= len(text) <= MAX_CIPHERTEXT for text in dealing.ciphertexts):
        raise VerificationFailed("a sealed share has an impossible size")
    try:
        for point in (*promise.commitment, promise.ephemeral):
            ed.decode_point(point)
    except MalformedMessage as e:
        raise VerificationFailed(f"a dealing holds what is {e}") from None
    possession = possession_input(setup.context(), promise)
    try:
        schnorr.verify(promise.commitment[0], possession, promise.proof)
    except VerificationFailed:
        raise VerificationFailed("the proof of possession does not hold") from None


def transcript(setup: Setup, promises: Sequence[Promise], extension: bytes) -> bytes:
    """Return what the certificate of this key generation is over."""
    parts: list[bytes] = []
    for text in (CIPHERSUITE, setup.context()):
        parts += [len(text).to_bytes(8, "little"), text]
    parts += [number.to_bytes(4, "little") for number in (setup.max_signers, setup.min_signers)]
    parts += setup.static_keys
    for promise in promises:
        parts += promise.commitment
    parts += [promise.proof for promise in promises]
    parts += [promise.ephemeral for promise in promises]
    return b"".join([*parts, len(extension).to_bytes(8, "little"), extension])


def _input(setup: Setup, identifier: int, dealing: Dealing) -> bytes:
    return wire.signing_input("dkg dealing", (setup.digest(), identifier, dealing))
