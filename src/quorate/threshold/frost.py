"""FROST(Ed25519, SHA-512), as RFC 9591 has it [RFC9591]: one signature by any `min_signers`.

Each holder has a `KeyShare`; nobody has the key. The coordinator, who may be
anybody, gathers one commitment of each signer, sends all the same package, and
adds what they answer to one ordinary Ed25519 signature.

Adversary: up to `min_signers` - 1 holders and the coordinator, active, chosen
before the key is made. They cannot sign what no honest holder signed
[BCKMTZ22]. They can prevent a signature; whoever spoils one is named. A wrong
share counts as proof only where its sender said for which package it was:
see `quorate.threshold.statement`. Unreviewed.
"""

import hashlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from quorate import wire
from quorate.algebra import edwards25519 as ed
from quorate.algebra.edwards25519 import Point, Randomness, Scalar
from quorate.errors import (
    Abort,
    MalformedMessage,
    OutOfRange,
    Refused,
    SessionReused,
    VerificationFailed,
)
from quorate.threshold.keys import KeyShare, PublicKey, seat
from quorate.threshold.sharing import check_identifiers
from quorate.wire import ABSENT

if TYPE_CHECKING:
    from quorate.transport.session import Session

CONTEXT = b"FROST-ED25519-SHA512-v1"
POLICY_CONTEXT = b"FROST-ED25519-SHA512-MSP-v1"
"""With a policy the weights are not those of RFC 9591: its hashes are others too."""

COMMITMENT_BYTES, SHARE_BYTES = 96, 49
"""What a signer sends in the two rounds, encoded, if its identifier is below 24."""

MANY = 16
"""From so many signers on a second thread is worth its start."""


@dataclass(frozen=True, slots=True)
class NonceCommitment:
    """What a signer says first: two points, each 32 bytes. Raises `MalformedMessage`.

    Whether they are of the prime-order subgroup is looked at by `package`, which
    can name the signer, and again wherever they enter a signature.
    """

    identifier: int
    hiding: Point
    binding: Point

    def __post_init__(self) -> None:
        if any(len(point) != 32 or point == ed.IDENTITY for point in (self.hiding, self.binding)):
            raise MalformedMessage("not two points that commit to nonces")


class Nonces:
    """The secrets behind one commitment. Two shares made with them give the key share away."""

    __slots__ = ("_secret", "commitment")

    def __init__(self, hiding: Scalar, binding: Scalar, commitment: NonceCommitment) -> None:
        self._secret: tuple[Scalar, Scalar] | None = hiding, binding
        self.commitment = commitment

    def take(self) -> tuple[Scalar, Scalar]:
        """Return them and forget them. Raises `SessionReused` the second time."""
        if self._secret is None:
            raise SessionReused("these nonces were used before", hint="ask for a new commitment")
        secret, self._secret = self._secret, None
        return secret


@dataclass(frozen=True, slots=True)
class SigningPackage:
    """What all signers of one signature must have in common. Raises `MalformedMessage`."""

    message: bytes
    commitments: tuple[NonceCommitment, ...]  # in the order of identifiers

    def __post_init__(self) -> None:
        try:
            check_identifiers(self.identifiers)
        except OutOfRange as e:
            raise MalformedMessage(f"not a package to sign: {e}") from None

    @property
    def identifiers(self) -> tuple[int, ...]:
        return tuple(c.identifier for c in self.commitments)


@dataclass(frozen=True, slots=True)
class SignatureShare:
    """What a signer answers: a scalar. Raises `MalformedMessage`."""

    identifier: int
    z: Scalar

    def __post_init__(self) -> None:
        ed.decode_scalar(self.z)


def commit(share: KeyShare, randomness: Randomness) -> tuple[Nonces, NonceCommitment]:
    """Return fresh nonces, to be kept, and the commitment to them, to be sent.

    Each is a hash of 32 fresh bytes and the key share, so that bad randomness
    alone does not give the key away.
    """
    hiding, binding = (_nonce(share.secret, randomness(32)) for _ in range(2))
    commitment = NonceCommitment(share.identifier, ed.base_mul(hiding), ed.base_mul(binding))
    return Nonces(hiding, binding, commitment), commitment


