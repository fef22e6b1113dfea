"""The end of a run: the key or the seed, never both, and what follows from it.

All votes say go over one transcript: each member releases its share of the
joint key, and everybody reads. All are over one transcript and some do not say
go: each member destroys its share and opens its seed, so that the disruptor is
found. Votes are over different transcripts: somebody said different things to
some, and each shows what it was told; nothing is released and nothing opened.

The whole of the secrecy hangs on one rule: **in one run a node lets out at most one
of the two.** Without one member's share no cell of the run ever opens, and
without its seed nobody links it to its cell. So `decide` returns an object that
has one of them and not the other, and records the choice for good before it
returns. After a crash the record refuses a second decision, be it the same: the
node takes no further part in that run.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate import wire
from quorate.algebra import edwards25519 as ed
from quorate.algebra.edwards25519 import Scalar
from quorate.anonymous import cell
from quorate.anonymous.board import joint_key
from quorate.anonymous.evidence import culprits_in, least, shown_inside
from quorate.anonymous.messages import (
    BEFORE_VOTE,
    KINDS,
    Ballot,
    Ballots,
    Closing,
    Evidence,
    Keys,
    Round,
    Run,
    Shown,
    Signed,
    Vector,
    Vote,
    ballot,
    is_signed,
    shown,
    sign,
)
from quorate.anonymous.rounds import Received, RunStore, Seat, Voted, read_all, said_in
from quorate.errors import Abort, Disrupted, MalformedMessage, Party


@dataclass(frozen=True, slots=True)
class ReleaseKey:
    """All said go: the share of the joint key leaves, the seed is gone."""

    share: Scalar = field(repr=False)


@dataclass(frozen=True, slots=True)
class OpenSeed:
    """Somebody did not say go: the seed leaves, the share is gone."""

    seed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class OpenNothing:
    """The members were told different things: both are gone."""


Decision = ReleaseKey | OpenSeed | OpenNothing


@dataclass(frozen=True, slots=True)
class Decided:
    """After `decide`: the choice, all that was said up to the votes, and the cells by slot."""

    seat: Seat
    heard: tuple[Received, ...]
    cells: tuple[bytes, ...]
    decision: Decision


@dataclass(frozen=True, slots=True)
class Delivered:
    """What a run brought: the texts, by slot, each once, and what proves that they were in it.

    `votes` are everybody's signatures of `vote`, whose transcript is the `previous` of the
    next run; `joint_secret` opens the cells, which are the exclusive or of all `parts`.
    """

    run: Run
    texts: tuple[bytes, ...]
    vote: Vote
    votes: tuple[bytes, ...]
    cells: tuple[bytes, ...]
    joint_secret: bytes
    parts: tuple[bytes, ...]


def decide(kept: Voted, received: Received, store: RunStore) -> Decided:
    """Choose by everybody's votes, and record the choice before anything is sent.

    Raises `SessionReused` if this run was decided before, here or before a crash;
    `Abort` and `Disrupted` as the rounds do, and then nothing leaves.
    """
    begun = kept.begun
    votes = read_all(begun.seat, "vote", received, Vote)
    decision: Decision
    if len({(v.transcript, v.board) for v in votes}) > 1:
        decision, word = OpenNothing(), "neither"
    elif all(v.go for v in votes):
        decision, word = ReleaseKey(begun.share), "key"
    else:
        decision, word = OpenSeed(begun.seed), "seed"
    store.decide(begun.seat.sid, word)
    return Decided(begun.seat, (*kept.heard, received), kept.cells, decision)


def close(kept: Decided, identity: Ed25519PrivateKey) -> Signed:
    """Return the closing that the decision asks for."""
    match kept.decision:
        case ReleaseKey(share):
            closing = Closing("key", share)
        case OpenSeed(seed):
            closing = Closing("seed", seed, _ballots(kept))
        case OpenNothing():
            told = tuple(_claims(kept.heard[:-1]))
            closing = Closing("neither", b"", _ballots(kept), told)
    return sign(identity, kept.seat.sid, "closing", kept.seat.me, closing)


@dataclass(frozen=True, slots=True)
class Show:
    """The seventh round, where some gave their keys and some did not: whom to show, who must."""

    to: tuple[Party, ...]
    senders: tuple[Party, ...]
    message: Signed


def show(kept: Decided, received: Received, identity: Ed25519PrivateKey) -> Show | None:
    """Return the seventh round, if the closings call for it.

    Who gave its key shows those who did not by which votes; whoever voted both ways is
    then found. A key that came with no such votes was given against the rules.
    """
    closings = read_all(kept.seat, "closing", received, Closing)
    gave = {p for p, closing in enumerate(closings) if closing.kind == "key"}
    others = set(range(len(closings))) - gave
    if not gave or not others:
        return None
    seat = kept.seat
    message = sign(identity, seat.sid, "ballots", seat.me, Ballots(_ballots(kept)))
    if seat.me in gave:
        return Show(tuple(sorted(others)), (), message)
    return Show((), tuple(sorted(gave)), message)


def conclude(
    kept: Decided, received: Received, ballots: tuple[tuple[Party, Signed], ...] = ()
) -> Delivered:
    """Return what the run brought.

    Raises `Disrupted` naming who spoilt it, with the evidence. `ballots` are those of the
    seventh round, with their senders' seats.
    """
    closings = read_all(kept.seat, "closing", received, Closing)
    if all(closing.kind == "key" for closing in closings):
        joint = joint_key(said_in(kept.heard, "keys", Keys))
        secret = _sum_of_shares(closings)
        if secret is not None and ed.base_mul(secret) == joint:
            return _delivered(kept, secret)
    run, sid = kept.seat.run, kept.seat.sid
    signed = tuple((p, s) for p, s in ballots if is_signed(run, sid, shown("ballots", p, s)))
    evidence = _evidence(kept, received, signed)
    if culprits := culprits_in(run, evidence, frozenset(evidence.shown)):
        raise Disrupted(
            f"{run.name(culprits)} spoilt the run",
            culprits=culprits,
            evidence=least(run, evidence, culprits).records(),
            hint="hold it again without them: who had a text to send sends it then",
        )
    open_handed = {party for party, _ in signed}
    silent = [p for p, c in enumerate(closings) if c.kind == "key" and p not in open_handed]
    raise Abort(f"{run.name(silent)} gave its key, and shows no votes for it", suspects=silent)


def _sum_of_shares(closings: tuple[Closing, ...]) -> Scalar | None:
    try:
        return ed.scalar_sum(ed.decode_scalar(closing.secret) for closing in closings)
    except MalformedMessage:
        return None


def _delivered(kept: Decided, secret: Scalar) -> Delivered:
    """Open every cell."""
    texts = cell.texts_in(kept.cells, secret, kept.seat.sid)
    ballots = _ballots(kept)
    votes = tuple(b.signature for b in ballots)
    run, parts = kept.seat.run, tuple(v.cells for v in said_in(kept.heard, "vector", Vector))
    return Delivered(run, texts, ballots[0].vote, votes, kept.cells, secret, parts)


def _ballots(kept: Decided) -> tuple[Ballot, ...]:
    return tuple(map(ballot, kept.heard[-1]))


def _claims(heard: tuple[Received, ...]) -> list[Shown]:
    rounds: tuple[Round, ...] = (*BEFORE_VOTE, "vote")
    named = zip(rounds, heard, strict=False)
    return [shown(r, party, said) for r, received in named for party, said in enumerate(received)]


def _evidence(
    kept: Decided, received: Received, ballots: tuple[tuple[Party, Signed], ...]
) -> Evidence:
    """Return all that was signed, the words of others that closings show included.

    Every claim in it is checked: messages when they were read, words inside them here.
    """
    seat, claims = kept.seat, _claims(kept.heard)
    bodies = [signed.body for heard in kept.heard for signed in heard]
    late: list[tuple[Round, Party, Signed]] = []
    late.extend(("closing", party, signed) for party, signed in enumerate(received))
    late.extend(("ballots", party, signed) for party, signed in ballots)
    for round_, party, signed in late:
        claims.append(shown(round_, party, signed))
        bodies.append(signed.body)
    inside = {claim for round_, _, signed in late for claim in _inside(round_, signed)}
    claims += [c for c in inside.difference(claims) if is_signed(seat.run, seat.sid, c)]
    return Evidence(tuple(claims), tuple(dict.fromkeys(bodies)))  # equal votes: one body


def _inside(round_: Round, signed: Signed) -> Iterator[Shown]:
    """Yield the words of others that a late message shows."""
    try:
        message = wire.decode(signed.body, KINDS[round_])
    except MalformedMessage:
        return  # whose fault that is follows from the body itself
    yield from shown_inside(message)
