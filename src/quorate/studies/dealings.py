"""What a member dealt in a run, kept as hashes: an audit opens it later, and nothing else opens.

    the run     each of the committee hashes the parts that every member dealt to it (`Kept`), and
                its log takes a digest of that; each member keeps its own parts (`Opening`)
    the audit   the member opens; an auditor hashes the parts and compares with all who kept them

Who holds what: a part's hash, who holds the part; so nobody learns what it could not compute.
The digest is salted: with one part of a member of the committee, its other part's bare hash,
which a log's head depends on, would let guesses of its numbers be tried.

Adversary: the member and one of the committee together. Every part that a member outside deals is
held by two, of which one is honest; so all must be asked, and a hash that differs is not passed
over. What a member of the committee holds of its own parts counts for nothing: the others hold
all three. An owner may deal what it likes; what it cannot is say later that it was something else.
Binding as SHA-256 is. Unreviewed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from quorate import wire
from quorate.algebra.ring import Words
from quorate.errors import MalformedMessage, Party, VerificationFailed
from quorate.mpc import owners
from quorate.mpc.agreement import Randomness
from quorate.mpc.replicated import SEATS, Share
from quorate.studies import document

OPENING, DEALT = "opening 1", "dealt 1"
SALT_BYTES = 32
WORD_BYTES = 8


@dataclass(frozen=True, slots=True)
class Held:
    """The hashes of the two parts that one of the committee was dealt by one member."""

    own: bytes
    next: bytes


@dataclass(frozen=True, slots=True)
class Kept:
    """What one of the committee keeps of a run: of each member, by seat, what it was dealt."""

    session: bytes
    seat: int
    dealt: tuple[Held, ...]
    salt: bytes = field(repr=False)

    def digest(self) -> bytes:
        """Return what the audit log of who keeps it says."""
        return wire.digest("dealt", self)


@dataclass(frozen=True, slots=True)
class Opening:
    """What a member keeps of its own: the three parts, 8 bytes a word, little-endian."""

    session: bytes
    owner: int
    parts: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Dealings:
    """What one member keeps of a run."""

    opening: Opening
    kept: Kept | None = None  # where it is of the committee


def kept(session_id: bytes, seat: Party, shares: Sequence[Share], randomness: Randomness) -> Kept:
    """Return what the committee's party `seat` keeps of the `shares` it was dealt, by owner."""
    held = (Held(owners.hash_of(one.own), owners.hash_of(one.next)) for one in shares)
    return Kept(session_id, seat, tuple(held), randomness(SALT_BYTES))


def opening_inside(session_id: bytes, seat: Party, share: Share) -> Opening:
    """Return the opening of one of the committee, of its share of what it dealt itself."""
    parts = [np.zeros_like(share.own)] * SEATS
    parts[seat], parts[(seat + 1) % SEATS] = share.own, share.next
    return Opening(session_id, seat, tuple(map(_bytes, parts)))


def opening_outside(
    session_id: bytes, owner: Party, words: Words, seeds: tuple[bytes, bytes]
) -> Opening:
    """Return the opening of a member outside, of the seeds it dealt its `words` with."""
    parts = owners.parts_of(words, seeds)
    return Opening(session_id, owner, tuple(map(_bytes, parts)))


def trace(opening: Opening, records: Sequence[Kept]) -> Words:
    """Return the words that a member dealt, as the committee's `records` say of its `opening`.

    Raises `VerificationFailed` unless all of the committee but the member itself say the same,
    `MalformedMessage` for what no run leaves.
    """
    _refuse_malformed(opening, records)
    by_seat = {one.seat: one for one in records if one.session == opening.session}
    missing = set(range(SEATS)) - set(by_seat) - {opening.owner}
    if missing or len(records) != len(by_seat):
        raise VerificationFailed(
            "a record of this run is needed of each of the committee but the member that opens",
            hint="each of them has it with: quorate audit dealt STUDY",
        )
    parts = [np.frombuffer(part, "<u8").astype(np.uint64) for part in opening.parts]
    hashes = [owners.hash_of(part) for part in parts]
    for seat, record in by_seat.items():
        said = record.dealt[opening.owner]
        if seat != opening.owner and said != Held(hashes[seat], hashes[(seat + 1) % SEATS]):
            raise VerificationFailed(
                f"what is opened is not what seat {seat} was dealt",
                hint="the member opens other parts, or that seat's record was altered: "
                "compare its digest with that seat's audit log",
            )
    words: Words = parts[0] + parts[1] + parts[2]
    return words


def opening_to_json(opening: Opening) -> str:
    return document.write(OPENING, opening)


def opening_from_json(text: str) -> Opening:
    """Return the opening a file holds, not yet traced. Raises `MalformedMessage`."""
    return document.read(OPENING, text, Opening)


def kept_to_json(kept: Kept) -> str:
    return document.write(DEALT, kept)


def kept_from_json(text: str) -> Kept:
    """Return the record a file holds. Raises `MalformedMessage`."""
    return document.read(DEALT, text, Kept)


def _refuse_malformed(opening: Opening, records: Sequence[Kept]) -> None:
    sizes = {len(part) for part in opening.parts}
    if len(opening.parts) != SEATS or len(sizes) != 1 or sizes.pop() % WORD_BYTES:
        raise MalformedMessage("an opening has three parts of whole words, equally long")
    for one in records:
        if not (0 <= one.seat < SEATS and 0 <= opening.owner < len(one.dealt)):
            raise MalformedMessage("a record is of no seat, or has no such member")


def _bytes(part: Words) -> bytes:
    return part.astype("<u8").tobytes()