def package(message: bytes, commitments: Iterable[NonceCommitment]) -> SigningPackage:
    """Return what to send to all signers.

    Raises `Abort` that suspects whoever sent what is no point, and
    `MalformedMessage` for two commitments of one signer.
    """
    ascending = tuple(sorted(commitments, key=lambda c: c.identifier))
    for commitment in ascending:
        try:
            ed.decode_point(commitment.hiding)
            ed.decode_point(commitment.binding)
        except MalformedMessage as e:
            identifier = commitment.identifier
            raise Abort(f"{identifier} committed to {e}", suspects=[seat(identifier)]) from None
    return SigningPackage(message, ascending)


def sign(share: KeyShare, nonces: Nonces, package: SigningPackage) -> SignatureShare:
    """Return z = d + rho e + lambda s c, and use up the nonces.

    Raises `Refused` for too few or unknown signers, a key that does not sign,
    or a package without the very commitment of these nonces, and
    `MalformedMessage` for what is no point.
    """
    check_signers(share.public, package)
    own, signers = nonces.commitment, package.identifiers
    if own.identifier != share.identifier:
        raise Refused("these nonces were made for another share")
    if own not in package.commitments:
        raise Refused("the package does not carry this signer's own commitment")
    hiding, binding = nonces.take()
    factors = _binding_factors(share.public, package)
    nonce = ed.scalar_add(hiding, ed.scalar_mul(factors[signers.index(own.identifier)], binding))
    others = [(c, rho) for c, rho in zip(package.commitments, factors, strict=True) if c != own]
    # One's own D + rho E is the point of one's own nonce.
    commitment = ed.add(ed.base_mul(nonce), _bound(others))
    weight = share.public.access.weight(share.identifier, signers)
    challenge = _challenge(commitment, share.public.group, package.message)
    proof = ed.scalar_mul(ed.scalar_mul(weight, challenge), share.secret)
    return SignatureShare(share.identifier, ed.scalar_add(nonce, proof))


def aggregate(
    public: PublicKey, package: SigningPackage, shares: Iterable[SignatureShare]
) -> bytes:
    """Return the group's signature of the message: 64 bytes, by RFC 8032.

    Where the sum is no signature, every share is looked at, and `Abort` names
    the seats of the wrong ones: as suspects, since this package is the
    coordinator's word. Raises `Refused` unless there is one share of each signer.
    """
    check_signers(public, package)
    by_identifier = sorted(shares, key=lambda share: share.identifier)
    if tuple(share.identifier for share in by_identifier) != package.identifiers:
        raise Refused("there is not one signature share of each signer")
    common = _common(public, package)
    signature = common.commitment + ed.scalar_sum(share.z for share in by_identifier)
    if _is_signature(public.group, signature, common.challenge):
        return signature
    wrong = [share for share in by_identifier if not _is_right(public, package, common, share)]
    raise Abort(
        f"wrong signature shares of {', '.join(str(share.identifier) for share in wrong)}",
        suspects=[seat(share.identifier) for share in wrong],
    )


def verify_share(public: PublicKey, package: SigningPackage, share: SignatureShare) -> None:
    """Raise `VerificationFailed` unless z BASE = D + rho E + lambda c Y of its signer."""
    check_signers(public, package)
    check_is_signer(package, share.identifier)
    if not _is_right(public, package, _common(public, package), share):
        raise VerificationFailed(f"the signature share of {share.identifier} is wrong")


def verify(group: bytes, message: bytes, signature: bytes) -> None:
    """Raise `VerificationFailed` unless `signature` is the signature of `message` under `group`.

    Stricter than RFC 8032 on points outside the prime-order subgroup, and else the same.
    """
    try:
        commitment, key = ed.decode_point(signature[:32]), ed.decode_point(group)
        ed.decode_scalar(signature[32:])
    except MalformedMessage:
        raise VerificationFailed("the signature is not in the form of one") from None
    if not _is_signature(key, signature, _challenge(commitment, key, message)):
        raise VerificationFailed("the signature is not of this message under this key")


async def run(session: "Session", share: KeyShare, message: bytes, randomness: Randomness) -> bytes:
    """Sign with all parties of `session`, each of whom holds a share.

    The broadcast compares the commitments, so that nobody is told two packages.

    Cost: 3 rounds, 177 * (n - 1) bytes a party whose identifier is below 24
    """
    kept, sent = commit(share, randomness)
    commitments = await session.broadcast(sent)
    asked = package(message, commitments)
    shares = await session.exchange(sign(share, kept, asked))
    pairs = enumerate(zip(commitments, shares, strict=True))
    if foreign := [party for party, (own, got) in pairs if own.identifier != got.identifier]:
        raise Abort("a signature share in the name of another", suspects=foreign)
    return aggregate(share.public, asked, shares)


