"""The rounds of a run, as functions of what is kept and what was received.

Every member takes every step in every run, with a text or without: what it sends
has the same form, size and time. `begin` makes the first message; each further
function takes what the one before kept and everybody's messages by seat, and
returns what to keep and what to say next:

    begin, encapsulate, reserve, speak, vote, then decide, close and conclude
    (quorate.anonymous.decision)

All take everybody's signed messages, one's own among them. They raise `Abort`
naming as suspects who sent what it did not sign, and `Disrupted` with evidence
against who signed what cannot be. After either the run is over: nothing that was
kept may be used again.
"""

import hmac
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey

from quorate import wire
from quorate.algebra import edwards25519 as ed
from quorate.algebra import mersenne
from quorate.algebra.edwards25519 import Randomness, Scalar
from quorate.anonymous import cell, check, pads
from quorate.anonymous.board import board_of, joint_key, slots_of
from quorate.anonymous.messages import (
    BEFORE_VOTE,
    Ciphertexts,
    Evidence,
    Keys,
    Message,
    Round,
    Run,
    Signed,
    Sums,
    Vector,
    Vote,
    check_run,
    is_signed,
    shown,
    sign,
    transcript_of,
)
from quorate.anonymous.pads import Grown, PairKeys
from quorate.errors import Abort, Disrupted, MalformedMessage, Party

M = TypeVar("M", bound=Message)
Received = tuple[Signed, ...]
"""Everybody's messages of one round, by seat."""


class RunStore(Protocol):
    """What a node must not forget of a run, not even in a crash."""

    def claim(self, run: bytes) -> None:
        """Record for good that this node takes part in `run`.

        Raises `SessionReused` if it did before: it would say two things in one round.
        """

    def decide(self, run: bytes, decision: str) -> None:
        """Record for good what this node lets out in `run`, before it does.

        Raises `SessionReused` if anything is recorded for it, be it the same.
        """


@dataclass(frozen=True, slots=True)
class Seat:
    """Where a member sits: the run, the run's digest, and its place in it."""

    run: Run
    sid: bytes
    me: Party

    @property
    def others(self) -> tuple[Party, ...]:
        return tuple(p for p in range(self.run.n) if p != self.me)


@dataclass(frozen=True, slots=True)
class Begun:
    """After `begin`: the openable seed, and the secret share of the joint key."""

    seat: Seat
    seed: bytes = field(repr=False)
    share: Scalar = field(repr=False)


