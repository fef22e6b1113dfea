"""Who provably cheated, judged from signed messages alone.

The judge knows the run and nothing else: no member's word counts beyond its
signatures, and what is missing accuses nobody. It looks, in this order, for

* two different messages of one member in one round;
* a message that its round does not know, or a closing that its votes forbid;
* a vote over a board that the messages do not give;
* with all messages and all seeds: whoever sent what its seed does not give
  (`quorate.anonymous.blame`).

A member that follows the protocol says one thing in each round, of valid form,
and what its seed gives: nobody can make it a culprit.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from quorate.algebra import edwards25519 as ed
from quorate.anonymous import blame, check, pads
from quorate.anonymous.board import board_of, joint_key
from quorate.anonymous.messages import (
    BEFORE_VOTE,
    Ballot,
    Ballots,
    Ciphertexts,
    Closing,
    Evidence,
    Keys,
    Message,
    Round,
    Run,
    Shown,
    Sums,
    Vector,
    Vote,
    evidence_from,
    is_signed,
    shown_ballot,
    transcript_of,
)
from quorate.errors import MalformedMessage, Party, VerificationFailed

M = TypeVar("M", bound=Message)


def verify_evidence(run: Run, records: tuple[bytes, ...]) -> frozenset[Party]:
    """Return whom the evidence proves to have cheated in `run`, by seat: one member or more.

    Raises `VerificationFailed` for evidence that proves nothing, and for a forged one.
    """
    try:
        evidence = evidence_from(records)
    except MalformedMessage as e:
        raise VerificationFailed(f"this is no evidence: {e}") from None
    if found := culprits_in(run, evidence):
        return found
    raise VerificationFailed("this evidence proves nothing against anybody")


def culprits_in(
    run: Run, evidence: Evidence, verified: frozenset[Shown] = frozenset()
) -> frozenset[Party]:
    """Return whom the evidence proves to have cheated, if anybody.

    `verified` are claims whose signatures the caller has checked itself. Raises
    `VerificationFailed` for a forgery.
    """
    case = _Case(run, run.digest(), signed=dict.fromkeys(verified, True))
    for claim in evidence.shown:
        if not case.holds(claim):
            raise VerificationFailed("the evidence holds what its signer has not signed")
        case.claims.add(claim)
    bodies = {hashlib.sha256(body).digest(): body for body in evidence.bodies}
    if bodies.keys() - {claim.digest for claim in case.claims}:
        raise VerificationFailed("the evidence holds a message that nobody has signed")
    case.take_in(bodies)
    return (
        case.two_faced() | case.malformed | frozenset(case.wrong_closings())
        or case.wrong_boards()
        or case.wrong_seeds()
    )


def least(run: Run, evidence: Evidence, culprits: frozenset[Party]) -> Evidence:
    """Return the part that proves the same `culprits`, without long bodies where it can.

    All claims are ones that the caller has checked itself.
    """
    short = tuple(body for body in evidence.bodies if len(body) <= _SHORT)
    for bodies in ((), short):
        part = Evidence(evidence.shown, bodies)
        if culprits_in(run, part, frozenset(part.shown)) == culprits:
            return part
    return evidence


_SHORT = 4096
"""Bytes of a body that is not worth leaving out: keys, votes, closings."""


@dataclass(slots=True)
class _Case:
    """What is known of one run: signed claims, and the messages whose bodies are at hand."""

    run: Run
    sid: bytes
    claims: set[Shown] = field(default_factory=set)
    said: dict[tuple[Round, Party], Message] = field(default_factory=dict)
    malformed: frozenset[Party] = frozenset()
    signed: dict[Shown, bool] = field(default_factory=dict)

    def holds(self, claim: Shown) -> bool:
        """Return whether the claim is signed; each is verified once."""
        if claim not in self.signed:
            self.signed[claim] = is_signed(self.run, self.sid, claim)
        return self.signed[claim]

    def take_in(self, bodies: dict[bytes, bytes]) -> None:
        """Read the bodies of claims, and the claims that are shown inside closings."""
        wrong = set[Party]()
        for claim in tuple(self.claims):
            if claim.digest not in bodies:
                continue
            place = claim.round, claim.party
            try:
                message = check.read(self.run, self.sid, *place, bodies[claim.digest])
            except MalformedMessage:
                wrong.add(claim.party)
                continue
            self.said[place] = message
            self.claims.update(filter(self.holds, shown_inside(message)))
        self.malformed = frozenset(wrong)

    def two_faced(self) -> frozenset[Party]:
        """Return who said two things in one round."""
        digests: dict[tuple[Round, Party], set[bytes]] = {}
        for claim in self.claims:
            digests.setdefault((claim.round, claim.party), set()).add(claim.digest)
        return frozenset(party for (_, party), found in digests.items() if len(found) > 1)

    def wrong_closings(self) -> Iterator[Party]:
        """Yield whose closing, or show of ballots, does not follow from its votes."""
        for (_, party), message in self.said.items():
            match message:
                case Closing(kind="key"):
                    right = self._is_right_key(party, message)
                case Closing(kind="seed"):
                    right = self._is_right_seed(party, message)
                case Closing():
                    right = self._is_right_neither(party, message)
                case Ballots(ballots):
                    right = self._are_signed(ballots) and all(
                        b.vote.go and b.vote == ballots[0].vote for b in ballots
                    )
                case _:
                    continue
            if not right:
                yield party

    def _is_right_key(self, party: Party, closing: Closing) -> bool:
        keys = self.said.get(("keys", party))
        if not isinstance(keys, Keys):
            return True  # cannot be told from this evidence
        try:
            secret = ed.decode_scalar(closing.secret)
        except MalformedMessage:
            return False
        return ed.base_mul(secret) == keys.share

    def _is_right_seed(self, party: Party, closing: Closing) -> bool:
        votes = [b.vote for b in closing.ballots]
        keys = self.said.get(("keys", party))
        committed = pads.commit(self.sid, party, closing.secret)
        return (
            (not isinstance(keys, Keys) or committed == keys.commitment)
            and self._are_signed(closing.ballots)
            and len({(v.transcript, v.board) for v in votes}) == 1
            and not all(v.go for v in votes)
        )

    def _is_right_neither(self, party: Party, closing: Closing) -> bool:
        votes = [b.vote for b in closing.ballots]
        return (
            self._are_signed(closing.ballots)
            and all(map(self.holds, closing.told))
            and len({(v.transcript, v.board) for v in votes}) > 1
            and votes[party].transcript == transcript_of(self.sid, closing.told)
        )

    def _are_signed(self, ballots: Iterable[Ballot]) -> bool:
        return all(self.holds(shown_ballot(p, b)) for p, b in enumerate(ballots))

    def wrong_boards(self) -> frozenset[Party]:
        """Return who voted over this transcript, and another board than follows from it."""
        if not self._is_whole(("keys", "vector")):
            return frozenset()
        joint = joint_key(self._all("keys", Keys))
        board, _ = board_of(self.run, joint, self._all("vector", Vector))
        due, told = board.digest(), self._transcript()
        return frozenset(
            party
            for (_, party), vote in self.said.items()
            if isinstance(vote, Vote) and vote.transcript == told and vote.board != due
        )

    def wrong_seeds(self) -> frozenset[Party]:
        """Return who did not follow its seed, where all seeds are there."""
        if not self._is_whole((*BEFORE_VOTE, "vote", "closing")):
            return frozenset()
        closings, votes = self._all("closing", Closing), self._all("vote", Vote)
        told = self._transcript()
        if any(c.kind != "seed" for c in closings) or any(v.transcript != told for v in votes):
            return frozenset()
        opened = blame.Opened(
            self._all("keys", Keys),
            self._all("ciphertexts", Ciphertexts),
            self._all("sums", Sums),
            self._all("vector", Vector),
            votes,
            tuple(c.secret for c in closings),
        )
        return blame.culprits(self.run, self.sid, opened)

    def _is_whole(self, rounds: Iterable[Round]) -> bool:
        return all((r, p) in self.said for r in rounds for p in range(self.run.n))

    def _all(self, round_: Round, kind: type[M]) -> tuple[M, ...]:
        found = (self.said[round_, party] for party in range(self.run.n))
        return tuple(message for message in found if isinstance(message, kind))

    def _transcript(self) -> bytes | None:
        """Return the digest of what was said before the vote, where all of it is claimed."""
        by_place = {(claim.round, claim.party): claim for claim in self.claims}
        places = [(r, p) for r in BEFORE_VOTE for p in range(self.run.n)]
        if not all(place in by_place for place in places):
            return None
        return transcript_of(self.sid, [by_place[place] for place in places])


def shown_inside(message: Message) -> Iterator[Shown]:
    """Yield what a message shows of others' words; whether it is signed is to be seen."""
    if isinstance(message, Closing | Ballots):
        yield from (shown_ballot(p, b) for p, b in enumerate(message.ballots))
    if isinstance(message, Closing):
        yield from message.told
