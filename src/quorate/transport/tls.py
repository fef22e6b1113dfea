"""TLS 1.3 in which both sides are pinned to the Ed25519 keys of the group's roster.

A member's identity key never does TLS itself: at each start a node makes a
fresh TLS key and certifies it with its identity key. Whoever knows the roster
makes a trust anchor for each member's identity key; nothing else is trusted,
no name is looked up, no authority is asked. After the handshake `issuer_of`
says which roster key vouched for the peer [RFC8446].

Certificates have no useful dates: what ends trust is the roster, and a node
with a wrong clock should still be able to say so.
"""

import ssl
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import NameOID

from quorate.errors import VerificationFailed

_START = datetime(2000, 1, 1, tzinfo=UTC)
_NEVER = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)  # RFC 5280: no well-defined expiration


def contexts(
    identity: Ed25519PrivateKey, roster_keys: Iterable[bytes]
) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return (server, client) contexts: a fresh key of one's own, only roster keys trusted."""
    key = Ed25519PrivateKey.generate()
    certificate = _certify(key.public_key(), "node", identity)
    anchors = list(roster_keys)
    server, client = (
        ssl.SSLContext(side) for side in (ssl.PROTOCOL_TLS_SERVER, ssl.PROTOCOL_TLS_CLIENT)
    )
    for context in (server, client):
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.check_hostname = False  # a member is its key, not its address
        context.verify_mode = ssl.CERT_REQUIRED
        context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
        trust(context, anchors)
        _load_own(context, key, certificate)
    server.num_tickets = 0  # no resumption: each connection proves its keys anew
    return server, client


def trust(context: ssl.SSLContext, keys: Iterable[bytes]) -> None:
    """Accept these keys too, from the next handshake on."""
    if anchors := "".join(_pem(_anchor(key)) for key in keys):
        context.load_verify_locations(cadata=anchors)


def issuer_of(der: bytes, roster_keys: Iterable[bytes]) -> bytes:
    """Return the roster key that certified `der`. Raises `VerificationFailed`."""
    try:
        certificate = x509.load_der_x509_certificate(der)
    except ValueError:  # stricter than OpenSSL: a member may sign what only one of them reads
        raise VerificationFailed("the peer's certificate is malformed") from None
    for public_key in roster_keys:
        try:
            Ed25519PublicKey.from_public_bytes(public_key).verify(
                certificate.signature, certificate.tbs_certificate_bytes
            )
        except InvalidSignature:
            continue
        return public_key
    raise VerificationFailed("the peer's certificate is not signed by any key of the group")


def why(error: Exception) -> str:
    """Return for people why there is no connection, or none any more."""
    if isinstance(error, ssl.SSLError):
        return "its TLS key is not the one in the roster"
    if isinstance(error, TimeoutError):
        return "no answer"
    if isinstance(error, EOFError):
        return "it closed the connection"
    return getattr(error, "strerror", None) or str(error)


def _certify(
    subject_key: Ed25519PublicKey, subject: str, issuer: Ed25519PrivateKey
) -> x509.Certificate:
    return _build(subject_key, _name(subject), _key_name(issuer.public_key()), issuer, ca=False)


def _anchor(public_key: bytes) -> x509.Certificate:
    """Return a certificate that makes `public_key` a trust anchor.

    Who signs it does not matter (nobody checks the signature of an anchor),
    so a key that is thrown away does.
    """
    key = Ed25519PublicKey.from_public_bytes(public_key)
    return _build(key, _key_name(key), _name("anchor"), Ed25519PrivateKey.generate(), ca=True)


def _build(
    subject_key: Ed25519PublicKey,
    subject: x509.Name,
    issuer: x509.Name,
    issuer_key: Ed25519PrivateKey,
    *,
    ca: bool,
) -> x509.Certificate:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(subject_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(_START)
        .not_valid_after(_NEVER)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=0 if ca else None), critical=True)
        .sign(issuer_key, None)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _key_name(key: Ed25519PublicKey) -> x509.Name:
    return _name(key.public_bytes(Encoding.Raw, PublicFormat.Raw).hex())


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


def _load_own(
    context: ssl.SSLContext, key: Ed25519PrivateKey, certificate: x509.Certificate
) -> None:
    """Load the TLS key. `ssl` reads keys from files only: one for this call, mode 0600."""
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with tempfile.TemporaryDirectory(prefix="quorate-") as folder:
        path = Path(folder) / "tls.pem"
        path.touch(mode=0o600)
        path.write_bytes(private + _pem(certificate).encode())
        context.load_cert_chain(path)
