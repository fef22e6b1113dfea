"""Quotes of a TPM 2.0: registers under an attestation key that a policy names [TPM20].

A quote says what was measured into the registers, in order, since the machine
started. It hides nothing from whoever runs the machine. The key is pinned by
the policy (or by a report of SEV-SNP or TDX that names it): a certificate of a
software TPM's maker is worth nothing.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from quorate.enclave.certificates import fingerprint, verify_ecdsa
from quorate.enclave.claims import Claims, Flag, Number, Value
from quorate.enclave.evidence import Register, TpmParts
from quorate.enclave.octets import Reader
from quorate.errors import MalformedMessage, VerificationFailed

_MAGIC, _QUOTE, _SHA256, _ECDSA = 0xFF544347, 0x8018, 0x000B, 0x0018
REGISTERS = 24
RESETTABLE = (16, 23)
"""Registers that any program may set back: nothing that counts is measured into them."""

_ALWAYS = datetime(2000, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Attest:
    """TPMS_ATTEST of a quote, taken apart."""

    extra_data: bytes
    clock: int
    resets: int
    restarts: int
    safe: bool
    selection: tuple[int, ...]
    digest: bytes


def verify_tpm(data: bytes, parts: TpmParts, keys: tuple[bytes, ...]) -> Claims:
    """Return the claims of a quote under a key whose SHA-256 is one of `keys`.

    Raises `VerificationFailed` and `MalformedMessage`.
    """
    if fingerprint(parts.key) not in keys:
        raise VerificationFailed("the quote is by an attestation key that nobody named")
    try:
        key = load_der_public_key(parts.key)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise MalformedMessage("not an attestation key") from error
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise VerificationFailed("the attestation key is of an unexpected kind")
    verify_ecdsa(key, _signature(parts.signature), data, hashes.SHA256(), "the quote")
    attest = parse(data)
    _verify_registers(attest, parts.registers)
    return Claims(
        kind="tpm",
        report_data=attest.extra_data,
        debug=False,
        values=tuple(Value(f"pcr{each.index}", each.value) for each in parts.registers),
        numbers=(
            Number("clock", attest.clock),
            Number("resets", attest.resets),
            Number("restarts", attest.restarts),
        ),
        flags=(Flag("clock-safe", attest.safe),),
        hardware=fingerprint(parts.key),
        anchor=fingerprint(parts.key),
        not_before=_ALWAYS[0],
        not_after=_ALWAYS[1],
    )


def parse(data: bytes) -> Attest:
    """Take TPMS_ATTEST apart. Raises `MalformedMessage` unless it is a quote over SHA-256."""
    reader = Reader(data)
    if reader.number(4, "big") != _MAGIC or reader.number(2, "big") != _QUOTE:
        raise MalformedMessage("not a quote that a TPM made")
    reader.sized(2, "big")  # qualifiedSigner: follows from the key
    extra_data = reader.sized(2, "big")
    clock, resets, restarts = (
        reader.number(8, "big"),
        reader.number(4, "big"),
        reader.number(4, "big"),
    )
    safe = reader.number(1)
    reader.take(8)
    if reader.number(4, "big") != 1 or reader.number(2, "big") != _SHA256 or safe not in {0, 1}:
        raise MalformedMessage("a quote of registers in another form")
    bitmap = reader.sized(1)
    selection = tuple(n for n in range(8 * len(bitmap)) if bitmap[n // 8] >> n % 8 & 1)
    digest = reader.sized(2, "big")
    reader.end()
    if any(n >= REGISTERS for n in selection):
        raise MalformedMessage("a quote of a register that there is not")
    return Attest(extra_data, clock, resets, restarts, bool(safe), selection, digest)


def _verify_registers(attest: Attest, registers: tuple[Register, ...]) -> None:
    """The registers shown are those selected, in order, and hash to what was signed."""
    if tuple(each.index for each in registers) != attest.selection:
        raise VerificationFailed("the registers shown are not those that were quoted")
    if any(len(each.value) != 32 for each in registers):
        raise MalformedMessage("a register of another length")
    found = hashlib.sha256(b"".join(each.value for each in registers)).digest()
    if not hmac.compare_digest(found, attest.digest):
        raise VerificationFailed("the registers shown are not what was quoted")


def _signature(data: bytes) -> bytes:
    """Return r and s of TPMT_SIGNATURE on P-256."""
    reader = Reader(data)
    if reader.number(2, "big") != _ECDSA or reader.number(2, "big") != _SHA256:
        raise MalformedMessage("a signature of another kind than ECDSA over SHA-256")
    r, s = reader.sized(2, "big"), reader.sized(2, "big")
    reader.end()
    if max(len(r), len(s)) > 32:
        raise MalformedMessage("a signature of another length")
    return r.rjust(32, b"\0") + s.rjust(32, b"\0")
