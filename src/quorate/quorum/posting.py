"""What holders post to each other while a key is made: every word under its holder's own name.

    0 a static key, with a proof that it is one's own     1 a dealing
    2 a confirmation, and the certificate of the key      3 a complaint

Postings are passed on and kept as they are, so two different ones of one holder
for one step are proof that it told two stories.
"""

from dataclasses import dataclass
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate import wire
from quorate.algebra import edwards25519 as ed
from quorate.algebra.edwards25519 import Point, Scalar
from quorate.errors import MalformedMessage, VerificationFailed
from quorate.quorum.key import KeyPlan
from quorate.threshold import schnorr
from quorate.threshold.dkg import Confirmation
from quorate.threshold.evidence import Complaint, verify_complaint
from quorate.threshold.identity import verify_by
from quorate.threshold.setup import Setup, SignedDealing

T = TypeVar("T")

STATIC, DEALING, CONFIRMATION, COMPLAINT = range(4)


@dataclass(frozen=True, slots=True)
class Posting:
    """One step of one holder."""

    session: bytes  # digest of the key's plan
    round: int
    member: str
    body: bytes  # the step's record, encoded
    signature: bytes


@dataclass(frozen=True, slots=True)
class StaticKey:
    """The key under which a holder is sent its shares, for this one generation."""

    point: Point
    proof: bytes


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A holder's confirmation of all dealings, and its certificate of the key they make."""

    confirmation: Confirmation
    certificate: bytes


Body = StaticKey | SignedDealing | Confirmed | Complaint

_KINDS: dict[int, type[Body]] = {
    STATIC: StaticKey,
    DEALING: SignedDealing,
    CONFIRMATION: Confirmed,
    COMPLAINT: Complaint,
}


@dataclass(frozen=True, slots=True)
class Board:
    """The postings of one key, as one node has them."""

    plan: KeyPlan
    postings: tuple[Posting, ...]

    def of(self, number: int, kind: type[T]) -> dict[str, T]:
        """Return what was posted for one step, by holder, in their order."""
        found = {p.member: p for p in self.postings if p.round == number}
        names = (name for name in self.plan.names if name in found)
        return {name: wire.decode(found[name].body, kind) for name in names}

    def missing(self) -> tuple[str, ...]:
        """Return whose posting the first unfinished step waits for."""
        for number in (STATIC, DEALING, CONFIRMATION):
            there = {p.member for p in self.postings if p.round == number}
            if lacking := tuple(name for name in self.plan.names if name not in there):
                return lacking
        return ()


def convicted(board: Board, complaint: Complaint) -> str:
    """Return who is proven to have cheated. Raises `VerificationFailed` if nobody is."""
    plan = board.plan
    statics, dealings = board.of(STATIC, StaticKey), board.of(DEALING, SignedDealing)
    if not 1 <= complaint.accused <= len(plan.holders):
        raise VerificationFailed("a complaint against nobody")
    accused = plan.names[complaint.accused - 1]
    if len(statics) < len(plan.holders) or accused not in dealings:
        raise VerificationFailed("a complaint about what this node has not seen")
    verify_complaint(setup_of(plan, tuple(statics.values())), complaint, dealings[accused])
    return accused


def make_posting(
    identity: Ed25519PrivateKey, session: bytes, number: int, member: str, body: Body
) -> Posting:
    """Return a step under its holder's identity key."""
    encoded = wire.encode(body)
    signature = identity.sign(_signed(session, number, member, encoded))
    return Posting(session, number, member, encoded, signature)


def verify_posting(plan: KeyPlan, posting: Posting) -> Body:
    """Return what a holder posted. Raises `VerificationFailed`, `MalformedMessage`, `NotFound`."""
    holder = plan.holders[plan.identifier(posting.member) - 1]
    if posting.session != plan.digest() or posting.round not in _KINDS:
        raise VerificationFailed("a posting belongs to no step of this key")
    signed = _signed(posting.session, posting.round, posting.member, posting.body)
    otherwise = f"a posting in the name of {posting.member} is not signed by it"
    verify_by(holder.public_key, posting.signature, signed, otherwise)
    body = wire.decode(posting.body, _KINDS[posting.round])
    if isinstance(body, StaticKey):
        ed.decode_point(body.point)
        schnorr.verify(body.point, _possession(plan, posting.member), body.proof)
    return body


def make_static_key(plan: KeyPlan, member: str, static: Scalar) -> StaticKey:
    """Return the public half of `static`, proven to be this holder's for this key."""
    return StaticKey(ed.base_mul(static), schnorr.sign(static, _possession(plan, member)))


def setup_of(plan: KeyPlan, keys: tuple[StaticKey, ...]) -> Setup:
    """Return what all holders agree on; `keys` are in their order. Raises `MalformedMessage`."""
    if len(keys) != len(plan.holders):
        raise MalformedMessage("not every holder has posted its static key")
    return Setup(
        plan.purpose,
        plan.min_signers,
        plan.digest(),
        tuple(key.point for key in keys),
        tuple(holder.public_key for holder in plan.holders),
    )


def _possession(plan: KeyPlan, member: str) -> bytes:
    return wire.signing_input("static key", (plan.digest(), member))


def _signed(session: bytes, number: int, member: str, body: bytes) -> bytes:
    return wire.signing_input("posting", (session, number, member, body))
