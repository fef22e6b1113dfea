"""A signature share under its signer's own name, so that a wrong one is proof.

A wrong share alone proves nothing: a coordinator that gives two signers
different commitments makes an honest share wrong. Therefore each signer says,
under its identity key [RFC8032], for which package and session its share is.
No honest signer says so of a package for which its share is wrong, so whoever
did is a culprit before anybody who holds the package. The same statements say
who signed, which the group's signature does not.

Adversary: the coordinator and any signers, together. Unreviewed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate import wire
from quorate.errors import Abort, VerificationFailed
from quorate.threshold import frost
from quorate.threshold.frost import SignatureShare, SigningPackage
from quorate.threshold.identity import verify_by
from quorate.threshold.keys import PublicKey, seat

DOMAIN = "signature share"


@dataclass(frozen=True, slots=True)
class SignedShare:
    """A share, the digest of what it is for, and its signer's signature of both."""

    share: SignatureShare
    package: bytes
    signature: bytes


def package_digest(session: bytes, public: PublicKey, package: SigningPackage) -> bytes:
    """Return the 32 bytes that name what is signed: session, key, message and commitments."""
    return wire.digest("signing package", (session, public.key_id(), package))


def state(identity: Ed25519PrivateKey, package: bytes, share: SignatureShare) -> SignedShare:
    """Return `share` under the signer's identity key. `package` is its `package_digest`."""
    return SignedShare(share, package, identity.sign(_input(package, share)))


def verify_statement(identity: bytes, package: bytes, signed: SignedShare) -> None:
    """Raise `VerificationFailed` unless `identity` said it, and of this package."""
    message = _input(signed.package, signed.share)
    otherwise = "a signature share is not under its signer's name"
    verify_by(identity, signed.signature, message, otherwise)
    if signed.package != package:
        raise VerificationFailed("a signature share is for another package")


def aggregate(
    public: PublicKey,
    session: bytes,
    package: SigningPackage,
    shares: Iterable[SignedShare],
    identities: Sequence[bytes],
) -> bytes:
    """Return the group's signature, as `frost.aggregate` does; `identities` are by seat.

    Raises `Abort`: a wrong share that its signer stated makes a culprit, a
    missing or foreign statement a suspect.
    """
    frost.check_signers(public, package)
    digest = package_digest(session, public, package)
    shares = list(shares)
    unsaid: set[int] = set()
    for signed in shares:
        try:
            frost.check_is_signer(package, signed.share.identifier)
            verify_statement(identities[seat(signed.share.identifier)], digest, signed)
        except VerificationFailed:
            unsaid.add(signed.share.identifier)
    if unsaid:
        raise Abort(
            f"{', '.join(map(str, sorted(unsaid)))} did not state a share of this package",
            suspects=map(seat, unsaid),
        )
    try:
        return frost.aggregate(public, package, (signed.share for signed in shares))
    except Abort as e:
        raise Abort(str(e), culprits=e.suspects, hint="sign again without them") from None


def verify_proof(
    public: PublicKey,
    session: bytes,
    package: SigningPackage,
    signed: SignedShare,
    identity: bytes,
) -> None:
    """Raise `VerificationFailed` unless `signed` proves that the owner of `identity` cheated."""
    verify_statement(identity, package_digest(session, public, package), signed)
    try:
        frost.verify_share(public, package, signed.share)
    except VerificationFailed:
        return
    raise VerificationFailed("the share is right: it proves nothing against its signer")


def _input(package: bytes, share: SignatureShare) -> bytes:
    return wire.signing_input(DOMAIN, (package, share))
