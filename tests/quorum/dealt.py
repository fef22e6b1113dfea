"""A key whose shares a dealer made, for tests of what a key is used for; and words on requests."""

import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate.algebra import edwards25519 as ed
from quorate.quorum.answer import Answer, SignedAnswer, Word, sign_answer
from quorate.quorum.key import Key, sign_key
from quorate.quorum.key_plan import FORMAT, KeyPlan, holders_of
from quorate.quorum.order import FORMAT as ORDER_FORMAT
from quorate.quorum.order import Order
from quorate.quorum.request import Request, make_request, sign_request
from quorate.studies.group import Group, Member
from quorate.studies.times import utc_text
from quorate.threshold import frost, sharing
from quorate.threshold.keys import KeyShare, PublicKey, Purpose

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
DOCUMENT = '{"resourceType": "MedicationRequest", "status": "active"}'
ROLES = ("doctor", "pharmacist", "nurse")
WARD = (*ROLES, "laboratory", "reception")


def identity(name: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(name.encode().ljust(32, b"."))


def ward(names: Sequence[str] = WARD) -> Group:
    members = (
        Member(name, f"{name}.example:7400", identity(name).public_key().public_bytes_raw())
        for name in names
    )
    return Group("ward", tuple(members))


def plan_of(
    group: Group, names: Sequence[str], min_signers: int, purpose: Purpose = "sign"
) -> KeyPlan:
    return KeyPlan(
        FORMAT,
        "medication",
        purpose,
        group.digest(),
        holders_of(group, names),
        min_signers,
        names[0],
        utc_text(NOW),
        utc_text(NOW + timedelta(days=7)),
        bytes(16),
    )


def deal(plan: KeyPlan, keys: Sequence[Ed25519PrivateKey]) -> tuple[Key, tuple[KeyShare, ...]]:
    """Return a key and its shares; `keys` are the holders' identities."""
    coefficients = sharing.polynomial(ed.random_scalar(os.urandom), plan.min_signers, os.urandom)
    public = PublicKey(plan.purpose, len(plan.holders), sharing.commit(coefficients))
    shares = (KeyShare(i, sharing.evaluate(coefficients, i), public) for i in public.identifiers())
    return Key(plan, public, tuple(sign_key(key, plan, public) for key in keys)), tuple(shares)


def requested(key: Key, by: str = "doctor", document: str = DOCUMENT) -> Request:
    return make_request(
        "order",
        key.key_id(),
        document.encode(),
        reason="pain after surgery",
        requester=by,
        now=NOW,
        lasts=timedelta(hours=24),
        randomness=os.urandom,
    )


def word(request: Request, name: str, said: Word = "approve", why: str = "checked") -> SignedAnswer:
    answer = Answer(request.digest(), name, said, why, utc_text(NOW), request.expires)
    return sign_answer(identity(name), answer)


def signature(key: Key, shares: Sequence[KeyShare], message: bytes) -> bytes:
    nonces = [frost.commit(share, os.urandom) for share in shares]
    package = frost.package(message, [commitment for _, commitment in nonces])
    made = [frost.sign(s, own, package) for s, (own, _) in zip(shares, nonces, strict=True)]
    return frost.aggregate(key.public, package, made)


def signed_order(key: Key, shares: Sequence[KeyShare], by: Sequence[str]) -> Order:
    """Return an order that the holders `by` approved and signed."""
    request = requested(key)
    signers = [shares[key.plan.identifier(name) - 1] for name in by]
    return Order(
        ORDER_FORMAT,
        request,
        DOCUMENT,
        key.plan.holders[0],
        sign_request(identity("doctor"), request),
        key,
        tuple(word(request, name) for name in by),
        signature(key, signers, request.message()),
    )


def medication_key(
    names: Sequence[str] = ROLES, min_signers: int = 2
) -> tuple[Key, tuple[KeyShare, ...]]:
    """Return the ward's key for orders, whose holders are `names`."""
    return deal(plan_of(ward(), names, min_signers), [identity(name) for name in names])


def altered_expiry(request: Request, by: timedelta) -> Request:
    later = datetime.fromisoformat(request.expires) + by
    return replace(request, expires=utc_text(later))
