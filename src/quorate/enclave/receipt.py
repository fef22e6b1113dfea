"""The origin of a result: which enclave made it, from whose rows, and what that was worth when.

A receipt is signed by the key that the quote vouches for. It is archived with
the evidence, its collateral and the time at which it was accepted; so it can be
checked years later, and two things are then said apart: that it was valid when
it was made, and whether the same enclave would be accepted today. Neither says
that the program is good, only which it is.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate import wire
from quorate.algebra.signatures import verify_by
from quorate.enclave.appraise import appraise, require
from quorate.enclave.approvals import Owner, SignedWord, approvals_digest, require_approvals
from quorate.enclave.binding import Binding
from quorate.enclave.evidence import Evidence, Kind
from quorate.enclave.policy import Policy
from quorate.enclave.verify import verify
from quorate.errors import MalformedMessage, Refused, VerificationFailed

_WATERMARKS: dict[Kind, str] = {
    "simulated": "SIMULATED - NO CONFIDENTIALITY",
    "tpm": "MEASURED - NO CONFIDENTIALITY AGAINST THE HOST",
}


@dataclass(frozen=True, slots=True)
class Intake:
    """One owner's rows as they came in."""

    owner: str
    commitment: bytes
    size: int  # bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    """What an enclave says of its result."""

    binding: Binding
    intake: tuple[Intake, ...]
    result: bytes  # SHA-256
    watermark: str  # empty on hardware


@dataclass(frozen=True, slots=True)
class SignedReceipt:
    receipt: Receipt
    signature: bytes


@dataclass(frozen=True, slots=True)
class Archive:
    """All that is needed to check a receipt later, without asking anybody."""

    signed: SignedReceipt
    evidence: Evidence
    policy: Policy
    approvals: tuple[SignedWord, ...]
    accepted: Annotated[datetime, msgspec.Meta(tz=True)]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What can be said of a receipt. An empty reason means yes."""

    was_valid: str
    passes_today: str
    watermark: str
    believe: tuple[str, ...]  # what must still be taken on faith


def watermark(kind: Kind) -> str:
    """Return what must stand on every result of such a platform; on hardware nothing."""
    return _WATERMARKS.get(kind, "")


def sign_receipt(key: Ed25519PrivateKey, receipt: Receipt) -> SignedReceipt:
    return SignedReceipt(receipt, key.sign(_signed(receipt)))


def check_receipt(
    archive: Archive, result: bytes, owners: tuple[Owner, ...], now: datetime
) -> Verdict:
    """Return what holds of a receipt for the `result` of this SHA-256, then and today.

    `owners` are those that the asker knows to be the group's: an archive could name any.

    Raises `VerificationFailed` if it is not the enclave's receipt for this result at all:
    signature, approvals and binding do not depend on the day.
    """
    receipt = archive.signed.receipt
    binding = receipt.binding
    otherwise = "the receipt is not signed by the enclave"
    verify_by(binding.signing_key, archive.signed.signature, _signed(receipt), otherwise)
    if receipt.result != result:
        raise VerificationFailed("the receipt is for another result")
    if archive.policy.digest() != binding.subject.policy:
        raise VerificationFailed("the receipt was made under another policy")
    if approvals_digest(archive.approvals) != binding.approvals:
        raise VerificationFailed("the receipt was made on other approvals")
    if receipt.watermark != watermark(archive.evidence.kind):
        raise VerificationFailed("the receipt hides on what kind of platform it was made")
    return Verdict(
        was_valid=_why_not(archive, owners, archive.accepted),
        passes_today=_why_not(archive, owners, now),
        watermark=receipt.watermark,
        believe=_believe(archive),
    )


def _why_not(archive: Archive, owners: tuple[Owner, ...], when: datetime) -> str:
    """Return why the enclave is not accepted as of `when`, or nothing."""
    binding = archive.signed.receipt.binding
    try:
        require_approvals(owners, binding.subject, archive.approvals, when, binding.run)
        claims = verify(archive.evidence, when, archive.policy.anchors())
        require(appraise(claims, archive.policy, binding.report_data(), when))
    except (Refused, VerificationFailed, MalformedMessage) as refused:
        return str(refused)
    return ""


def _believe(archive: Archive) -> tuple[str, ...]:
    makers = {"sgx": "Intel", "tdx": "Intel", "snp": "AMD", "nitro": "AWS"}
    unbuilt = [w.approval.owner for w in archive.approvals if not w.approval.rebuilt]
    maker = makers.get(archive.evidence.kind)
    said = [
        f"{maker} signs quotes of genuine hardware only"
        if maker
        else "whoever ran the machine did not look: nothing kept it from looking",
        "nobody opened the machine and read its keys",
        "the program does what its owners think: a measurement says which it is, not what it does",
        f"the time of acceptance, {archive.accepted:%Y-%m-%d %H:%M}, is the archive's word",
    ]
    if unbuilt:
        said.append(f"{', '.join(unbuilt)} approved a measurement it did not rebuild")
    return tuple(said)


def _signed(receipt: Receipt) -> bytes:
    return wire.signing_input("enclave-receipt", receipt)
