"""AMD's certificates above a report: ARK, ASK, and the key of a chip (VCEK) or a provider (VLEK).

They are read here and not by a library, since their serial number is 0, which
X.509 forbids [RFC5280]. All are signed with RSA-PSS over SHA-384 [SEVKDS25].
"""

from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from quorate.enclave import der
from quorate.enclave.certificates import UNREADABLE, Window, fingerprint, verify_ecdsa
from quorate.enclave.evidence import AmdChain
from quorate.errors import MalformedMessage, VerificationFailed

MAX_CERTIFICATE = 1 << 13
_EXTENSIONS, _VERSION = 0xA3, 0xA0
_KDS = "1.3.6.1.4.1.3704.1"
PRODUCT, HARDWARE = f"{_KDS}.2", f"{_KDS}.4"
BOOTLOADER, TEE, SNP, MICROCODE, FMC = (f"{_KDS}.3.{n}" for n in (1, 2, 3, 8, 9))
VCEK, VLEK = "SEV-VCEK", "SEV-VLEK"
_COMMON_NAME = "2.5.4.3"


@dataclass(frozen=True, slots=True)
class AmdCertificate:
    """What a certificate says, before anything is verified."""

    tbs: bytes
    serial: int
    issuer: bytes
    subject: bytes
    common_name: str
    window: Window
    public_key: bytes  # SubjectPublicKeyInfo
    extensions: tuple[tuple[str, bytes], ...]
    signature: bytes

    def extension(self, oid: str) -> bytes | None:
        return next((value for name, value in self.extensions if name == oid), None)


def read(data: bytes) -> AmdCertificate:
    """Return what is in a certificate. Raises `MalformedMessage`."""
    if len(data) > MAX_CERTIFICATE:
        raise MalformedMessage(f"a certificate of {len(data)} bytes")
    tbs, algorithm, signature = der.fields(data, at_least=3)[:3]
    parts = der.elements(tbs.of(der.SEQUENCE))
    if len(parts) < 8 or parts[0].tag != _VERSION or parts[-1].tag != _EXTENSIONS:
        raise MalformedMessage("a certificate without version or extensions")
    _, serial, inner, issuer, validity, subject, key = parts[:7]
    if inner.whole != algorithm.whole:
        raise MalformedMessage("a certificate that names two algorithms")
    begin, end = der.fields(validity.whole, at_least=2)[:2]
    return AmdCertificate(
        tbs.whole,
        der.integer(serial.of(der.INTEGER)),
        issuer.whole,
        subject.whole,
        _common_name(subject.whole),
        Window(der.time(begin), der.time(end)),
        key.whole,
        _extensions(parts[-1].content),
        _bits(signature.of(der.BIT_STRING)),
    )


def verify_chain(
    chain: AmdChain, roots: tuple[bytes, ...], now: datetime
) -> tuple[AmdCertificate, Window]:
    """Return the certificate of the key that signs reports, and when the chain may be believed.

    Raises `VerificationFailed` unless the ARK is one of `roots`, by SHA-256.
    """
    vek, ask, ark = read(chain.vek), read(chain.ask), read(chain.ark)
    if fingerprint(chain.ark) not in roots:
        raise VerificationFailed("AMD's chain does not end at a pinned root")
    window = ark.window
    for lower, upper in ((ark, ark), (ask, ark), (vek, ask)):
        _verify_issued(lower, upper)
        window = window.both(lower.window.require(now, "a certificate of AMD's chain"))
    if chain.crl:
        window = window.both(_verify_not_revoked(chain.crl, ask, ark, now))
    if vek.common_name not in {VCEK, VLEK}:
        raise VerificationFailed("AMD's chain is of no key that signs reports")
    return vek, window


def verify_report_signature(key: bytes, r: bytes, s: bytes, message: bytes) -> None:
    """Verify a report's signature on P-384, r and s little-endian. Raises `VerificationFailed`."""
    try:
        public = load_der_public_key(key)
    except (ValueError, UnsupportedAlgorithm):
        raise VerificationFailed("the key of the report is not one") from None
    if not isinstance(public, ec.EllipticCurvePublicKey):
        raise VerificationFailed("the key of the report is not on a curve")
    verify_ecdsa(public, r[::-1] + s[::-1], message, hashes.SHA384(), "the report")


def _verify_issued(lower: AmdCertificate, upper: AmdCertificate) -> None:
    if lower.issuer != upper.subject:
        raise VerificationFailed("AMD's chain does not hold together")
    _verify_pss(upper, lower.signature, lower.tbs, "AMD's chain does not hold together")


def _verify_pss(signer: AmdCertificate, signature: bytes, message: bytes, otherwise: str) -> None:
    try:
        key = load_der_public_key(signer.public_key)
        if not isinstance(key, rsa.RSAPublicKey):
            raise VerificationFailed(otherwise)
        scheme = padding.PSS(padding.MGF1(hashes.SHA384()), 48)
        key.verify(signature, message, scheme, hashes.SHA384())
    except (InvalidSignature, ValueError, UnsupportedAlgorithm):
        raise VerificationFailed(otherwise) from None


def _verify_not_revoked(
    data: bytes, ask: AmdCertificate, ark: AmdCertificate, now: datetime
) -> Window:
    try:
        crl = x509.load_der_x509_crl(data)
    except UNREADABLE as error:
        raise MalformedMessage("not a revocation list of AMD's") from error
    otherwise = "AMD's revocation list is not signed by its root"
    _verify_pss(ark, crl.signature, crl.tbs_certlist_bytes, otherwise)
    if crl.next_update_utc is None:
        raise VerificationFailed("AMD's revocation list never ends")
    if crl.get_revoked_certificate_by_serial_number(ask.serial) is not None:
        raise VerificationFailed("AMD took its authority back")
    return Window(crl.last_update_utc, crl.next_update_utc).require(now, "AMD's revocation list")


def _common_name(name: bytes) -> str:
    found: list[str] = []
    for part in der.fields(name, at_least=1):
        for pair in der.elements(part.content):
            oid, value = der.fields(pair.whole, at_least=2)[:2]
            if der.dotted(oid.of(der.OID)) == _COMMON_NAME:
                found.append(value.content.decode("utf-8", "replace"))
    if len(found) != 1:
        raise MalformedMessage("a certificate of nobody, or of several")
    return found[0]


def _extensions(data: bytes) -> tuple[tuple[str, bytes], ...]:
    found: list[tuple[str, bytes]] = []
    for each in der.fields(data, at_least=1):
        inside = der.fields(each.whole, at_least=2)
        found.append((der.dotted(inside[0].of(der.OID)), inside[-1].of(der.OCTET_STRING)))
    if len({name for name, _ in found}) < len(found):
        raise MalformedMessage("a certificate that says something twice")
    return tuple(found)


def _bits(data: bytes) -> bytes:
    if not data or data[0] != 0:
        raise MalformedMessage("a signature that is not whole bytes")
    return data[1:]
