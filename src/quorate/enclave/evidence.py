"""Evidence [RFC9334]: what an enclave shows of itself, and what its maker says of it.

Everything here comes from whoever runs the machine, or from whoever wants to be
believed: all of it is checked by `verify`. One envelope, so that evidence can
be archived whole with the time at which it was accepted.
"""

from dataclasses import dataclass
from typing import Literal

from quorate import wire

Kind = Literal["sgx", "tdx", "snp", "nitro", "tpm", "simulated"]

KINDS: tuple[Kind, ...] = ("sgx", "tdx", "snp", "nitro", "tpm", "simulated")


@dataclass(frozen=True, slots=True)
class Collateral:
    """What Intel says of a platform [DCAP24]: lists, TCB levels, its quoting enclaves.

    Certificates are PEM; revocation lists are DER; signatures are r and s, 64 bytes.
    """

    pck_crl_issuer_chain: str
    root_ca_crl: bytes
    pck_crl: bytes
    tcb_info_issuer_chain: str
    tcb_info: str
    tcb_info_signature: bytes
    qe_identity_issuer_chain: str
    qe_identity: str
    qe_identity_signature: bytes


@dataclass(frozen=True, slots=True)
class AmdChain:
    """The certificates above a report of SEV-SNP, in DER: of the key that signed, ASK, ARK."""

    vek: bytes
    ask: bytes
    ark: bytes
    crl: bytes = b""  # of the ARK; without one, revocation is not assessed


@dataclass(frozen=True, slots=True)
class Register:
    """A platform configuration register and what it holds."""

    index: int
    value: bytes


@dataclass(frozen=True, slots=True)
class TpmParts:
    """What belongs to a TPM's quote: TPMT_SIGNATURE, the attestation key in DER, the registers."""

    signature: bytes
    key: bytes
    registers: tuple[Register, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A quote, report or document as the hardware gave it, and what is needed to check it."""

    kind: Kind
    quote: bytes
    intel: Collateral | None = None
    amd: AmdChain | None = None
    tpm: TpmParts | None = None

    def digest(self) -> bytes:
        return wire.digest("enclave-evidence", self)
