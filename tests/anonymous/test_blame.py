"""What blame opens links members to sealed cells, never to a text.

The attacker makes a run fail, waits until all have opened their seeds, lifts the
pads of each member, and so learns which cell is whose. It then opens whatever
cell was sealed with randomness that a seed gives. In a protocol that derives all
from one seed, and opens the seeds of a failed run, that is every cell.
"""

import secrets
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from quorate import wire
from quorate.algebra import edwards25519 as ed
from quorate.algebra import mersenne
from quorate.algebra.edwards25519 import Randomness
from quorate.anonymous import blame, cell, pads
from quorate.anonymous.board import joint_key, slots_of
from quorate.anonymous.evidence import culprits_in, verify_evidence
from quorate.anonymous.messages import (
    KINDS,
    ROUNDS,
    Ciphertexts,
    Evidence,
    Keys,
    Run,
    Signed,
    Sums,
    Vector,
    Vote,
    shown,
)
from quorate.anonymous.rounds import Begun, Voted, said_in
from quorate.errors import Disrupted, Party, VerificationFailed
from quorate.transport.memory import Envelope
from tests.anonymous import lies
from tests.anonymous.group import drawn_freely, members, up_to_votes
from tests.anonymous.lies import HONEST, LIAR
from tests.anonymous.test_faults import against

AUTHOR, TEXT = 1, b"the chief operates drunk"
TEXTS = (b"", TEXT, b"")


def drawn_from_the_seed(begun: Begun) -> Randomness:
    return lambda size: pads.xor_pad(begun.seed, bytes(size))


def open_all(kept: list[Voted]) -> blame.Opened:
    """Return the run as it lies open after a vote against it."""
    heard = kept[0].heard
    return blame.Opened(
        said_in(heard, "keys", Keys),
        said_in(heard, "ciphertexts", Ciphertexts),
        said_in(heard, "sums", Sums),
        said_in(heard, "vector", Vector),
        tuple(Vote(False, bytes(32), bytes(32)) for _ in kept),
        tuple(k.begun.seed for k in kept),
    )


def own_cell(run: Run, opened: blame.Opened, party: Party) -> bytes:
    """Return the sealed cell of a member: what is left in its slot when its pads are lifted."""
    sid = run.digest()
    grown = tuple(pads.grow(sid, seed) for seed in opened.seeds)
    row = opened.vectors[party].cells
    for pair in blame._pairs(sid, opened, grown)[party].values():
        row = pads.xor_pad(pair.vector, row)
    tags = slots_of(opened.sums)
    assert tags is not None
    slot = tags.index(grown[party].tag)
    return row[slot * run.sealed_bytes : (slot + 1) * run.sealed_bytes]


def read_by_seed(run: Run, opened: blame.Opened, party: Party) -> bytes | None:
    """Open a member's cell, if the number it was sealed with follows from its seed."""
    sid, sealed = run.digest(), own_cell(run, opened, party)
    r = ed.random_scalar(lambda size: pads.xor_pad(opened.seeds[party], bytes(size)))
    key = cell._key(ed.mul(r, joint_key(opened.keys)), sealed[:32], sid)  # type: ignore[arg-type]
    try:
        return cell.unpad(ChaCha20Poly1305(key).decrypt(bytes(12), sealed[32:], sid))
    except InvalidTag:
        return None


def attacked(cells_from: Callable[[Begun], Randomness]) -> tuple[bytes, bytes | None]:
    """Return the author's cell on the board and what the attacker reads in it."""
    group = members(3)
    run = group.run()
    kept, _ = up_to_votes(group, run, TEXTS, cells_from)
    opened = open_all(kept)
    sealed = own_cell(run, opened, AUTHOR)
    assert sealed in kept[0].cells, "the opened seeds link a member to its sealed cell"
    return sealed, read_by_seed(run, opened, AUTHOR)


def test_what_is_opened_reads_no_cell() -> None:
    sealed, text = attacked(drawn_freely)
    assert text is None
    assert TEXT not in sealed


def test_control_a_cell_drawn_from_the_opened_seed_is_read_and_its_author_named() -> None:
    _, text = attacked(drawn_from_the_seed)
    assert text == TEXT


def evidence() -> tuple[Run, tuple[bytes, ...]]:
    run, outcomes, _ = against({"vector": lies.flipped_bit})
    outcome = outcomes[HONEST[0]]
    assert isinstance(outcome, Disrupted)
    return run, outcome.evidence


def test_evidence_holds_for_its_run_and_unchanged_only() -> None:
    run, records = evidence()
    assert verify_evidence(run, records) == {LIAR}
    other = members(4).run()
    for place in range(len(records)):
        for changed in (records[place] + b"x", secrets.token_bytes(len(records[place]))):
            forged = (*records[:place], changed, *records[place + 1 :])
            with pytest.raises(VerificationFailed):
                verify_evidence(run, forged)
    with pytest.raises(VerificationFailed):
        verify_evidence(other, records)
    with pytest.raises(VerificationFailed):
        verify_evidence(run, ())


def test_evidence_with_a_part_missing_accuses_nobody() -> None:
    run, records = evidence()
    for place in range(1, len(records)):
        with pytest.raises(VerificationFailed):
            verify_evidence(run, (*records[:place], *records[place + 1 :]))


def test_what_honest_members_sign_in_a_good_run_accuses_nobody() -> None:
    group = members(3)
    run = group.run()
    kept, votes = up_to_votes(group, run, TEXTS)
    rounds = (*kept[0].heard, votes)
    claims = tuple(
        shown(round_, party, said)
        for round_, received in zip(ROUNDS, rounds, strict=False)
        for party, said in enumerate(received)
    )
    bodies = tuple(said.body for received in rounds for said in received)
    assert not culprits_in(run, Evidence(claims, bodies))


def laid_open(sent: list[Envelope]) -> blame.Opened:
    """Return a failed run as all have seen it."""
    said: dict[str, dict[Party, Any]] = {round_: {} for round_ in ROUNDS}
    for e in sent:
        round_ = ROUNDS[int(e.label[1:]) - 1]
        said[round_][e.sender] = wire.decode(wire.decode(e.payload, Signed).body, KINDS[round_])
    by_seat = [tuple(found[p] for p in sorted(found)) for found in said.values()]
    keys, ciphertexts, sums, vectors, votes, closings, _ = by_seat
    seeds = tuple(closing.secret for closing in closings)
    return blame.Opened(keys, ciphertexts, sums, vectors, votes, seeds)


def test_control_where_tags_are_free_the_copied_and_the_copier_look_alike() -> None:
    """Without tags that follow from committed seeds, blame sees two members with one tag."""
    run, _, sent = against({"sums": lies.copied_tag})
    opened, n = laid_open(sent), run.n
    grown = tuple(pads.grow(run.digest(), seed) for seed in opened.seeds)
    pairs = blame._pairs(run.digest(), opened, grown)
    tags = list[int]()
    for party in range(n):
        alone = pads.add_pads([0] * n, party, pairs[party])
        said = mersenne.decode(opened.sums[party].sums)
        bare = [(a - b) % mersenne.P for a, b in zip(said, alone, strict=True)]
        assert bare == mersenne.powers(bare[0], n), "everybody sent the powers of some tag"
        tags.append(bare[0])
    alike = {party for party in range(n) if tags.count(tags[party]) > 1}
    assert len(alike) == 2
    assert LIAR in alike
    assert blame.culprits(run, run.digest(), opened) == {LIAR}
