"""The whole of a plain key for one member: holders hand over their shares, sealed to it.

What comes out is the line of an ordinary age identity. It ends the sharing: whoever
has it opens everything that was or will be sealed to the key, alone. So this is asked
for in a document of its own, of which no answer to a request to unlock is an answer.
A holder signs the share that it hands over, inside the box: a wrong one is proof
against it [RFC8032], for everybody knows the verification share [Fel87].

Adversary: the requester before it has the key, the network, and fewer than
`min_signers` holders. That more must approve than `min_signers` is a rule which
honest holders keep, not mathematics. **Unreviewed.**
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from quorate import wire
from quorate.algebra.edwards25519 import Scalar
from quorate.errors import Abort, Party, Refused, VerificationFailed
from quorate.threshold.answers import (
    Identity,
    ReplyKey,
    SealedAnswer,
    Whole,
    open_box,
    seal_to,
    verify_reply_key,
)
from quorate.threshold.identity import verify_by
from quorate.threshold.keys import KeyShare, PublicKey, seat
from quorate.threshold.partial import Asked
from quorate.threshold.plain import emergency_identity

MEANING = (
    "whoever is given the whole key opens everything that was ever sealed to it, and everything "
    "that will be, alone, with any age program, for ever: nobody can take it back, and no node "
    "hears of what is opened with it. seal nothing more to this key, and seal anew what must stay "
    "shared"
)
"""What recovery comes to, for the eyes of whoever asks for it or approves it."""


@dataclass(frozen=True, slots=True)
class Recovering:
    """The document of a request for a whole key: `wire.encode` of it is what is approved."""

    whole: Whole
    requester: ReplyKey

    def asked(self, request: bytes) -> Asked:
        """Return what a share handed over is bound to, from the request's digest."""
        return Asked(request, wire.digest("recovering", self))


@dataclass(frozen=True, slots=True)
class HandedOver:
    """A holder's share under its own name: what is in the box."""

    secret: Scalar = field(repr=False)
    signature: bytes


@dataclass(frozen=True, slots=True)
class Recovered:
    """The line of an age identity; who provably sent a wrong share; whose box did not open."""

    line: str = field(repr=False)
    culprits: tuple[Party, ...]
    suspects: tuple[Party, ...]


def check_document(public: PublicKey, document: Recovering, requester: Identity) -> None:
    """Raise `Refused` or `VerificationFailed` unless holders may be asked for this key whole."""
    if public.purpose != "plain":
        raise Refused(
            "only a plain key is recovered: no other program reads what is sealed to this one",
            hint="open its records one by one: quorate unlock FILE --reason WHY",
        )
    if document.whole.key != public.key_id():
        raise VerificationFailed("what is to be recovered is another key")
    verify_reply_key(document.whole, document.requester, requester)


def hand_over(
    share: KeyShare, identity: Ed25519PrivateKey, asked: Asked, to: ReplyKey
) -> SealedAnswer:
    """Return this holder's share for one pair of eyes, once its person approved.

    One round, 185 bytes, for identifiers below 24.
    """
    signature = identity.sign(_terms(asked, share.identifier, share.secret))
    handed = wire.encode(HandedOver(share.secret, signature))
    return SealedAnswer(share.identifier, seal_to(to, asked, share.identifier, handed))


def read_share(
    secret: X25519PrivateKey, asked: Asked, sealed: SealedAnswer, holder: Identity
) -> HandedOver:
    """Return what a holder handed over, signed by it. Raises `VerificationFailed`: no proof."""
    handed = open_box(secret, asked, sealed, holder, HandedOver)
    _verify_signed(asked, handed, sealed.identifier, holder)
    return handed


def recover(
    public: PublicKey,
    document: Recovering,
    request: bytes,
    secret: X25519PrivateKey,
    answers: Iterable[SealedAnswer],
    holders: tuple[Identity, ...],
) -> Recovered:
    """Return the whole key from the shares of `min_signers` holders, at who asked for it.

    Raises `Abort` where too few are right: culprits signed a wrong share,
    suspects sent what could not be read.
    """
    asked, shares = document.asked(request), dict[int, KeyShare]()
    culprits, suspects = set[Party](), set[Party]()
    for sealed in answers:
        if not 1 <= sealed.identifier <= len(holders):  # nobody's
            continue
        party = seat(sealed.identifier)
        try:
            handed = read_share(secret, asked, sealed, holders[party])
        except VerificationFailed:
            suspects.add(party)
            continue
        share = KeyShare(sealed.identifier, handed.secret, public)
        if _is_right(share):
            shares[sealed.identifier] = share
        else:
            culprits.add(party)
    if not public.access.suffice(shares):
        raise Abort(
            f"{len(shares)} shares are right, and {public.access.wanted} are needed",
            culprits=culprits,
            suspects=suspects,
            hint="ask other holders of the key to approve",
        )
    line = emergency_identity(public, shares.values())
    return Recovered(line, tuple(sorted(culprits)), tuple(sorted(suspects)))


def verify_proof(
    public: PublicKey, asked: Asked, handed: HandedOver, holder: tuple[int, Identity]
) -> None:
    """Raise `VerificationFailed` unless `handed` proves that this holder sent a wrong share."""
    identifier, identity = holder
    _verify_signed(asked, handed, identifier, identity)
    if _is_right(KeyShare(identifier, handed.secret, public)):
        raise VerificationFailed("the share is right: it proves nothing against its holder")


def _is_right(share: KeyShare) -> bool:
    try:
        share.verify()
    except VerificationFailed:
        return False
    return True


def _verify_signed(asked: Asked, handed: HandedOver, identifier: int, holder: Identity) -> None:
    otherwise = f"a share in the name of {holder.member} is not signed by it"
    message = _terms(asked, identifier, handed.secret)
    verify_by(holder.public_key, handed.signature, message, otherwise)


def _terms(asked: Asked, identifier: int, secret: Scalar) -> bytes:
    return wire.signing_input("share-handed-over", (asked, identifier, secret))
