"""Chains of X.509 certificates up to a pinned root, and lists of revoked ones [RFC5280].

The time at which they must be valid is an argument. Nothing is fetched.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding

from quorate.errors import MalformedMessage, VerificationFailed

MAX_CHAIN = 8

UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.ExtensionNotFound,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
"""What the library raises, early or late, for a certificate or list that is not one."""


@dataclass(frozen=True, slots=True)
class Window:
    """From when to when something may be believed, both ends included."""

    begin: datetime
    end: datetime

    def both(self, other: "Window") -> "Window":
        return Window(max(self.begin, other.begin), min(self.end, other.end))

    def require(self, now: datetime, what: str) -> "Window":
        """Return this window. Raises `VerificationFailed` unless `now` is in it."""
        if now < self.begin:
            raise VerificationFailed(f"{what} is not valid before {self.begin:%Y-%m-%d %H:%M:%S}")
        if now > self.end:
            raise VerificationFailed(f"{what} is not valid after {self.end:%Y-%m-%d %H:%M:%S}")
        return self


@dataclass(frozen=True, slots=True)
class Chain:
    """Certificates from the leaf to the root, verified."""

    certificates: tuple[x509.Certificate, ...]
    window: Window

    @property
    def leaf(self) -> x509.Certificate:
        return self.certificates[0]


def fingerprint(der: bytes) -> bytes:
    return hashlib.sha256(der).digest()


def from_pem(text: bytes) -> tuple[x509.Certificate, ...]:
    """Return the certificates in `text`, which may end with zero bytes as quotes do."""
    try:
        found = x509.load_pem_x509_certificates(text.rstrip(b"\0"))
    except UNREADABLE as error:
        raise MalformedMessage("not a chain of certificates") from error
    if len(found) > MAX_CHAIN:
        raise MalformedMessage(f"a chain of {len(found)} certificates")
    return tuple(found)


def from_der(data: bytes) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(data)
    except UNREADABLE as error:
        raise MalformedMessage("not a certificate") from error


def verify_chain(
    certificates: Sequence[x509.Certificate], root: bytes, now: datetime, whose: str
) -> Chain:
    """Verify from the leaf to the root, whose SHA-256 is `root`, all valid at `now`.

    Raises `VerificationFailed`.
    """
    if not 1 <= len(certificates) <= MAX_CHAIN:
        raise VerificationFailed(f"the chain of {whose} has {len(certificates)} certificates")
    top = certificates[-1]
    if not root or fingerprint(top.public_bytes(Encoding.DER)) != root:
        raise VerificationFailed(f"the chain of {whose} does not end at the pinned root")
    window = _window(top).require(now, f"the root of {whose}")
    for depth, (lower, upper) in enumerate(
        zip(certificates, (*certificates[1:], top), strict=True)
    ):
        _verify_issued(lower, upper, whose)
        _verify_may_issue(upper, min(depth, len(certificates) - 2), whose)
        window = window.both(_window(lower).require(now, f"a certificate of {whose}"))
    return Chain(tuple(certificates), window)


def public_key(certificate: x509.Certificate, whose: str) -> CertificatePublicKeyTypes:
    try:
        return certificate.public_key()
    except UNREADABLE as error:
        raise MalformedMessage(f"the key of {whose} is not one") from error


def verify_crl(
    data: bytes, issuer: x509.Certificate, now: datetime, whose: str
) -> tuple[x509.CertificateRevocationList, Window]:
    """Return the list `data` of what `issuer` took back, valid at `now`."""
    try:
        crl = x509.load_der_x509_crl(data)
        key = issuer.public_key()
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise VerificationFailed(f"the revocation list of {whose} is by an unexpected key")
        signed = crl.issuer == issuer.subject and crl.is_signature_valid(key)
    except UNREADABLE as error:
        raise MalformedMessage(f"not a revocation list of {whose}") from error
    if not signed:
        raise VerificationFailed(f"the revocation list of {whose} is not signed by its issuer")
    if crl.next_update_utc is None:
        raise VerificationFailed(f"the revocation list of {whose} never ends")
    window = Window(crl.last_update_utc, crl.next_update_utc)
    return crl, window.require(now, f"the revocation list of {whose}")


def verify_not_revoked(
    crl: x509.CertificateRevocationList, certificate: x509.Certificate, whose: str
) -> None:
    """Raise `VerificationFailed` if `crl` names `certificate`."""
    if crl.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None:
        raise VerificationFailed(f"the certificate of {whose} was revoked")


def verify_ecdsa(
    key: CertificatePublicKeyTypes,
    signature: bytes,
    message: bytes,
    algorithm: hashes.HashAlgorithm,
    whose: str,
) -> None:
    """Verify r and s, big-endian and of one length. Raises `VerificationFailed`."""
    half = len(signature) // 2
    r, s = int.from_bytes(signature[:half]), int.from_bytes(signature[half:])
    try:
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise VerificationFailed(f"the key of {whose} is of an unexpected kind")
        key.verify(utils.encode_dss_signature(r, s), message, ec.ECDSA(algorithm))
    except (InvalidSignature, ValueError):
        raise VerificationFailed(f"the signature of {whose} does not verify") from None


def _window(certificate: x509.Certificate) -> Window:
    return Window(certificate.not_valid_before_utc, certificate.not_valid_after_utc)


def _verify_issued(lower: x509.Certificate, upper: x509.Certificate, whose: str) -> None:
    try:
        lower.verify_directly_issued_by(upper)
    except (InvalidSignature, *UNREADABLE):
        raise VerificationFailed(f"the chain of {whose} does not hold together") from None


def _verify_may_issue(upper: x509.Certificate, below: int, whose: str) -> None:
    """Refuse what is no authority, or has more authorities below it than it may."""
    try:
        limits = upper.extensions.get_extension_for_class(x509.BasicConstraints).value
    except UNREADABLE:
        raise VerificationFailed(f"the chain of {whose} is through no authority") from None
    length = limits.path_length
    if not limits.ca or (length is not None and below > length):
        raise VerificationFailed(f"the chain of {whose} is through no authority")
