"""A simulated platform: real formats and real signatures, under a root that this process made.

Its quotes go through the same verifiers as Intel's; only the anchor differs.
It holds its keys in this process's memory, so it protects nothing from whoever
runs the machine: it is for trying things out, and only where a signed policy
names its root.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import islice

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from quorate.enclave import der
from quorate.enclave.certificates import fingerprint
from quorate.enclave.collateral import (
    Component,
    IsvLevel,
    Levels,
    ModuleLevel,
    QeIdentity,
    TcbInfo,
    TcbLevel,
)
from quorate.enclave.evidence import Collateral, Evidence
from quorate.enclave.pck import PCK_OID
from quorate.enclave.quote import INTEL_QE

Randomness = Callable[[int], bytes]

FMSPC, PCE_ID, EVALUATION = "515241544500", "0000", 1
_P256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_MODE_64, _INIT = 0x04, 0x01
_KEYSTREAM = 1024
"""Bytes: more than a machine and its authorities are made of."""

_YEAR, _MONTH = timedelta(days=365), timedelta(days=30)
QE_AUTH = bytes(range(32))
QE_SIGNER = sha256(b"quorate simulated quoting enclave").digest()


@dataclass(frozen=True, slots=True)
class Authority:
    """A key and its certificate."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    def sign(self, message: bytes) -> bytes:
        return sign_raw(self.key, message)


@dataclass(frozen=True, slots=True)
class Platform:
    """A simulated machine, and the authorities that vouch for it."""

    root: Authority
    platforms: Authority
    signer: Authority
    machine: Authority
    attestation: ec.EllipticCurvePrivateKey
    qe_body: bytes

    @property
    def anchor(self) -> bytes:
        """SHA-256 of the root certificate: what a policy names to allow this platform."""
        return fingerprint(self.root.certificate.public_bytes(Encoding.DER))

    def quote(self, body: bytes) -> bytes:
        """Return a version 3 quote over an enclave's report of 384 bytes."""
        header = (
            (3).to_bytes(2, "little") + (2).to_bytes(2, "little") + bytes(8) + INTEL_QE + bytes(20)
        )
        signature = self.signature(header + body, nested=False)
        return header + body + signature

    def signature(self, signed: bytes, *, nested: bool) -> bytes:
        """Return what stands after the signed part, with its length before it."""
        chain = self.machine.pem + self.platforms.pem + self.root.pem
        inner = (
            self.qe_body
            + self.machine.sign(self.qe_body)
            + _sized(QE_AUTH, 2)
            + (5).to_bytes(2, "little")
            + _sized(chain, 4)
        )
        if nested:
            inner = (6).to_bytes(2, "little") + _sized(inner, 4)
        return _sized(sign_raw(self.attestation, signed) + raw_key(self.attestation) + inner, 4)

    def evidence(self, measurement: bytes, report_data: bytes, collateral: Collateral) -> Evidence:
        """Return simulated evidence of a program of this measurement, 32 bytes."""
        quote = self.quote(sgx_report(measurement, report_data))
        return Evidence("simulated", quote, intel=collateral)

    def collateral(self, info: TcbInfo, identity: QeIdentity, now: datetime) -> Collateral:
        """Return `info` and `identity` signed, and empty lists of what is revoked."""
        said, who = (msgspec.json.encode(each).decode() for each in (info, identity))
        chain = (self.signer.pem + self.root.pem).decode()
        return Collateral(
            (self.platforms.pem + self.root.pem).decode(),
            revocations(self.root, (), now),
            revocations(self.platforms, (), now),
            chain,
            said,
            self.signer.sign(said.encode()),
            chain,
            who,
            self.signer.sign(who.encode()),
        )


def new_platform(now: datetime, randomness: Randomness) -> Platform:
    """Make a machine and its authorities, valid for a year from the day before `now`."""
    root = _authority("quorate SIMULATED root", None, now, randomness, depth=1)
    platforms = _authority("quorate SIMULATED platforms", root, now, randomness, depth=0)
    signer = _authority("quorate SIMULATED collateral", root, now, randomness)
    extension = _pck(randomness(16), randomness(16))
    machine = _authority("quorate SIMULATED machine", platforms, now, randomness, pck=extension)
    attestation = private_key(randomness)
    bound = sha256(raw_key(attestation) + QE_AUTH).digest() + bytes(32)
    return Platform(root, platforms, signer, machine, attestation, _qe_report(bound))


def platform_of(seed: bytes, created: datetime) -> Platform:
    """Return the machine that follows from 32 secret bytes and a time: the same each time."""
    keystream = HKDFExpand(hashes.SHA256(), _KEYSTREAM, b"quorate/v1/simulated").derive(seed)
    rest = iter(keystream)
    return new_platform(created, lambda size: bytes(islice(rest, size)))


def tcb_info(now: datetime, status: str = "UpToDate", advisories: tuple[str, ...] = ()) -> TcbInfo:
    """Return what the simulated maker says of the machine: at this status since a month."""
    components = tuple(Component(1) for _ in range(16))
    since = f"{now - _MONTH:%Y-%m-%dT00:00:00Z}"
    level = TcbLevel(Levels(components, 1), since, status, advisories)
    begin = now.replace(microsecond=0) - timedelta(hours=1)
    return TcbInfo(
        "SGX", 3, begin, begin + _MONTH, FMSPC, PCE_ID, 0, EVALUATION, tcb_levels=(level,)
    )


