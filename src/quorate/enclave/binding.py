"""What a quote is bound to: the 64 bytes of report data, and what they are the hash of.

One quote serves all owners: each finds its own nonce under its own name, so it
is fresh for each, and the quote of another run, plan, policy, group or role is
none of this one's. The enclave's keys are in it; rows are sealed to them alone.
"""

import hashlib
import hmac
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Literal

from quorate import wire
from quorate.enclave.appraise import Appraisal, appraise, require
from quorate.enclave.approvals import Subject
from quorate.enclave.claims import Claims
from quorate.enclave.evidence import Evidence
from quorate.enclave.policy import Policy
from quorate.enclave.verify import verify
from quorate.errors import Refused

Role = Literal["compute", "party", "dealer"]
NONCE = 32


@dataclass(frozen=True, slots=True)
class Nonce:
    """Fresh bytes of one owner, or of the enclave at the other end of a channel."""

    name: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Binding:
    """All that one quote vouches for."""

    role: Role
    subject: Subject
    approvals: bytes  # digest
    sealing_key: bytes  # X25519: rows are sealed to it
    signing_key: bytes  # Ed25519: receipts and channels are signed with it
    nonces: tuple[Nonce, ...]  # by name
    boot: bytes  # 32 fresh bytes of this start of the enclave
    epoch: int  # of the sealed state
    run: int  # from 1

    def report_data(self) -> bytes:
        """Return SHA-512 (64 bytes) of the canonical encoding."""
        return hashlib.sha512(wire.signing_input("enclave-binding", self)).digest()

    def digest(self) -> bytes:
        return wire.digest("enclave-binding", self)


@dataclass(frozen=True, slots=True)
class Expected:
    """What one owner knows without asking the enclave."""

    name: str
    nonce: bytes
    role: Role
    subject: Subject
    approvals: bytes
    run: int


@dataclass(frozen=True, slots=True)
class Admitted:
    """An enclave that one owner's own verifier accepted, and what was accepted."""

    binding: Binding
    claims: Claims
    appraisal: Appraisal


def admit(
    evidence: Evidence, binding: Binding, expected: Expected, policy: Policy, now: datetime
) -> Admitted:
    """Return the enclave, if evidence, policy and binding are exactly those that are due.

    Raises `Refused` and `VerificationFailed`. Nothing may be sealed to a key that did not
    come through here.
    """
    check_binding(binding, expected)
    if not hmac.compare_digest(policy.digest(), expected.subject.policy):
        raise Refused("the policy is not the one that was approved")
    claims = verify(evidence, now, policy.anchors())
    appraisal = require(appraise(claims, policy, binding.report_data(), now))
    return Admitted(binding, claims, appraisal)


def check_binding(binding: Binding, expected: Expected) -> None:
    """Refuse a binding to anything else than is expected. Raises `Refused`."""
    names = [each.name for each in binding.nonces]
    if names != sorted(set(names)):
        raise Refused("the enclave's nonces are not one of each, by name")
    mine = [each.value for each in binding.nonces if each.name == expected.name]
    fresh = len(mine) == 1 and len(expected.nonce) == NONCE
    if not fresh or not hmac.compare_digest(mine[0], expected.nonce):
        raise Refused("the evidence is not fresh: it does not hold this owner's nonce")
    for name in ("role", "approvals", "run"):
        if getattr(binding, name) != getattr(expected, name):
            raise Refused(f"the enclave is bound to another {name}")
    for field in fields(Subject):
        if getattr(binding.subject, field.name) != getattr(expected.subject, field.name):
            raise Refused(f"the enclave is bound to another {field.name}")
    keys = (binding.sealing_key, binding.signing_key, binding.boot)
    if any(len(key) != 32 for key in keys) or binding.epoch < 0:
        raise Refused("the enclave's keys are not of their length")
