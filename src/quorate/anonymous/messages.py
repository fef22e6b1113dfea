"""What members of a run say to one another, and under what signature.

A run has six rounds, one message of each member in each, and a seventh where
votes were told differently to some. A message is signed by
its digest, with the run, the round and the seat: so 64 bytes and a digest
(`Shown`) prove that a member said two things in one round, and a message that
is no valid one is evidence against its sender by itself.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, TypeVar, get_args

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from quorate import wire
from quorate.algebra.mersenne import ELEMENT_BYTES
from quorate.errors import MalformedMessage, Party, Refused

Round = Literal["keys", "ciphertexts", "sums", "vector", "vote", "closing", "ballots"]
ROUNDS: tuple[Round, ...] = get_args(Round)
BEFORE_VOTE = ROUNDS[:4]
"""The rounds of which a vote's transcript is made."""

MIN_MEMBERS = 3
"""With two, the other knows who spoke."""

CELL_OVERHEAD = 48
"""Bytes that sealing adds to a cell: a point of 32, a tag of 16."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Identity:
    """A member as its signatures are checked: name, and Ed25519 key of 32 bytes."""

    name: str
    public_key: bytes


@dataclass(frozen=True, slots=True)
class Run:
    """Which run: all members hold the same, or share no run.

    `previous` is the transcript of the run before (32 bytes, zeros for the
    first), so that members with different pasts do not go on together.
    `cell_bytes` is what fits into one cell, padding and length included. `cards` is
    the digest of the keys by which members are sealed to (`quorate.anonymous.cards`).
    """

    group: bytes
    number: int
    previous: bytes
    cell_bytes: int
    members: tuple[Identity, ...]
    cards: bytes = b""

    @property
    def n(self) -> int:
        return len(self.members)

    @property
    def sealed_bytes(self) -> int:
        """Bytes of one sealed cell."""
        return self.cell_bytes + CELL_OVERHEAD

    @property
    def vector_bytes(self) -> int:
        return self.n * self.sealed_bytes

    def digest(self) -> bytes:
        return wire.digest("anonymous/run", self)

    def name(self, parties: Iterable[Party]) -> str:
        return ", ".join(self.members[p].name for p in sorted(parties))


def check_run(run: Run) -> None:
    """Raise `Refused` for a run in which a sender would not be hidden, or too large a one."""
    if run.n < MIN_MEMBERS:
        raise Refused(f"with {run.n} members everybody knows who spoke; {MIN_MEMBERS} are needed")
    if len({m.public_key for m in run.members}) < run.n:
        raise Refused("one member would sit on two seats of a run")
    if run.cell_bytes < 16 or run.vector_bytes > wire.MAX_RECORD - 1024:
        raise Refused(
            f"{run.n} cells of {run.cell_bytes} bytes are no vector that fits into a record",
            hint="choose smaller cells; a longer text takes several runs",
        )


@dataclass(frozen=True, slots=True)
class Keys:
    """Round 1: keys of this run alone, and the promise of what may be opened.

    `share` is e * BASE, `proof` that the sender knows e; x25519, mlkem and the
    tag of round 3 follow from the seed whose commitment is `commitment`.
    """

    x25519: bytes
    mlkem: bytes
    share: bytes
    proof: bytes
    commitment: bytes


@dataclass(frozen=True, slots=True)
class Ciphertexts:
    """Round 2: a secret for each other member, in the order of seats, of 1088 bytes each."""

    ciphertexts: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Sums:
    """Round 3: the tag's powers 1..n under additive pads, 16 bytes each."""

    sums: bytes


@dataclass(frozen=True, slots=True)
class Vector:
    """Round 4: n cells under pads, one's own in one's slot."""

    cells: bytes


@dataclass(frozen=True, slots=True)
class Vote:
    """Round 5: whether all was right, over digests of what was said and of what came out."""

    go: bool
    transcript: bytes
    board: bytes


@dataclass(frozen=True, slots=True)
class Shown:
    """The proof that a member said something of this digest in a round."""

    round: Round
    party: Party
    digest: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Ballot:
    """A vote as its voter signed it, shown to others."""

    vote: Vote
    signature: bytes


@dataclass(frozen=True, slots=True)
class Closing:
    """Round 6: the share of the joint key, or the seed, or neither: never two of them.

    Without the key it shows the ballots by which the sender decided; where
    those were over different transcripts, also all it was told before them.
    """

    kind: Literal["key", "seed", "neither"]
    secret: bytes = field(repr=False)
    ballots: tuple[Ballot, ...] = ()
    told: tuple[Shown, ...] = ()


@dataclass(frozen=True, slots=True)
class Ballots:
    """Round 7, of who gave its key while others did not: the votes by which it did."""

    ballots: tuple[Ballot, ...]


Message = Keys | Ciphertexts | Sums | Vector | Vote | Closing | Ballots
KINDS: dict[Round, type[Message]] = dict(zip(ROUNDS, get_args(Message), strict=True))


@dataclass(frozen=True, slots=True)
class Signed:
    """A message as it travels: its encoding, and the sender's signature of 64 bytes."""

    body: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Statement:
    """What a member signs: that it says this digest, here and nowhere else."""

    run: bytes
    round: Round
    party: Party
    digest: bytes


def sign(
    identity: Ed25519PrivateKey, sid: bytes, round_: Round, party: Party, message: Message
) -> Signed:
    """Return `message` signed for its one place: run digest `sid`, round and seat."""
    body = wire.encode(message)
    statement = Statement(sid, round_, party, hashlib.sha256(body).digest())
    return Signed(body, identity.sign(wire.signing_input("anonymous/message", statement)))


def shown(round_: Round, party: Party, signed: Signed) -> Shown:
    return Shown(round_, party, hashlib.sha256(signed.body).digest(), signed.signature)


def ballot(signed: Signed) -> Ballot:
    return Ballot(wire.decode(signed.body, Vote), signed.signature)


def shown_ballot(party: Party, cast: Ballot) -> Shown:
    return shown("vote", party, Signed(wire.encode(cast.vote), cast.signature))


def is_signed(run: Run, sid: bytes, claim: Shown) -> bool:
    """Return whether the member in that seat of `run`, whose digest is `sid`, said so."""
    if not 0 <= claim.party < run.n:
        return False
    statement = Statement(sid, claim.round, claim.party, claim.digest)
    try:
        key = Ed25519PublicKey.from_public_bytes(run.members[claim.party].public_key)
        key.verify(claim.signature, wire.signing_input("anonymous/message", statement))
    except (InvalidSignature, ValueError):
        return False
    return True


def transcript_of(sid: bytes, told: Iterable[Shown]) -> bytes:
    """Return the digest of all that was said before the vote: rounds in order, seats in each."""
    return wire.digest("anonymous/transcript", (sid, [claim.digest for claim in told]))


def sums_bytes(n: int) -> int:
    return n * ELEMENT_BYTES


@dataclass(frozen=True, slots=True)
class Claims:
    """The first record of evidence."""

    shown: tuple[Shown, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What members said, under their signatures, and those bodies that are needed to judge it."""

    shown: tuple[Shown, ...]
    bodies: tuple[bytes, ...]

    def records(self) -> tuple[bytes, ...]:
        """Return the evidence as records to be kept and handed on, none above 1 MiB."""
        return wire.encode(Claims(self.shown)), *self.bodies


def evidence_from(records: tuple[bytes, ...]) -> Evidence:
    """Return the evidence that records hold. Raises `MalformedMessage`."""
    if not records:
        raise MalformedMessage("evidence without a record")
    return Evidence(wire.decode(records[0], Claims).shown, records[1:])