def qe_identity(now: datetime) -> QeIdentity:
    """Return who the simulated quoting enclave is."""
    begin = now.replace(microsecond=0) - timedelta(hours=1)
    level = ModuleLevel(IsvLevel(1), f"{now - _MONTH:%Y-%m-%dT00:00:00Z}", "UpToDate")
    return QeIdentity(
        "QE",
        2,
        begin,
        begin + _MONTH,
        EVALUATION,
        "00000000",
        "FFFFFFFF",
        f"{_INIT | _MODE_64 | 0x10:02X}" + "00" * 15,
        "FBFFFFFFFFFFFFFF" + "00" * 8,
        QE_SIGNER.hex().upper(),
        1,
        (level,),
    )


def sgx_report(
    measurement: bytes,
    report_data: bytes,
    *,
    signer: bytes = bytes(32),
    attributes: int = _INIT | _MODE_64,
    product: int = 1,
    svn: int = 1,
) -> bytes:
    """Return an enclave's report: 384 bytes."""
    return b"".join(
        (
            bytes([1] * 16),
            bytes(32),
            attributes.to_bytes(8, "little"),
            (3).to_bytes(8, "little"),
            measurement,
            bytes(32),
            signer,
            bytes(32 + 64),
            product.to_bytes(2, "little"),
            svn.to_bytes(2, "little"),
            bytes(60),
            report_data,
        )
    )


def revocations(by: Authority, serials: tuple[int, ...], now: datetime) -> bytes:
    """Return a list of certificates that `by` took back, in DER, good for a month."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(by.certificate.subject)
        .last_update(now - timedelta(hours=1))
        .next_update(now + _MONTH)
        .add_extension(x509.CRLNumber(1), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(by.key.public_key()), critical=False
        )
    )
    for serial in serials:
        revoked = x509.RevokedCertificateBuilder().serial_number(serial)
        builder = builder.add_revoked_certificate(revoked.revocation_date(now).build())
    return builder.sign(by.key, hashes.SHA256()).public_bytes(Encoding.DER)


def private_key(randomness: Randomness) -> ec.EllipticCurvePrivateKey:
    """Return a key on P-256."""
    secret = int.from_bytes(randomness(48)) % (_P256 - 1) + 1
    return ec.derive_private_key(secret, ec.SECP256R1())


def raw_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return x and y."""
    public = key.public_key()
    return public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)[1:]


def sign_raw(key: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
    """Return r and s, 64 bytes."""
    r, s = utils.decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32) + s.to_bytes(32)


def _authority(
    name: str,
    by: Authority | None,
    now: datetime,
    randomness: Randomness,
    *,
    depth: int | None = None,
    pck: bytes = b"",
) -> Authority:
    """Return a key with a certificate by `by` or itself; an authority where `depth` is given."""
    key = private_key(randomness)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(int.from_bytes(b"\x01" + randomness(15)))
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _YEAR)
    )
    signer = by.key if by else key
    authority = depth is not None
    usage = x509.KeyUsage(
        not authority, False, False, False, False, authority, authority, False, False
    )
    builder = builder.add_extension(x509.BasicConstraints(authority, depth), critical=True)
    builder = builder.add_extension(usage, critical=True)
    if pck:
        extension = x509.UnrecognizedExtension(x509.ObjectIdentifier(PCK_OID), pck)
        builder = builder.add_extension(extension, critical=False)
    return Authority(key, builder.sign(signer, hashes.SHA256(), ecdsa_deterministic=True))


def _pck(ppid: bytes, instance: bytes) -> bytes:
    """Return Intel's extension, of a machine whose every version is 1."""
    one = der.encode(der.INTEGER, b"\x01")
    tcb = [_named(f"2.{n}", one) for n in range(1, 18)]
    tcb.append(_named("2.18", der.encode(der.OCTET_STRING, bytes([1] * 16))))
    off = der.encode(der.BOOLEAN, b"\x00")
    configuration = b"".join(_named(f"7.{n}", off) for n in (1, 2, 3))
    parts = (
        _named("1", der.encode(der.OCTET_STRING, ppid)),
        _named("2", der.encode(der.SEQUENCE, b"".join(tcb))),
        _named("3", der.encode(der.OCTET_STRING, bytes.fromhex(PCE_ID))),
        _named("4", der.encode(der.OCTET_STRING, bytes.fromhex(FMSPC))),
        _named("5", der.encode(der.ENUMERATED, b"\x00")),
        _named("6", der.encode(der.OCTET_STRING, instance)),
        _named("7", der.encode(der.SEQUENCE, configuration)),
    )
    return der.encode(der.SEQUENCE, b"".join(parts))


def _named(path: str, value: bytes) -> bytes:
    return der.encode(der.SEQUENCE, der.encode_oid(f"{PCK_OID}.{path}") + value)


def _qe_report(bound: bytes) -> bytes:
    return sgx_report(
        sha256(b"qe").digest(), bound, signer=QE_SIGNER, attributes=_INIT | _MODE_64 | 0x10
    )


def _sized(data: bytes, width: int) -> bytes:
    return len(data).to_bytes(width, "little") + data