def check_signers(public: PublicKey, package: SigningPackage) -> None:
    """Raise `Refused` unless these signers may sign with this key."""
    if public.purpose != "sign":
        raise Refused("this key unlocks; it does not sign")
    unknown = [i for i in package.identifiers if i > public.max_signers]
    if unknown:
        raise Refused(f"no holder of this key has the identifier {unknown[0]}")
    if not public.access.suffice(package.identifiers):
        raise Refused(f"{len(package.identifiers)} signers, where {public.access} must sign")


def check_is_signer(package: SigningPackage, identifier: int) -> None:
    """Raise `VerificationFailed` unless the package names this signer."""
    if identifier not in package.identifiers:
        raise VerificationFailed(f"{identifier} is not among the signers")


@dataclass(frozen=True, slots=True)
class _Common:
    """What follows from the package for everybody."""

    factors: tuple[Scalar, ...]
    """rho of each signer, in the order of the package."""
    commitment: Point
    """R, the sum of each D + rho E."""
    challenge: Scalar
    """c, the hash of R, the group's key and the message."""


def _common(public: PublicKey, package: SigningPackage) -> _Common:
    factors = _binding_factors(public, package)
    commitment = _bound(zip(package.commitments, factors, strict=True))
    return _Common(factors, commitment, _challenge(commitment, public.group, package.message))


def _bound(commitments: Iterable[tuple[NonceCommitment, Scalar]]) -> Point:
    """Return the sum of D + rho E over commitments and their factors."""
    bound = list(commitments)
    if len(bound) < MANY:
        return _sum_bound(bound)
    # libsodium's work holds no lock of the interpreter, so two threads halve the time.
    with ThreadPoolExecutor(2) as threads:
        return ed.sum_points(threads.map(_sum_bound, (bound[::2], bound[1::2])))


def _sum_bound(commitments: Iterable[tuple[NonceCommitment, Scalar]]) -> Point:
    # What is only added must be decoded; a product decodes what it multiplies.
    return ed.sum_points(
        ed.add(ed.decode_point(c.hiding), ed.mul(rho, c.binding)) for c, rho in commitments
    )


def _binding_factors(public: PublicKey, package: SigningPackage) -> tuple[Scalar, ...]:
    encoded = b"".join(ed.scalar(c.identifier) + c.hiding + c.binding for c in package.commitments)
    context = _context(public)
    hashes = (_hash(context, b"msg", package.message), _hash(context, b"com", encoded))
    common = b"".join([context, b"rho", public.group, *hashes])
    return tuple(ed.hash_to_scalar(common, ed.scalar(i)) for i in package.identifiers)


def _nonce(secret: Scalar, random: bytes) -> Scalar:
    return ed.hash_to_scalar(CONTEXT, b"nonce", random, secret)


def _context(public: PublicKey) -> bytes:
    if public.policy is ABSENT:
        return CONTEXT
    return POLICY_CONTEXT + wire.digest("signing policy", public.policy)


def _hash(context: bytes, name: bytes, data: bytes) -> bytes:
    return hashlib.sha512(context + name + data).digest()


def _challenge(commitment: Point, group: Point, message: bytes) -> Scalar:
    return ed.hash_to_scalar(commitment, group, message)


def _is_signature(group: Point, signature: bytes, challenge: Scalar) -> bool:
    commitment, z = Point(signature[:32]), Scalar(signature[32:])
    return ed.base_mul(z) == ed.add(commitment, ed.mul(challenge, group))


def _is_right(
    public: PublicKey, package: SigningPackage, common: _Common, share: SignatureShare
) -> bool:
    place = package.identifiers.index(share.identifier)
    own, rho = package.commitments[place], common.factors[place]
    weight = public.access.weight(share.identifier, package.identifiers)
    weight = ed.scalar_mul(weight, common.challenge)
    key = ed.mul(weight, public.verification_share(share.identifier))
    return ed.base_mul(share.z) == ed.add(_bound([(own, rho)]), key)
