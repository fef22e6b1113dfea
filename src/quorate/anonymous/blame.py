"""Who spoilt a run, when all have opened their seeds: everything is computed again.

From a seed follow a member's keys, its tag and all its pads, so everybody's
messages are known but for what stands in its own slot, where a member may put what
it likes. Whoever sent something else is a culprit. Where all is as it must be,
nobody had a reason to vote against the run: then those who did are the culprits.
"""

from dataclasses import dataclass
from itertools import combinations

from quorate.algebra import mersenne
from quorate.anonymous import pads
from quorate.anonymous.messages import Ciphertexts, Keys, Run, Sums, Vector, Vote
from quorate.anonymous.pads import Grown, PairKeys
from quorate.errors import Party


@dataclass(frozen=True, slots=True)
class Opened:
    """A run laid open: each member's messages by seat, all of valid form, and its seed."""

    keys: tuple[Keys, ...]
    ciphertexts: tuple[Ciphertexts, ...]
    sums: tuple[Sums, ...]
    vectors: tuple[Vector, ...]
    votes: tuple[Vote, ...]
    seeds: tuple[bytes, ...]


def culprits(run: Run, sid: bytes, opened: Opened) -> frozenset[Party]:
    """Return who did not follow the protocol: at least one, and only who did not.

    For votes over one transcript of which not all say go. Stops at the first
    round with a culprit: after it, what others sent may follow from the lie.
    """
    grown = tuple(pads.grow(sid, seed) for seed in opened.seeds)
    if wrong := _wrong_keys(sid, opened, grown):
        return wrong
    pairs = _pairs(sid, opened, grown)
    if wrong := _wrong_sums(opened, grown, pairs):
        return wrong
    if wrong := _wrong_vectors(run, opened, grown, pairs):
        return wrong
    return frozenset(p for p, vote in enumerate(opened.votes) if not vote.go)


def _wrong_keys(sid: bytes, opened: Opened, grown: tuple[Grown, ...]) -> frozenset[Party]:
    """Return whose seed is not the one it committed to, or does not give the keys it sent."""
    return frozenset(
        party
        for party, (said, seed, due) in enumerate(
            zip(opened.keys, opened.seeds, grown, strict=True)
        )
        if (said.x25519, said.mlkem, said.commitment)
        != (due.x25519_public, due.mlkem_public, pads.commit(sid, party, seed))
    )


def _pairs(
    sid: bytes, opened: Opened, grown: tuple[Grown, ...]
) -> tuple[dict[Party, PairKeys], ...]:
    """Return the keys of each member's pads, by the other's seat.

    What i sent to j counts as j decapsulates it: who sends no honest ciphertext
    cannot have used it, and is found by its sums.
    """
    n = len(grown)
    found: tuple[dict[Party, PairKeys], ...] = tuple({} for _ in range(n))
    for low, high in combinations(range(n), 2):
        agreed = pads.agree(grown[low].x25519, opened.keys[high].x25519)
        upward = grown[high].mlkem.decapsulate(opened.ciphertexts[low].ciphertexts[high - 1])
        downward = grown[low].mlkem.decapsulate(opened.ciphertexts[high].ciphertexts[low])
        pair = pads.pair_keys(sid, low, high, agreed, upward, downward)
        found[low][high] = found[high][low] = pair
    return found


def _wrong_sums(
    opened: Opened, grown: tuple[Grown, ...], pairs: tuple[dict[Party, PairKeys], ...]
) -> frozenset[Party]:
    def due(party: Party) -> bytes:
        powers = mersenne.powers(grown[party].tag, len(grown))
        return mersenne.encode(pads.add_pads(powers, party, pairs[party]))

    return frozenset(p for p, said in enumerate(opened.sums) if said.sums != due(p))


def _wrong_vectors(
    run: Run, opened: Opened, grown: tuple[Grown, ...], pairs: tuple[dict[Party, PairKeys], ...]
) -> frozenset[Party]:
    """Return who wrote outside its own slot; the sums were right, so the tags are the seeds'."""
    tags, size = sorted(g.tag for g in grown), run.sealed_bytes
    wrong = set[Party]()
    for party, said in enumerate(opened.vectors):
        row = said.cells
        for pair in pairs[party].values():
            row = pads.xor_pad(pair.vector, row)
        slot = tags.index(grown[party].tag)
        if any(row[: slot * size]) or any(row[(slot + 1) * size :]):
            wrong.add(party)
    return frozenset(wrong)
