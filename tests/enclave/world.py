"""Three owners, one measured program, and a simulated enclave that runs it."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from quorate.enclave.approvals import (
    EnclaveApproval,
    Owner,
    SignedWord,
    Subject,
    approvals_digest,
    sign_word,
)
from quorate.enclave.binding import Admitted, Binding, Expected, Nonce, admit
from quorate.enclave.claims import Value
from quorate.enclave.evidence import Evidence
from quorate.enclave.measure import File, measure, of_bytes
from quorate.enclave.policy import Policy, Reference
from quorate.enclave.simulation import sgx_report
from quorate.enclave.tunnel import Own
from tests.enclave.pki import NOW, platform, simulated

NAMES = ("north", "south", "west")
KEYS = {name: Ed25519PrivateKey.generate() for name in NAMES}
OWNERS = tuple(Owner(name, KEYS[name].public_key().public_bytes_raw()) for name in NAMES)
FILES = (
    of_bytes("wheel", "quorate.whl", b"wheel of quorate"),
    of_bytes("wheel", "numpy.whl", b"wheel of numpy"),
    of_bytes("requirements", "requirements.txt", b"numpy==2.1 --hash=sha256:..."),
    of_bytes("interpreter", "bin/python", b"\x7fELF", executable=True),
    of_bytes("plan", "plan.cbor", b"average age"),
    of_bytes("roster", "roster.cbor", b"north south west"),
    of_bytes("setting", "OMP_NUM_THREADS", b"1"),
    of_bytes("interpreter", "gramine/libsysdb.so", b"library OS"),
)


def policy(files: tuple[File, ...] = FILES) -> Policy:
    program = (Value("mrenclave", measure(files)),)
    return Policy((Reference("simulated", program),), simulation_roots=(platform().anchor,))


SUBJECT = Subject(policy().digest(), measure(FILES), b"p" * 32, b"r" * 32)


def word(name: str, **changes: Any) -> SignedWord:
    said = EnclaveApproval(name, SUBJECT, "approve", True, NOW + timedelta(days=1), 1)
    return sign_word(KEYS[name], replace(said, **changes))


WORDS = tuple(word(name) for name in NAMES)


@dataclass(frozen=True, slots=True)
class Enclave:
    """A started enclave: its keys, what its quote is bound to, and the quote."""

    sealing: X25519PrivateKey
    signing: Ed25519PrivateKey
    binding: Binding
    evidence: Evidence


def nonces() -> tuple[Nonce, ...]:
    return tuple(Nonce(name, os.urandom(32)) for name in NAMES)


def start(files: tuple[File, ...] = FILES, **changes: Any) -> Enclave:
    """Start an enclave of `files`, bound to what is usual but for `changes`."""
    sealing, signing = X25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    usual = Binding(
        "compute",
        SUBJECT,
        approvals_digest(WORDS),
        sealing.public_key().public_bytes_raw(),
        signing.public_key().public_bytes_raw(),
        nonces(),
        os.urandom(32),
        0,
        1,
    )
    binding = replace(usual, **changes)
    evidence = simulated(sgx_report(measure(files), binding.report_data()))
    return Enclave(sealing, signing, binding, evidence)


def expected(enclave: Enclave, name: str = "north", **changes: Any) -> Expected:
    """What an owner that gave its nonce to `enclave` waits for."""
    nonce = next(each.value for each in enclave.binding.nonces if each.name == name)
    usual = Expected(name, nonce, "compute", SUBJECT, approvals_digest(WORDS), 1)
    return replace(usual, **changes)


def admitted(enclave: Enclave, name: str = "north", **changes: Any) -> Admitted:
    due = expected(enclave, name, **changes)
    return admit(enclave.evidence, enclave.binding, due, policy(), NOW)


def own(enclave: Enclave) -> Own:
    """Return it as it shows itself to other enclaves."""
    return Own(enclave.binding, enclave.evidence.digest(), enclave.signing)


def once() -> Callable[[bytes], bool]:
    """What an owner's store does: say whether a name is claimed for the first time."""
    seen: set[bytes] = set()

    def claim(name: bytes) -> bool:
        fresh = name not in seen
        seen.add(name)
        return fresh

    return claim
