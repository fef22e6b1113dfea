"""A request: what a quorum of a key's holders is asked to do, why, and until when.

Its canonical encoding is what the holders answer, one by one, and what they
sign together, so that the signature covers reason, requester and expiry. The
nonce makes two requests for one document two: an answer counts for one only.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate import wire
from quorate.errors import Error, Refused
from quorate.studies.group import check_name
from quorate.studies.schema import check_text
from quorate.studies.times import check_time, utc_text
from quorate.threshold.identity import verify_by

FORMAT = 1
NONCE_BYTES = 16
DOMAIN = "request"
MAX_REASON = 500
MAX_DAYS = 90
MAX_DOCUMENT = 256 << 10
"""Bytes in the largest document that a request may be about."""

Purpose = Literal["order", "unlock", "recover", "succeed"]

SIGNED: tuple[Purpose, ...] = ("order", "succeed")
"""What ends in a signature of the group; the rest in the use of shares."""


@dataclass(frozen=True, slots=True)
class Request:
    format: int
    type: Purpose
    key: bytes  # identifier of the key that is to act
    subject: bytes  # SHA-256 of the document, as its file has it
    reason: str
    requester: str
    created: str  # UTC
    expires: str  # UTC; from then on nobody answers or signs it
    nonce: bytes

    def digest(self) -> bytes:
        return wire.digest(DOMAIN, self)

    def message(self) -> bytes:
        """Return the bytes that the group signs."""
        return wire.signing_input(DOMAIN, self)

    @property
    def short_id(self) -> str:
        return short_id(self.digest())


def make_request(
    purpose: Purpose,
    key: bytes,
    document: bytes,
    *,
    reason: str,
    requester: str,
    now: datetime,
    lasts: timedelta,
    randomness: Callable[[int], bytes],
) -> Request:
    """Return a new request about `document`. Raises `Refused` where none can be made."""
    request = Request(
        FORMAT,
        purpose,
        key,
        hashlib.sha256(document).digest(),
        reason,
        requester,
        utc_text(now),
        utc_text(now + lasts),
        randomness(NONCE_BYTES),
    )
    check_request(request, document)
    return request


def sign_request(identity: Ed25519PrivateKey, request: Request) -> bytes:
    """Return the requester's own signature, which is not the group's: its domain is another."""
    return identity.sign(wire.signing_input("requested", request))


def verify_requester(request: Request, public_key: bytes, signature: bytes) -> None:
    """Raise `VerificationFailed` unless its requester made this request."""
    message = wire.signing_input("requested", request)
    otherwise = f"the request is not signed by {request.requester}"
    verify_by(public_key, signature, message, otherwise)


def check_request(request: Request, document: bytes) -> None:
    """Raise `Refused` unless this is a request that a person could answer, about `document`."""
    _require(request.format == FORMAT, "the request has an unknown format")
    _require(len(request.nonce) == NONCE_BYTES, "the request has no nonce")
    _require(len(request.key) == 32, "the request names no key")
    _require(len(document) <= MAX_DOCUMENT, f"the document is longer than {MAX_DOCUMENT} bytes")
    same = hashlib.sha256(document).digest() == request.subject
    _require(same, "the request is about another document")
    try:
        check_name("the requester", request.requester)
        check_text("the reason", request.reason, MAX_REASON)
    except Error as e:
        raise Refused(str(e), hint=e.hint) from None
    check_time(request.created)
    check_time(request.expires)
    lasts = datetime.fromisoformat(request.expires) - datetime.fromisoformat(request.created)
    _require(
        timedelta() < lasts <= timedelta(days=MAX_DAYS),
        f"a request lasts more than nothing and at most {MAX_DAYS} days",
    )


def noted_as(request: Request, *, whole: bool) -> tuple[str, str]:
    """Return event and details under which a new request stands in an audit log.

    `whole` is for requests that a witness looks for: with their digest, for anybody
    makes a second request of the same short name.
    """
    who = f"{request.short_id} by {request.requester}"
    details = f"{who}: {request.digest().hex()}" if whole else who
    return f"{request.type} requested", details


def is_over(expires: str, at: datetime) -> bool:
    """Return whether something that counts until `expires` counts no more at the time `at`."""
    return datetime.fromisoformat(expires) <= at


def short_id(digest: bytes) -> str:
    """Return the beginning of a digest, for people."""
    return f"{digest.hex()[:4]}-{digest.hex()[4:8]}"


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise Refused(message)
