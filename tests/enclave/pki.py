"""Makers of evidence: generated roots, and quotes, reports and documents in the exact formats."""

import os
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import cbor2
import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from quorate.enclave import der
from quorate.enclave.anchors import PRODUCTION, Anchors
from quorate.enclave.certificates import fingerprint
from quorate.enclave.claims import Value
from quorate.enclave.collateral import Component, TcbInfo, TdxModule
from quorate.enclave.evidence import AmdChain, Evidence, Register, TpmParts
from quorate.enclave.policy import Policy, Reference
from quorate.enclave.quote import INTEL_QE
from quorate.enclave.simulation import (
    Platform,
    new_platform,
    private_key,
    qe_identity,
    sgx_report,
    sign_raw,
    tcb_info,
)

NOW = datetime(2027, 3, 1, 9, 30, tzinfo=UTC)
PROGRAM = sha256(b"the program").digest()
BOUND = sha256(b"what this run is bound to").digest() * 2
MODULE = TdxModule("00" * 48, "00" * 8, "FF" * 8)

_PLATFORM: list[Platform] = []


def platform() -> Platform:
    """The one simulated machine of these tests."""
    if not _PLATFORM:
        _PLATFORM.append(new_platform(NOW, os.urandom))
    return _PLATFORM[0]


def simulated(body: bytes | None = None, info: TcbInfo | None = None) -> Evidence:
    """Evidence of `PROGRAM` bound to `BOUND`, on a machine of which `info` holds."""
    machine = platform()
    quote = machine.quote(sgx_report(PROGRAM, BOUND) if body is None else body)
    said = tcb_info(NOW) if info is None else info
    return Evidence("simulated", quote, intel=machine.collateral(said, qe_identity(NOW), NOW))


def sgx_policy(**changes: Any) -> Policy:
    program = (Value("mrenclave", PROGRAM),)
    return Policy(
        (Reference("simulated", program, **changes),), simulation_roots=(platform().anchor,)
    )


def td_report(report_data: bytes = BOUND, attributes: int = 1 << 28, service: bytes = b"") -> bytes:
    """A trust domain's report: 584 bytes, or 648 with a service domain's measurement."""
    measured = b"".join(sha256(bytes([n])).digest() + bytes(16) for n in range(4))
    body = b"".join(
        (
            bytes([1, 0]) + bytes([1] * 14),
            bytes(48 + 48 + 8),
            attributes.to_bytes(8, "little"),
            bytes(8),
            PROGRAM + bytes(16),
            bytes(3 * 48),
            measured,
            report_data,
        )
    )
    return body + body[:16] + service if service else body


def tdx(body: bytes, version: int, info: TcbInfo | None = None) -> Evidence:
    """A quote of TDX under the simulated machine's root."""
    machine = platform()
    header = (
        version.to_bytes(2, "little")
        + (2).to_bytes(2, "little")
        + (0x81).to_bytes(4, "little")
        + bytes(4)
        + INTEL_QE
        + bytes(20)
    )
    if version == 5:
        kind = 2 if len(body) == 584 else 3
        header += kind.to_bytes(2, "little") + len(body).to_bytes(4, "little")
    quote = header + body + machine.signature(header + body, nested=True)
    identity = qe_identity(NOW)

    collateral = machine.collateral(
        td_info() if info is None else info, msgspec.structs.replace(identity, id="TD_QE"), NOW
    )
    return Evidence("tdx", quote, intel=collateral)


def td_info() -> TcbInfo:

    info = tcb_info(NOW)
    level = info.tcb_levels[0]
    parts = (Component(1), Component(0), *(Component(1) for _ in range(14)))
    tcb = msgspec.structs.replace(level.tcb, tdxtcbcomponents=parts)
    levels = (msgspec.structs.replace(level, tcb=tcb),)
    return msgspec.structs.replace(info, id="TDX", tcb_levels=levels, tdx_module=MODULE)


def intel_anchors() -> Anchors:
    """The generated root in Intel's place, for quotes that say they are hardware's."""
    return replace(PRODUCTION, intel=platform().anchor, simulation=(platform().anchor,))


# AMD ----------------------------------------------------------------------------------------------

TCB = (3, 0, 8, 115)  # bootloader, tee, snp, microcode
CHIP = sha256(b"chip").digest() * 2


