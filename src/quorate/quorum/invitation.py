"""How somebody becomes a member who is none yet: by a token that one member makes and sends.

The token holds where the inviting member's node listens, its key, and a secret,
from which both have one more key: the door. With it the newcomer is let in to
hand over its application, and nothing else. The application is signed by the
door and by the newcomer's own identity key, so nobody is made a member without
wanting it; all members see it with the change that lists the newcomer.

A token is a secret until it is used: who reads it can apply in its stead, under
its own key, which the members then see and should compare. It opens once.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate import wire
from quorate.algebra.edwards25519 import Randomness
from quorate.errors import MalformedMessage, Refused
from quorate.quorum.request import is_over
from quorate.studies.group import Group, Member, check_member, check_name
from quorate.studies.times import check_time, utc_text
from quorate.threshold.identity import verify_by

PREFIX = "quorate-invitation-"
SEED_BYTES = 32
MAX_DAYS = 30
_SUM_BYTES = 4


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a member says to whom it may concern: who has this door's key may apply."""

    group: bytes  # digest of the roster the group began with
    inviter: str
    door: bytes  # public key of the token
    expires: str  # UTC


@dataclass(frozen=True, slots=True)
class SignedInvitation:
    """An invitation under the identity key of the inviting member."""

    invitation: Invitation
    signature: bytes


@dataclass(frozen=True, slots=True)
class Token:
    """All that a newcomer needs to apply."""

    group: str
    inviter: Member
    invited: SignedInvitation
    seed: bytes = field(repr=False)

    def door(self) -> Ed25519PrivateKey:
        """Return the key by which the newcomer is let in."""
        return Ed25519PrivateKey.from_private_bytes(self.seed)


@dataclass(frozen=True, slots=True)
class Application:
    """A newcomer's wish to be listed so, under its own key and under the door's."""

    invited: SignedInvitation
    member: Member
    by_member: bytes
    by_door: bytes


def invite(
    group: Group,
    first: bytes,
    inviter: str,
    identity: Ed25519PrivateKey,
    now: datetime,
    lasts: timedelta,
    randomness: Randomness,
) -> Token:
    """Return a token for one newcomer; `first` is the digest of the group's first roster."""
    if not timedelta() < lasts <= timedelta(days=MAX_DAYS):
        raise Refused(f"an invitation lasts more than nothing and at most {MAX_DAYS} days")
    seed = randomness(SEED_BYTES)
    door = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    invitation = Invitation(first, inviter, door, utc_text(now + lasts))
    signed = identity.sign(wire.signing_input("invitation", invitation))
    member = group.members[group.party(inviter)]
    return Token(group.name, member, SignedInvitation(invitation, signed), seed)


def apply(token: Token, member: Member, identity: Ed25519PrivateKey) -> Application:
    """Return the application of a newcomer that has `identity` for its key."""
    message = _wish(token.invited.invitation, member)
    return Application(token.invited, member, identity.sign(message), token.door().sign(message))


def verify_application(application: Application, inviter: Member, at: datetime) -> None:
    """Raise `VerificationFailed`, or `Refused` where the invitation was over at that time.

    `inviter` is the member whose name the invitation bears, as the roster lists it.
    """
    invited, member = application.invited, application.member
    said = invited.invitation
    check_member(member)
    check_time(said.expires)
    inviter.verify(invited.signature, "invitation", said, "the invitation is not its inviter's")
    message = _wish(said, member)
    verify_by(said.door, application.by_door, message, "the application is not by who was invited")
    otherwise = f"{member.name} did not apply with the key it is listed with"
    verify_by(member.public_key, application.by_member, message, otherwise)
    if is_over(said.expires, at):
        raise Refused(f"the invitation is over since {said.expires}", hint="ask for a new one")


def token_to_text(token: Token) -> str:
    """Return the token as one word that can be sent."""
    encoded = wire.encode(token)
    whole = encoded + hashlib.sha256(encoded).digest()[:_SUM_BYTES]
    return PREFIX + base64.urlsafe_b64encode(whole).decode().rstrip("=")


def token_from_text(text: str) -> Token:
    """Return the token a person pasted. Raises `MalformedMessage`."""
    word = "".join(text.split()).removeprefix(PREFIX)
    try:
        whole = base64.b64decode(word + "=" * (-len(word) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise _not_a_token() from None
    encoded, tail = whole[:-_SUM_BYTES], whole[-_SUM_BYTES:]
    if hashlib.sha256(encoded).digest()[:_SUM_BYTES] != tail:
        raise _not_a_token()
    token = wire.decode(encoded, Token)
    check_name("the group", token.group)
    check_member(token.inviter)
    check_time(token.invited.invitation.expires)
    if len(token.seed) != SEED_BYTES:
        raise _not_a_token()
    return token


def _wish(invitation: Invitation, member: Member) -> bytes:
    return wire.signing_input("application", (invitation, member))


def _not_a_token() -> MalformedMessage:
    return MalformedMessage(
        "not an invitation, or not a whole one", hint="copy it again from beginning to end"
    )
