"""What holders post to each other while a key is made: every word under its holder's own name.

    0 a static key, with a proof that it is one's own     1 a dealing
    2 a confirmation, and the certificate of the key      3 a complaint
    4 that a new holder of a key in other hands has not confirmed, and never will

Postings are passed on and kept as they are, so two different ones of one holder
for one step are proof that it told two stories.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate import wire
from quorate.algebra import edwards25519 as ed
from quorate.algebra.edwards25519 import Point, Scalar
from quorate.errors import MalformedMessage, NotFound, VerificationFailed
from quorate.quorum.key_plan import KeyPlan
from quorate.threshold import schnorr
from quorate.threshold.dkg import Confirmation
from quorate.threshold.evidence import Complaint, verify_complaint
from quorate.threshold.identity import verify_by
from quorate.threshold.reshare import Ready
from quorate.threshold.setup import Setup, SignedDealing
from quorate.wire import ABSENT, Absent

T = TypeVar("T")

STATIC, DEALING, CONFIRMATION, COMPLAINT, WITHDRAWAL = range(5)


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
    proof: bytes | Absent = ABSENT  # of possession of a share that renews another

    @property
    def ready(self) -> Ready:
        """What it says of a key in other hands. Raises `VerificationFailed` for a new one."""
        if self.proof is ABSENT:
            raise VerificationFailed("a confirmation does not show that its holder has a share")
        return Ready(self.confirmation, self.proof)


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A new holder's word that it never will be ready: who waited for it may try otherwise."""

    reason: str


Body = StaticKey | SignedDealing | Confirmed | Complaint | Withdrawn

_KINDS: dict[int, type[Body]] = {
    STATIC: StaticKey,
    DEALING: SignedDealing,
    CONFIRMATION: Confirmed,
    COMPLAINT: Complaint,
    WITHDRAWAL: Withdrawn,
}


@dataclass(frozen=True, slots=True)
class Board:
    """The postings of one key, as one node has them."""

    plan: KeyPlan
    postings: tuple[Posting, ...]

    def of(self, number: int, kind: type[T]) -> dict[str, T]:
        """Return what was posted for one step, by holder, in their order."""
        found = {p.member: p for p in self.postings if p.round == number}
        names = (name for name in due(self.plan, number) if name in found)
        return {name: wire.decode(found[name].body, kind) for name in names}

    def missing(self) -> tuple[str, ...]:
        """Return whose posting the first unfinished step waits for."""
        return next(filter(None, map(self.lacking, (STATIC, DEALING, CONFIRMATION))), ())

    def lacking(self, number: int) -> tuple[str, ...]:
        """Return whose posting one step waits for."""
        there = {p.member for p in self.postings if p.round == number}
        return tuple(name for name in due(self.plan, number) if name not in there)

    def setup(self) -> Setup:
        """Return what all parties agree on. Raises `MalformedMessage` before all static keys."""
        return setup_of(self.plan, self.of(STATIC, StaticKey))


def due(plan: KeyPlan, number: int) -> tuple[str, ...]:
    """Return who posts one step, in the order of the plan."""
    who = {STATIC: plan.parties, DEALING: plan.dealers, CONFIRMATION: plan.holders}
    if plan.renews is not ABSENT:
        who[WITHDRAWAL] = plan.holders
    return tuple(holder.name for holder in who.get(number, plan.parties))


def convicted(board: Board, complaint: Complaint) -> str:
    """Return who is proven to have cheated. Raises `VerificationFailed` if nobody is."""
    plan = board.plan
    dealings, dealers = board.of(DEALING, SignedDealing), due(plan, DEALING)
    if not 1 <= complaint.accused <= len(dealers):
        raise VerificationFailed("a complaint against nobody")
    accused = dealers[complaint.accused - 1]
    if board.lacking(STATIC) or accused not in dealings:
        raise VerificationFailed("a complaint about what this node has not seen")
    verify_complaint(board.setup(), complaint, dealings[accused])
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
    holder = next((h for h in plan.parties if h.name == posting.member), None)
    if holder is None:
        raise NotFound(f"{posting.member} has no part in key {plan.name}")
    told = posting.round in _KINDS and posting.member in due(plan, posting.round)
    if posting.session != plan.digest() or not told:
        raise VerificationFailed("a posting belongs to no step of this key")
    signed = _signed(posting.session, posting.round, posting.member, posting.body)
    otherwise = f"a posting in the name of {posting.member} is not signed by it"
    verify_by(holder.public_key, posting.signature, signed, otherwise)
    body = wire.decode(posting.body, _KINDS[posting.round])
    if isinstance(body, StaticKey):
        ed.decode_point(body.point)
        schnorr.verify(body.point, _possession(plan, posting.member), body.proof)
    if isinstance(body, Confirmed) and (body.proof is ABSENT) is not (plan.renews is ABSENT):
        raise VerificationFailed("a confirmation is not of this kind of key")
    return body


def make_static_key(plan: KeyPlan, member: str, static: Scalar) -> StaticKey:
    """Return the public half of `static`, proven to be this holder's for this key."""
    return StaticKey(ed.base_mul(static), schnorr.sign(static, _possession(plan, member)))


def setup_of(plan: KeyPlan, keys: Mapping[str, StaticKey]) -> Setup:
    """Return what all parties agree on; `keys` are by name. Raises `MalformedMessage`."""
    if lacking := [name for name in due(plan, STATIC) if name not in keys]:
        raise MalformedMessage(f"{', '.join(lacking)} has not posted a static key")
    points = {name: key.point for name, key in keys.items()}
    dealing = [points[name] for name in due(plan, DEALING)]
    return plan.setup([points[name] for name in plan.names], dealing)


def _possession(plan: KeyPlan, member: str) -> bytes:
    return wire.signing_input("static key", (plan.digest(), member))


def _signed(session: bytes, number: int, member: str, body: bytes) -> bytes:
    return wire.signing_input("posting", (session, number, member, body))