@dataclass(frozen=True, slots=True)
class Amd:
    """Keys of an ARK, an ASK and a chip."""

    ark: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))
    ask: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))
    vek: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP384R1())
    )

    def chain(self) -> AmdChain:
        ark = amd_certificate("ARK-Test", "ARK-Test", self.ark, self.ark, serial=0x10000)
        ask = amd_certificate("SEV-Test", "ARK-Test", self.ask, self.ark, serial=0x10001)
        return AmdChain(self.leaf(), ask, ark)

    def leaf(self, name: str = "SEV-VCEK", **says: Any) -> bytes:
        """The certificate of the key that signs reports."""
        return amd_certificate(name, "SEV-Test", self.vek, self.ask, extensions=vek_says(**says))

    def revoked(self, *serials: int) -> bytes:
        """The ARK's list of authorities that were taken back."""
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ARK-Test")])
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(name)
            .last_update(NOW - timedelta(days=1))
            .next_update(NOW + timedelta(days=30))
        )
        for serial in serials:
            revoked = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(NOW)
            builder = builder.add_revoked_certificate(revoked.build())
        pss = padding.PSS(padding.MGF1(hashes.SHA384()), 48)
        signed = builder.sign(self.ark, hashes.SHA384(), rsa_padding=pss)
        return signed.public_bytes(Encoding.DER)

    def report(self, **changes: Any) -> bytes:
        return sign_report(self.vek, snp_fields(**changes))


def snp_fields(
    *,
    version: int = 3,
    policy: int = 0x30000 & ~(1 << 16),
    vmpl: int = 0,
    measurement: bytes = PROGRAM + bytes(16),
    tcb: tuple[int, int, int, int] = TCB,
    chip: bytes = CHIP,
    platform_info: int = 1 << 5,
    key: int = 0,
    report_data: bytes = BOUND,
) -> bytes:
    """The 672 bytes that a chip signs."""
    reported = bytes((tcb[0], tcb[1], 0, 0, 0, 0, tcb[2], tcb[3]))
    head = version.to_bytes(4, "little") + bytes(4) + policy.to_bytes(8, "little") + bytes(32)
    head += vmpl.to_bytes(4, "little") + (1).to_bytes(4, "little") + reported
    head += platform_info.to_bytes(8, "little") + (key << 2).to_bytes(4, "little") + bytes(4)
    head += report_data + measurement + bytes(32 + 48 + 48 + 64)
    return (head + reported + bytes(24) + chip).ljust(672, b"\0")


def sign_report(key: ec.EllipticCurvePrivateKey, signed: bytes) -> bytes:
    r, s = utils.decode_dss_signature(key.sign(signed, ec.ECDSA(hashes.SHA384())))
    return (signed + r.to_bytes(72, "little") + s.to_bytes(72, "little")).ljust(1184, b"\0")


def vek_says(
    *, tcb: tuple[int, int, int, int] = TCB, chip: bytes | None = CHIP, product: bytes = b"Milan-B0"
) -> bytes:
    said = {"1.3.6.1.4.1.3704.1.2": der.encode(der.IA5_STRING, product)}
    for oid, value in zip((1, 2, 3, 8), tcb, strict=True):
        number = value.to_bytes(2).lstrip(b"\0") or b"\0"
        number = b"\0" + number if number[0] >= 0x80 else number
        said[f"1.3.6.1.4.1.3704.1.3.{oid}"] = der.encode(der.INTEGER, number)
    if chip is not None:
        said["1.3.6.1.4.1.3704.1.4"] = chip
    return b"".join(
        der.encode(der.SEQUENCE, der.encode_oid(oid) + der.encode(der.OCTET_STRING, value))
        for oid, value in said.items()
    )


