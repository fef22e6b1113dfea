"""What the holders of a key agree on before it is made, and what each then says [COCKTAIL26]."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate import wire
from quorate.algebra import edwards25519 as ed
from quorate.algebra.edwards25519 import Point, Scalar
from quorate.errors import MalformedMessage, OutOfRange, VerificationFailed
from quorate.threshold import schnorr
from quorate.threshold.access import Access, Gate, check_access
from quorate.threshold.delivery import MAX_CIPHERTEXT, OVERHEAD, Route
from quorate.threshold.identity import verify_by
from quorate.threshold.keys import PublicKey, Purpose, seat
from quorate.threshold.sharing import Commitment
from quorate.wire import ABSENT, Absent

CIPHERSUITE = b"COCKTAIL(Ed25519, SHA-512)"


@dataclass(frozen=True, slots=True)
class Handover:
    """That shares of an old key become shares of the new: who deals, fixed before it begins.

    `dealers` are identifiers of the old key, and suffice; by the same place,
    each has a static key and an identity. `away` are new identifiers from whom
    no confirmation is waited for: they take their share when they are back.
    Raises `MalformedMessage`.
    """

    old: PublicKey
    dealers: tuple[int, ...]
    static_keys: tuple[Point, ...]
    identities: tuple[bytes, ...]  # Ed25519
    away: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        n = len(self.dealers)
        if sorted(set(self.dealers)) != list(self.dealers) or not self.old.access.suffice(
            self.dealers
        ):
            raise MalformedMessage("the dealers do not suffice to act with the old key")
        if not all(1 <= i <= self.old.max_signers for i in self.dealers):
            raise MalformedMessage("a dealer holds no share of the old key")
        for keys in (self.static_keys, self.identities):
            if len(keys) != n or len(set(keys)) != n or any(len(key) != 32 for key in keys):
                raise MalformedMessage("every dealer needs keys of its own")
        for point in self.static_keys:
            ed.decode_point(point)

    def due(self, dealer: int) -> Point:
        """Return the point of what the dealer at place `dealer`, from 1, must deal: weight * Y."""
        identifier = self.dealers[dealer - 1]
        weight = self.old.access.weight(identifier, self.dealers)
        return ed.mul(weight, self.old.verification_share(identifier))


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
    policy: Gate | Absent = ABSENT
    handover: Handover | Absent = ABSENT  # of an old key; nothing where the key is new

    def __post_init__(self) -> None:
        try:
            check_access(self.access)
        except MalformedMessage as e:
            raise MalformedMessage(f"no key can be made like this: {e}") from None
        for keys in (self.static_keys, self.identities):
            if len(set(keys)) != len(self.static_keys) or len(keys) != len(self.static_keys):
                raise MalformedMessage("every holder needs keys of its own")
        for point in self.static_keys:
            ed.decode_point(point)
        if not self.session or any(len(identity) != 32 for identity in self.identities):
            raise MalformedMessage("a key generation needs a session, and identities of 32 bytes")
        if self.handover is not ABSENT:
            self._check_handover(self.handover)

    def _check_handover(self, handover: Handover) -> None:
        if handover.old.purpose != self.purpose:
            raise MalformedMessage("a key keeps its purpose")
        there = set(range(1, self.max_signers + 1)) - set(handover.away)
        if len(there) + len(set(handover.away)) != self.max_signers:
            raise MalformedMessage("who is away holds no share of the new key")
        if len(set(handover.away)) < len(handover.away) or not self.access.suffice(there):
            raise MalformedMessage("too many new holders are away")

    @property
    def max_signers(self) -> int:
        return len(self.static_keys)

    @property
    def access(self) -> Access:
        return Access(self.min_signers, self.max_signers, self.policy)

    @property
    def dealers(self) -> range:
        """Who deals, from 1: every holder of a new key, else the places of `handover`."""
        return range(1, len(self.dealer_keys) + 1)

    @property
    def dealer_keys(self) -> tuple[Point, ...]:
        return self.static_keys if self.handover is ABSENT else self.handover.static_keys

    @property
    def dealer_identities(self) -> tuple[bytes, ...]:
        return self.identities if self.handover is ABSENT else self.handover.identities

    @property
    def away(self) -> tuple[int, ...]:
        return () if self.handover is ABSENT else self.handover.away

    def public_key(self, commitment: Commitment) -> PublicKey:
        return PublicKey(self.purpose, self.max_signers, commitment, self.policy)

    def context(self) -> bytes:
        """Return the 64 bytes that tie every message to this session and these holders."""
        parts = [b"COCKTAIL-DKG-CONTEXT"]
        for text in (self.session, CIPHERSUITE):
            parts += [len(text).to_bytes(8, "big"), text]
        parts += [self.max_signers.to_bytes(4, "little"), *self.static_keys]
        if self.policy is not ABSENT or self.handover is not ABSENT:
            # Beyond COCKTAIL: a policy, and the key that is handed over.
            parts.append(wire.digest("dkg beyond", _Beyond(self.policy, self.handover)))
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
        keys = self.dealer_keys[seat(sender)], self.static_keys[seat(recipient)]
        return Route(self.context(), ephemeral, *keys)

    def dealer_of(self, static: Scalar) -> int:
        """Return which dealer has the secret key `static`. Raises `OutOfRange`."""
        public = ed.base_mul(static)
        if public not in self.dealer_keys:
            raise OutOfRange("this static key is no dealer's")
        return self.dealer_keys.index(public) + 1


@dataclass(frozen=True, slots=True)
class _Beyond:
    policy: Gate | Absent
    handover: Handover | Absent


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
        setup.dealer_identities[seat(identifier)],
        _input(setup, identifier, signed.dealing),
    )
    otherwise = f"the dealing of {identifier} is not signed by it"
    verify_by(identity, signed.signature, message, otherwise)


def verify_dealing(setup: Setup, dealer: int, dealing: Dealing) -> None:
    """Raise `VerificationFailed` for what no honest holder deals, whoever looks at it.

    Exactly as many points as are due, or a cheat could raise the number of signers
    for all; a proof of possession, or the last to speak could choose the key.
    """
    promise = dealing.promise
    columns = setup.access.columns
    if len(promise.commitment) != columns:
        raise VerificationFailed(
            f"a commitment of {len(promise.commitment)} points, where {columns} are due"
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
    if setup.handover is not ABSENT and promise.commitment[0] != setup.handover.due(dealer):
        raise VerificationFailed("what is dealt is not the dealer's share of the old key")


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
