"""What convicts a member that cheated while a key was made, before anybody.

Every dealing is signed by its sender, ciphertexts and all. Three things are
proof: two different signed dealings for one setup; a signed dealing that
`verify_dealing` refuses; and a complaint. In a complaint the recipient shows
the two Diffie-Hellman secrets it has with the sender, and proves [CP92] that
they are these, so that everybody can open the ciphertext as it did. It gives
away its own share of a key that will never be, and the static secret of the
two, which opens nothing without an ephemeral one. An honest sender cannot be
framed: what it signed opens to the right share.
"""

from dataclasses import dataclass

from quorate import wire
from quorate.algebra import edwards25519 as ed
from quorate.algebra.edwards25519 import Point, Randomness, Scalar
from quorate.errors import MalformedMessage, Refused, VerificationFailed
from quorate.threshold import delivery, dleq
from quorate.threshold.delivery import Delivered, Secrets
from quorate.threshold.keys import seat
from quorate.threshold.setup import Dealing, Setup, SignedDealing, verify_dealing, verify_sender


@dataclass(frozen=True, slots=True)
class Complaint:
    """That what `accused` sent to `accuser` is no share, for everybody to see."""

    accuser: int
    accused: int
    ephemeral: Point
    static: Point
    proofs: tuple[dleq.Proof, dleq.Proof]


def open_dealing(setup: Setup, me: int, static: Scalar, sender: int, dealing: Dealing) -> Delivered:
    """Return what `sender` dealt to holder `me`. Raises `VerificationFailed` if it is no share."""
    route = setup.route(sender, me, dealing.promise.ephemeral)
    secrets = delivery.recipient_secrets(route, static)
    return delivery.open_sealed(route, secrets, dealing.ciphertexts[seat(me)])


def complain(
    setup: Setup, static: Scalar, accused: int, dealing: Dealing, randomness: Randomness
) -> Complaint:
    """Return the proof that a well-formed `dealing` holds no right share for this holder.

    Raises `Refused` where it does: a complaint would give the share away.
    """
    me = setup.identifier_of(static)
    try:
        delivered = open_dealing(setup, me, static, accused, dealing)
        setup.access.verify_share(delivered.share, me, dealing.promise.commitment)
    except VerificationFailed:
        return _shown(setup, static, accused, dealing, randomness)
    raise Refused(f"what {accused} dealt to this holder is right")


def verify_complaint(setup: Setup, complaint: Complaint, signed: SignedDealing) -> None:
    """Raise `VerificationFailed` unless `complaint` convicts the sender of `signed`."""
    accuser, accused = complaint.accuser, complaint.accused
    if not 1 <= accuser <= setup.max_signers or accused not in setup.dealers:
        raise VerificationFailed("a complaint among others than the holders")
    verify_sender(setup, accused, signed)
    verify_dealing(setup, accused, signed.dealing)
    promise = signed.dealing.promise
    try:
        secrets = Secrets(ed.decode_point(complaint.ephemeral), ed.decode_point(complaint.static))
    except MalformedMessage as e:
        raise VerificationFailed(f"a complaint holds what is {e}") from None
    statements = _statements(setup, accuser, accused, signed.dealing, secrets)
    for statement, proof in zip(statements, complaint.proofs, strict=True):
        dleq.verify(statement, proof)
    route = setup.route(accused, accuser, promise.ephemeral)
    ciphertext = signed.dealing.ciphertexts[seat(accuser)]
    try:
        delivered = delivery.open_sealed(route, secrets, ciphertext)
        setup.access.verify_share(delivered.share, accuser, promise.commitment)
    except VerificationFailed:
        return
    raise VerificationFailed("the share is right: the complaint proves nothing")


def verify_false_dealing(setup: Setup, sender: int, signed: SignedDealing) -> None:
    """Raise `VerificationFailed` unless `sender` signed what no honest holder deals."""
    verify_sender(setup, sender, signed)
    try:
        verify_dealing(setup, sender, signed.dealing)
    except VerificationFailed:
        return
    raise VerificationFailed("the dealing is well-formed: it proves nothing")


def verify_two_dealings(
    setup: Setup, sender: int, one: SignedDealing, other: SignedDealing
) -> None:
    """Raise `VerificationFailed` unless `sender` signed two dealings for one setup."""
    verify_sender(setup, sender, one)
    verify_sender(setup, sender, other)
    if one.dealing == other.dealing:
        raise VerificationFailed("one dealing, shown twice, proves nothing")


def _shown(
    setup: Setup, static: Scalar, accused: int, dealing: Dealing, randomness: Randomness
) -> Complaint:
    me = setup.identifier_of(static)
    route = setup.route(accused, me, dealing.promise.ephemeral)
    secrets = delivery.recipient_secrets(route, static)
    ephemeral, common = (
        dleq.prove(statement, static, randomness)
        for statement in _statements(setup, me, accused, dealing, secrets)
    )
    return Complaint(me, accused, secrets.ephemeral, secrets.static, (ephemeral, common))


def _statements(
    setup: Setup, accuser: int, accused: int, dealing: Dealing, secrets: Secrets
) -> tuple[dleq.Statement, dleq.Statement]:
    context = wire.digest("dkg complaint", (setup.digest(), accuser, accused, dealing))
    own, sender = setup.static_keys[seat(accuser)], setup.dealer_keys[seat(accused)]
    ephemeral = dealing.promise.ephemeral
    return (
        dleq.Statement(context, own, ephemeral, secrets.ephemeral),
        dleq.Statement(context, own, sender, secrets.static),
    )