def amd_certificate(
    name: str,
    issuer: str,
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey,
    by: rsa.RSAPrivateKey,
    *,
    serial: int = 0,
    extensions: bytes = b"",
) -> bytes:
    """A certificate as AMD makes them, with a serial number that libraries refuse."""
    number = serial.to_bytes(4).lstrip(b"\0") or b"\0"
    algorithm = der.encode(der.SEQUENCE, der.encode_oid("1.2.840.113549.1.1.10"))
    times = b"".join(
        der.encode(der.UTC_TIME, f"{day:%y%m%d%H%M%SZ}".encode())
        for day in (NOW - timedelta(days=9), NOW + timedelta(days=99))
    )
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    always = der.encode(
        der.SEQUENCE, der.encode_oid("2.5.29.14") + der.encode(der.OCTET_STRING, b"\4\0")
    )
    tbs = der.encode(
        der.SEQUENCE,
        der.encode(0xA0, der.encode(der.INTEGER, b"\2"))
        + der.encode(der.INTEGER, number)
        + algorithm
        + amd_name(issuer)
        + der.encode(der.SEQUENCE, times)
        + amd_name(name)
        + spki
        + der.encode(0xA3, der.encode(der.SEQUENCE, always + extensions)),
    )
    pss = padding.PSS(padding.MGF1(hashes.SHA384()), 48)
    signature = der.encode(der.BIT_STRING, b"\0" + by.sign(tbs, pss, hashes.SHA384()))
    return der.encode(der.SEQUENCE, tbs + algorithm + signature)


def amd_name(text: str) -> bytes:
    pair = der.encode(der.SEQUENCE, der.encode_oid("2.5.4.3") + der.encode(0x0C, text.encode()))
    return der.encode(der.SEQUENCE, der.encode(0x31, pair))


# Nitro and TPM ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Nitro:
    """A root and an enclave's key on P-384."""

    root: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP384R1())
    )
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP384R1())
    )

    def certificate(self, ca: bool) -> x509.Certificate:
        subject, issuer = (
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
            for name in ("root" if ca else "enclave", "root")
        )
        public = (self.root if ca else self.key).public_key()
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(public)
            .serial_number(1 + ca)
            .not_valid_before(NOW - timedelta(minutes=1))
            .not_valid_after(NOW + timedelta(hours=3))
            .add_extension(x509.BasicConstraints(ca, None), critical=True)
            .sign(self.root, hashes.SHA384())
        )

    @property
    def anchor(self) -> bytes:
        return fingerprint(self.certificate(ca=True).public_bytes(Encoding.DER))

    def document(self, root: x509.Certificate, **changes: Any) -> bytes:
        said = {
            "module_id": "i-0-enc0",
            "timestamp": int(NOW.timestamp() * 1000),
            "digest": "SHA384",
            "pcrs": {n: bytes([n + 1] * 48) for n in range(3)},
            "certificate": self.certificate(ca=False).public_bytes(Encoding.DER),
            "cabundle": [root.public_bytes(Encoding.DER)],
            "public_key": None,
            "user_data": BOUND,
            "nonce": None,
        } | changes
        return self.sign(cbor2.dumps(said))

    def sign(self, payload: bytes) -> bytes:
        protected = b"\xa1\x01\x38\x22"
        signed = cbor2.dumps(["Signature1", protected, b"", payload])
        r, s = utils.decode_dss_signature(self.key.sign(signed, ec.ECDSA(hashes.SHA384())))
        return cbor2.dumps([protected, {}, payload, r.to_bytes(48) + s.to_bytes(48)])


@dataclass(frozen=True, slots=True)
class Tpm:
    """An attestation key."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: private_key(os.urandom))

    def evidence(self, registers: dict[int, bytes], report_data: bytes = BOUND) -> Evidence:
        bitmap = sum(1 << n for n in registers).to_bytes(3, "little")
        digest = sha256(b"".join(registers[n] for n in sorted(registers))).digest()
        quote = (
            bytes.fromhex("ff5443478018")
            + sized(b"\0\x0b" + bytes(32))
            + sized(report_data)
            + bytes(16)
            + b"\1"
            + bytes(8)
            + bytes.fromhex("00000001000b03")
            + bitmap
            + sized(digest)
        )
        raw = sign_raw(self.key, quote)
        signature = bytes.fromhex("0018000b") + sized(raw[:32]) + sized(raw[32:])
        public = self.key.public_key()
        spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        shown = tuple(Register(n, registers[n]) for n in sorted(registers))
        return Evidence("tpm", quote, tpm=TpmParts(signature, spki, shown))


def sized(data: bytes) -> bytes:
    return len(data).to_bytes(2) + data