@dataclass(frozen=True, slots=True)
class Encapsulated:
    """After `encapsulate`: also the secrets sent to each other member, by seat."""

    begun: Begun
    heard: tuple[Received, ...]
    sent: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Reserved:
    """After `reserve`: also the keys of the pads, in the order of the other seats."""

    begun: Begun
    heard: tuple[Received, ...]
    pairs: tuple[PairKeys, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Spoken:
    """After `speak`: also one's own cell as it was sealed, and its slot, if there is one."""

    begun: Begun
    heard: tuple[Received, ...]
    sealed: bytes = field(repr=False)
    slot: int | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Voted:
    """After `vote`: all that was said before it, and the cells that came out, by slot."""

    begun: Begun
    heard: tuple[Received, ...]
    cells: tuple[bytes, ...]


def begin(
    run: Run, me: Party, identity: Ed25519PrivateKey, store: RunStore, randomness: Randomness
) -> tuple[Begun, Signed]:
    """Draw the secrets of a run. Raises `Refused`, `SessionReused`."""
    check_run(run)
    seat = Seat(run, run.digest(), me)
    store.claim(seat.sid)
    begun = Begun(seat, randomness(pads.SEED_BYTES), ed.random_scalar(randomness))
    grown, point = pads.grow(seat.sid, begun.seed), ed.base_mul(begun.share)
    keys = Keys(
        grown.x25519_public,
        grown.mlkem_public,
        point,
        cell.prove(begun.share, seat.sid, me),
        pads.commit(seat.sid, me, begun.seed),
    )
    return begun, sign(identity, seat.sid, "keys", me, keys)


def encapsulate(
    kept: Begun, received: Received, identity: Ed25519PrivateKey
) -> tuple[Encapsulated, Signed]:
    """Send each other member a secret under its ML-KEM key, drawn by the library itself."""
    seat = kept.seat
    keys = read_all(seat, "keys", received, Keys)
    sent, ciphertexts = [b""] * seat.run.n, []
    for other in seat.others:
        sent[other], ciphertext = MLKEM768PublicKey.from_public_bytes(
            keys[other].mlkem
        ).encapsulate()
        ciphertexts.append(ciphertext)
    message = Ciphertexts(tuple(ciphertexts))
    said = sign(identity, seat.sid, "ciphertexts", seat.me, message)
    return Encapsulated(kept, (received,), tuple(sent)), said


def reserve(
    kept: Encapsulated, received: Received, identity: Ed25519PrivateKey
) -> tuple[Reserved, Signed]:
    """Agree on the pads with each member; send the powers of one's tag under them."""
    seat = kept.begun.seat
    ciphertexts = read_all(seat, "ciphertexts", received, Ciphertexts)
    grown = pads.grow(seat.sid, kept.begun.seed)
    keys = said_in(kept.heard, "keys", Keys)
    pairs = {
        other: _pair(seat, grown, other, keys[other], kept.sent[other], ciphertexts[other])
        for other in seat.others
    }
    padded = pads.add_pads(mersenne.powers(grown.tag, seat.run.n), seat.me, pairs)
    said = sign(identity, seat.sid, "sums", seat.me, Sums(mersenne.encode(padded)))
    return Reserved(kept.begun, (*kept.heard, received), tuple(pairs.values())), said


def speak(
    kept: Reserved,
    received: Received,
    text: bytes,
    identity: Ed25519PrivateKey,
    randomness: Randomness,
) -> tuple[Spoken, Signed]:
    """Send n cells of pads, one's own sealed text in the slot that one's tag has among all tags.

    `text` is empty where there is nothing to say. Without a slot of its own, because
    somebody spoilt the sums, a member sends pads alone. Raises `OutOfRange` for a long text.
    """
    seat = kept.begun.seat
    tags = slots_of(read_all(seat, "sums", received, Sums))
    tag = pads.grow(seat.sid, kept.begun.seed).tag
    # Both sums look at every tag, so that the time does not tell which slot it is.
    below, equal = (sum(map(compare, tags or [])) for compare in (tag.__gt__, tag.__eq__))
    slot = below if equal else None
    run = seat.run
    joint = joint_key(said_in(kept.heard, "keys", Keys))
    sealed = cell.seal(text, joint, seat.sid, run.cell_bytes, randomness)
    row = bytearray(run.vector_bytes)
    if slot is not None:
        row[slot * run.sealed_bytes : (slot + 1) * run.sealed_bytes] = sealed
    padded = bytes(row)
    for pair in kept.pairs:
        padded = pads.xor_pad(pair.vector, padded)
    said = sign(identity, seat.sid, "vector", seat.me, Vector(padded))
    return Spoken(kept.begun, (*kept.heard, received), sealed, slot), said


def vote(kept: Spoken, received: Received, identity: Ed25519PrivateKey) -> tuple[Voted, Signed]:
    """Add up the vectors; say go if one's own cell came out as it went in."""
    seat = kept.begun.seat
    vectors = read_all(seat, "vector", received, Vector)
    heard = (*kept.heard, received)
    joint = joint_key(said_in(heard, "keys", Keys))
    board, cells = board_of(seat.run, joint, vectors)
    intact = kept.slot is not None and hmac.compare_digest(cells[kept.slot], kept.sealed)
    cast = Vote(intact, transcript(seat, heard), board.digest())
    return Voted(kept.begun, heard, cells), sign(identity, seat.sid, "vote", seat.me, cast)


def read_all(seat: Seat, round_: Round, received: Received, kind: type[M]) -> tuple[M, ...]:
    """Return everybody's message of one round, checked. Raises `Abort`, `Disrupted`."""
    run, claims = seat.run, [shown(round_, p, signed) for p, signed in enumerate(received)]
    unsigned = [claim.party for claim in claims if not is_signed(run, seat.sid, claim)]
    if unsigned:
        raise Abort(f"{run.name(unsigned)} sent what it has not signed", suspects=unsigned)
    messages: list[M] = []
    wrong: dict[Party, str] = {}
    for party, signed in enumerate(received):
        try:
            message = check.read(run, seat.sid, round_, party, signed.body)
        except MalformedMessage as e:
            wrong[party] = str(e)
        else:
            assert isinstance(message, kind)  # noqa: S101 - what `read` returns is of the round
            messages.append(message)
    if wrong:
        evidence = Evidence(tuple(claims[p] for p in wrong), tuple(received[p].body for p in wrong))
        raise Disrupted(
            f"{run.name(wrong)} signed what is no message of round {round_} "
            f"({'; '.join(sorted(set(wrong.values())))})",
            culprits=wrong,
            evidence=evidence.records(),
        )
    return tuple(messages)


def said_in(heard: tuple[Received, ...], round_: Round, kind: type[M]) -> tuple[M, ...]:
    """Return everybody's message of a round that was checked before."""
    return tuple(wire.decode(s.body, kind) for s in heard[BEFORE_VOTE.index(round_)])


def transcript(seat: Seat, heard: tuple[Received, ...]) -> bytes:
    rounds = zip(BEFORE_VOTE, heard, strict=True)
    told = [shown(r, p, signed) for r, received in rounds for p, signed in enumerate(received)]
    return transcript_of(seat.sid, told)


def _pair(
    seat: Seat, grown: Grown, other: Party, keys: Keys, sent: bytes, theirs: Ciphertexts
) -> PairKeys:
    place = seat.me - (seat.me > other)  # whose ciphertexts have none for itself
    received = grown.mlkem.decapsulate(theirs.ciphertexts[place])
    agreed = pads.agree(grown.x25519, keys.x25519)
    return pads.pair_keys(seat.sid, seat.me, other, agreed, sent, received)
