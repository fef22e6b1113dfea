"""The keys by which members are sealed to, each certified by its member.

Whoever gave each member another key would learn, by the one that opens, who sealed
to it. So the digest of all cards is part of the run that members agree on
(`Run.cards`), and a report leaves only in a run with the very cards it is sealed to.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate import wire
from quorate.anonymous.messages import Identity
from quorate.anonymous.recipients import Recipient, check_key
from quorate.errors import VerificationFailed
from quorate.threshold.identity import verify_by

DOMAIN = "anonymous/recipient-card"


@dataclass(frozen=True, slots=True)
class Card:
    """A member's key in a group. `number`, near the seconds of the clock, grows with a new key."""

    group: bytes
    number: int
    recipient: Recipient

    def digest(self) -> bytes:
        return wire.digest(DOMAIN, self)


@dataclass(frozen=True, slots=True)
class SignedCard:
    card: Card
    signature: bytes

    @property
    def name(self) -> str:
        return self.card.recipient.name

    def replaces(self, other: "SignedCard") -> bool:
        """Return whether this is the one to keep: all decide alike, also between two of one number.

        Two of one number are a member's own doing, and it loses nothing but time by them.
        """
        mine, theirs = self.card, other.card
        return (mine.number, mine.recipient.public_key) > (
            theirs.number,
            theirs.recipient.public_key,
        )


def sign_card(identity: Ed25519PrivateKey, card: Card) -> SignedCard:
    return SignedCard(card, identity.sign(wire.signing_input(DOMAIN, card)))


def verify_card(signed: SignedCard, group: bytes, members: Iterable[Identity]) -> None:
    """Raise `VerificationFailed` unless it is of a member of this group.

    Raises `MalformedMessage` for a key that is none.
    """
    key = next((m.public_key for m in members if m.name == signed.name), None)
    if key is None or signed.card.group != group:
        raise VerificationFailed("the card is of no member of this group")
    message = wire.signing_input(DOMAIN, signed.card)
    verify_by(key, signed.signature, message, f"the card is not signed by {signed.name}")
    check_key(signed.card.recipient.public_key)


def digest_of(cards: Iterable[SignedCard]) -> bytes:
    """Return what a run says of all cards: 32 bytes, whatever their order and signatures."""
    return wire.digest("anonymous/cards", sorted(signed.card.digest() for signed in cards))
