"""Owners' word on an enclave: that this program, under this policy, may have their rows.

Each owner signs after it built the program itself, and says whether it did. A
word taken back counts from then on, whatever else is signed. Signed over
`wire.signing_input("enclave-approval", ...)` [RFC8032].
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate import wire
from quorate.algebra.signatures import verify_by
from quorate.errors import Refused

_DOMAIN = "enclave-approval"


@dataclass(frozen=True, slots=True)
class Owner:
    """A member whose rows the enclave gets, and the key that speaks for it."""

    name: str
    public_key: bytes


@dataclass(frozen=True, slots=True)
class Subject:
    """What is approved, by digests: nothing that steers the enclave is outside."""

    policy: bytes
    program: bytes  # `measure.measure`
    plan: bytes
    roster: bytes


@dataclass(frozen=True, slots=True)
class EnclaveApproval:
    """One owner's word."""

    owner: str
    subject: Subject
    word: Literal["approve", "withdraw"]
    rebuilt: bool  # whether the owner built the program itself and got this measurement
    expires: Annotated[datetime, msgspec.Meta(tz=True)]
    runs: int  # how often it may run


@dataclass(frozen=True, slots=True)
class SignedWord:
    """An approval under its owner's identity key."""

    approval: EnclaveApproval
    signature: bytes


def sign_word(key: Ed25519PrivateKey, approval: EnclaveApproval) -> SignedWord:
    return SignedWord(approval, key.sign(wire.signing_input(_DOMAIN, approval)))


def require_approvals(
    owners: tuple[Owner, ...],
    subject: Subject,
    words: Iterable[SignedWord],
    now: datetime,
    run: int,
) -> tuple[SignedWord, ...]:
    """Return one standing approval of each owner, in their order, for run number `run`, from 1.

    Raises `Refused` naming whose is missing, withdrawn, over or used up, and
    `VerificationFailed` for a word that is not its owner's.
    """
    standing: dict[str, SignedWord] = {}
    withdrawn: set[str] = set()
    keys = {owner.name: owner.public_key for owner in owners}
    for signed in words:
        said = signed.approval
        if said.owner not in keys or said.subject != subject:
            continue
        message = wire.signing_input(_DOMAIN, said)
        otherwise = f"an approval in the name of {said.owner} is not signed by it"
        verify_by(keys[said.owner], signed.signature, message, otherwise)
        if said.word == "withdraw":
            withdrawn.add(said.owner)
        elif said.expires > now and said.runs >= run >= 1:
            standing.setdefault(said.owner, signed)
    missing = [o.name for o in owners if o.name not in standing or o.name in withdrawn]
    if missing or not owners:
        raise Refused(
            f"no standing approval of the enclave by {', '.join(missing) or 'anybody'}",
            hint="each owner builds the program itself and approves its measurement",
        )
    return tuple(standing[owner.name] for owner in owners)


def approvals_digest(words: tuple[SignedWord, ...]) -> bytes:
    return wire.digest("enclave-approvals", words)
