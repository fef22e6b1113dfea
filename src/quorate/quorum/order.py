"""A signed order: a request, who approved it and why, and one signature of the group.

The signature is an ordinary Ed25519 signature [RFC8032] of `Request.message()`
under the key's public half, which any program verifies. Who signed it cannot
be told from it; the answers say who approved. An order carries the key's plan
and certificates, so that it verifies alone; that the holders are the people one
thinks of is known only to who compares the roster or passes `group`.
"""

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from quorate.errors import MalformedMessage, Refused, VerificationFailed
from quorate.quorum.answer import Holder, SignedAnswer
from quorate.quorum.countersign import verify_approvals
from quorate.quorum.fhir import plain_words
from quorate.quorum.key import Key, verify_key
from quorate.quorum.key_plan import holders_of
from quorate.quorum.request import SIGNED, Request, check_request, verify_requester
from quorate.quorum.succeeding import message_of, words_of
from quorate.studies import document
from quorate.studies.group import Group
from quorate.threshold import frost

FORMAT = 1
TAG = "order 1"


@dataclass(frozen=True, slots=True)
class Order:
    format: int
    request: Request
    document: str  # as it was proposed, to the byte
    requester: Holder  # holder of the key or not, this is the member that asked
    requested: bytes  # its signature
    key: Key
    answers: tuple[SignedAnswer, ...]  # approvals, in the order of holders
    signature: bytes


def verify_order(order: Order, group: Group | None = None, now: Group | None = None) -> None:
    """Raise `VerificationFailed` unless the group signed and enough holders approved.

    Give `group`, the roster of the key's plan, where it is known: without it, anybody could
    have made up the holders. Who asked is a member of `now`, if the roster is another since.
    """
    request, key = order.request, order.key
    if order.format != FORMAT or request.type not in SIGNED:
        raise VerificationFailed("that is not an order of a known format")
    try:
        check_request(request, order.document.encode())
    except Refused as e:
        raise VerificationFailed(str(e), hint=e.hint) from None
    verify_key(key, group)
    _verify_requester(order, now or group)
    if request.key != key.key_id():
        raise VerificationFailed("the request is for another key")
    verify_approvals(request, key.plan, order.answers)
    try:
        message = message_of(request, order.document, key)
    except (Refused, MalformedMessage) as e:
        raise VerificationFailed(str(e), hint=e.hint) from None
    frost.verify(key.public.group, message, order.signature)


def _verify_requester(order: Order, group: Group | None) -> None:
    requester, name = order.requester, order.request.requester
    holders = [holder for holder in order.key.plan.holders if holder.name == name]
    known = list(holders_of(group, [name])) if group and name in group.names else holders
    if requester.name != name or requester not in (known or [requester]) or (group and not known):
        raise VerificationFailed("the requester is not the member of that name")
    verify_requester(order.request, requester.public_key, order.requested)


def words_for(request: Request, text: str, key: Key) -> tuple[str, ...]:
    """Return what a request asks to sign, in plain words. Raises an `Error` if it has none."""
    return words_of(text, key) if request.type == "succeed" else plain_words(text)


def public_pem(key: Key) -> str:
    """Return the key's public half as any program reads it."""
    public = Ed25519PublicKey.from_public_bytes(key.public.group)
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def order_to_json(order: Order) -> str:
    return document.write(TAG, order)


def order_from_json(text: str) -> Order:
    """Return the order a file holds, not yet verified. Raises `MalformedMessage`."""
    return document.read(TAG, text, Order)
