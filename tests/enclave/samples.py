"""Real evidence, in the folder that the environment variable QUORATE_QUOTES names.

All of its collateral is over: it verifies only at a time that the test gives.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

from quorate.enclave.evidence import AmdChain, Collateral, Register, TpmParts

VARIABLE = "QUORATE_QUOTES"
IN_BYTES = {"root_ca_crl", "pck_crl", "tcb_info_signature", "qe_identity_signature"}


def sample(path: str) -> bytes:
    """One file; the test is skipped, saying so, where it is not there."""
    folder = os.environ.get(VARIABLE, "")
    if not folder:
        pytest.skip(f"{VARIABLE} names no folder of real quotes: {path} was not tried")
    file = Path(folder) / path
    if not file.is_file():
        pytest.skip(f"{VARIABLE} holds no {path}: it was not tried")
    return file.read_bytes()


def collateral(path: str) -> Collateral:
    parts: dict[str, Any] = json.loads(sample(path))
    given: dict[str, Any] = {
        name: bytes.fromhex(v) if name in IN_BYTES else v for name, v in parts.items()
    }
    return Collateral(**given)


def automata_collateral() -> Collateral:
    """The same, of a platform whose parts are kept as Intel's service gives them."""
    info = sample("automata/0825/sgx_tcbinfov3_00606a000000.json").decode()
    identity = sample("automata/0825/sgx_qeidentity_v4.json").decode()
    root, signing, platform = (
        x509.load_der_x509_certificate(sample(f"automata/solana/{name}.der"))
        .public_bytes(Encoding.PEM)
        .decode()
        for name in ("root", "signing", "platform")
    )
    return Collateral(
        platform + root,
        sample("automata/solana/intel_root_ca_crl.der"),
        sample("automata/0825/platform_crl.der"),
        signing + root,
        _inside(info, "tcbInfo"),
        bytes.fromhex(json.loads(info)["signature"]),
        signing + root,
        _inside(identity, "enclaveIdentity"),
        bytes.fromhex(json.loads(identity)["signature"]),
    )


def amd_chain(vek: str, *above: str) -> AmdChain:
    """The chain of a key in DER and certificates in PEM, from ASK to ARK."""
    found = [c for path in above for c in x509.load_pem_x509_certificates(sample(path))]
    ask, ark = (each.public_bytes(Encoding.DER) for each in found)
    return AmdChain(sample(vek), ask, ark)


def tpm_parts() -> TpmParts:
    key = load_pem_public_key(sample("swtpm/ak.pub"))
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return TpmParts(sample("swtpm/q.sig"), der, _registers(sample("swtpm/q.pcrs")))


def _registers(data: bytes) -> tuple[Register, ...]:
    """What tpm2_quote -o writes: the selection, then lists of eight digests each."""
    assert data[:4] == (1).to_bytes(4, "little"), "one bank of registers"
    size = data[6]
    bitmap = data[7 : 7 + size]
    indexes = [n for n in range(8 * size) if bitmap[n // 8] >> n % 8 & 1]
    at = 132
    lists = int.from_bytes(data[at : at + 4], "little")
    values: list[bytes] = []
    for number in range(lists):
        begin = at + 4 + number * (4 + 8 * 66)
        count = int.from_bytes(data[begin : begin + 4], "little")
        for place in range(count):
            entry = begin + 4 + place * 66
            length = int.from_bytes(data[entry : entry + 2], "little")
            values.append(data[entry + 2 : entry + 2 + length])
    return tuple(Register(n, value) for n, value in zip(indexes, values, strict=True))


def _inside(text: str, name: str) -> str:
    """The bytes that are signed: the object as it stands in the answer."""
    begin = text.index(f'"{name}":') + len(name) + 3
    return text[begin : text.rindex(',"signature"')]
