"""Every round spoilt in every way: who did it is named with evidence, and nothing can be read.

Member 3 lies, after it has heard the others in each round; member 0 has a text to
say. All honest members must name exactly member 3, by evidence that a third party
checks, or, where nothing was signed, suspect it.
"""

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import replace

import pytest
from typing_extensions import override

from quorate import wire
from quorate.anonymous.decision import Delivered
from quorate.anonymous.evidence import verify_evidence
from quorate.anonymous.messages import Closing, Round, Run, Signed
from quorate.errors import Abort, Disrupted, Error, Party, Unavailable
from quorate.transport.memory import Envelope, Fault, perfect
from quorate.transport.session import Session
from tests.anonymous import lies
from tests.anonymous.group import Members, MemoryStore, hold, member, members
from tests.anonymous.liar import ALL_ROUNDS, Lie, lie_in, silent
from tests.anonymous.lies import HONEST, LIAR, N
from tests.faults import alter
from tests.parties import TIMEOUT_S, run_parties

SECRET = b"the chief operates drunk"
TEXTS = (SECRET, b"", b"", b"")


def against(
    told: Mapping[Round, Lie], fault: Fault = perfect
) -> tuple[Run, dict[Party, Delivered | Error | None], list[Envelope]]:
    """Return the run, what each member ended with, and all that was sent."""
    group, sent = members(N), list[Envelope]()
    run = group.run()

    def tapped(envelope: Envelope) -> Iterable[Envelope]:
        sent.append(envelope)
        return fault(envelope)

    async def either(session: Session) -> Delivered | None:
        if session.me == LIAR:
            with contextlib.suppress(Error):  # it does not say why it stops
                await lie_in(session, group, run, told)
            return None
        return await member(session, group, run, TEXTS)

    return run, run_parties(either, N, tapped), sent


def closings(sent: Iterable[Envelope]) -> dict[Party, set[str]]:
    """Return which closings each member let out."""
    found: dict[Party, set[str]] = {}
    for e in sent:
        if e.label == "/6":
            closing = wire.decode(wire.decode(e.payload, Signed).body, Closing)
            found.setdefault(e.sender, set()).add(closing.kind)
    return found


def check_nothing_readable(sent: list[Envelope]) -> None:
    """Nobody let out both, and where anybody's seed was opened some other's share never left."""
    let_out = closings(sent)
    assert all(len(let_out.get(p, set())) <= 1 for p in HONEST)
    if any("seed" in let_out.get(p, set()) for p in HONEST):
        assert any("key" not in let_out.get(p, set()) for p in HONEST)
    assert not any(SECRET in e.payload for e in sent)


def test_without_a_lie_all_is_read() -> None:
    _, outcomes, _ = against({})
    for party in HONEST:
        outcome = outcomes[party]
        assert isinstance(outcome, Delivered)
        assert outcome.texts == (SECRET,)


PROVEN: dict[str, dict[Round, Lie]] = {
    "keys: X25519 not of the seed": {"keys": lies.foreign_x25519},
    "keys: ML-KEM not of the seed": {"keys": lies.foreign_mlkem},
    "keys: X25519 of low order": {"keys": lies.low_order},
    "keys: share outside the subgroup": {"keys": lies.small_subgroup},
    "keys: wrong length": {"keys": lies.short_key},
    "keys: ML-KEM outside its field": {"keys": lies.unusable_mlkem},
    "keys: share that cancels the others": {"keys": lies.rogue_share},
    "keys: share and proof of another": {"keys": lies.copied_proof},
    "keys: wrong commitment, false no-go": {"keys": lies.wrong_commitment, "vote": lies.no_go},
    "keys: two": {"keys": lies.two_keys},
    "ciphertexts: noise": {"ciphertexts": lies.bad_ciphertext},
    "ciphertexts: one is noise": {"ciphertexts": lies.one_bad_ciphertext},
    "ciphertexts: wrong length": {"ciphertexts": lies.short_ciphertext},
    "ciphertexts: too few": {"ciphertexts": lies.few_ciphertexts},
    "ciphertexts: two": {"ciphertexts": lies.two_ciphertexts},
    "sums: a bit flipped": {"sums": lies.flipped_sums},
    "sums: outside the field": {"sums": lies.outside_the_field},
    "sums: wrong length": {"sums": lies.short_sums},
    "sums: an honest member's tag": {"sums": lies.copied_tag},
    "sums: a tag not of the seed": {"sums": lies.chosen_tag},
    "sums: two": {"sums": lies.two_sums},
    "vector: a bit flipped": {"vector": lies.flipped_bit},
    "vector: all flipped": {"vector": lies.flipped_everywhere},
    "vector: wrong length": {"vector": lies.short_vector},
    "vector: two": {"vector": lies.two_vectors},
    "vote: false no-go": {"vote": lies.no_go},
    "vote: another transcript": {"vote": lies.other_transcript},
    "vote: another board": {"vote": lies.other_board},
    "vote: go and no-go": {"vote": lies.two_votes},
    "vote: go and no-go, and shows nothing": {"vote": lies.two_votes, "ballots": silent},
    "vote: two transcripts": {"vote": lies.two_transcripts},
    "closing: another key": {"closing": lies.not_its_key},
    "closing: no scalar": {"closing": lies.not_a_scalar},
    "closing: the seed after all said go": {"closing": lies.seed_in_spite_of_go},
    "closing: the key after no-go": {
        "vector": lies.flipped_bit,
        "closing": lies.key_without_votes_for_it,
    },
    "closing: another seed": {"vector": lies.flipped_bit, "closing": lies.seed_it_never_promised},
    "closing: forged words": {
        "vote": lies.other_transcript,
        "closing": lies.claims_to_be_told_nothing,
    },
}


@pytest.mark.parametrize("told", PROVEN.values(), ids=PROVEN)
def test_a_signed_lie_is_proven_against_its_teller_alone(told: dict[Round, Lie]) -> None:
    run, outcomes, sent = against(told)
    for party in HONEST:
        outcome = outcomes[party]
        assert isinstance(outcome, Disrupted), outcome
        assert outcome.culprits == {LIAR}
        assert verify_evidence(run, outcome.evidence) == {LIAR}
    check_nothing_readable(sent)


@pytest.mark.parametrize("round_", ALL_ROUNDS)
def test_the_silent_are_suspected_and_nothing_is_opened(round_: Round) -> None:
    _, outcomes, sent = against({round_: silent})
    for party in HONEST:
        outcome = outcomes[party]
        assert isinstance(outcome, Abort)
        assert not outcome.culprits
        assert outcome.suspects == {LIAR}
    assert not any("seed" in kinds for kinds in closings(sent).values())
    check_nothing_readable(sent)


@pytest.mark.parametrize(
    "told",
    [
        {"vector": lies.flipped_bit, "closing": silent},
        {
            "vector": lies.flipped_bit,
            "closing": lies.key_without_votes_for_it,
            "ballots": silent,
        },
    ],
    ids=["says nothing", "gives its key, and shows no votes"],
)
def test_who_refuses_to_open_is_suspected(told: dict[Round, Lie]) -> None:
    _, outcomes, sent = against(told)
    for party in HONEST:
        outcome = outcomes[party]
        assert isinstance(outcome, Abort)
        assert outcome.suspects == {LIAR}
    check_nothing_readable(sent)


@pytest.mark.parametrize("step", range(1, 7))
def test_a_message_that_comes_too_late_makes_a_suspect(step: int) -> None:
    def late(e: Envelope) -> list[Envelope]:
        is_late = e.sender == LIAR and e.label == f"/{step}"
        return [replace(e, delay_s=1.1 * TIMEOUT_S) if is_late else e]

    _, outcomes, sent = against({}, late)
    for party in HONEST:
        outcome = outcomes[party]
        assert isinstance(outcome, Abort)
        assert outcome.suspects == {LIAR}
        assert not outcome.culprits
    check_nothing_readable(sent)


@pytest.mark.parametrize("step", range(1, 7))
def test_what_is_not_signed_by_its_sender_proves_nothing(step: int) -> None:
    def flip(payload: bytes) -> bytes:
        said = wire.decode(payload, Signed)
        return wire.encode(replace(said, signature=bytes(64)))

    _, outcomes, sent = against({}, alter(LIAR, 0, f"/{step}", flip))
    outcome = outcomes[0]
    assert isinstance(outcome, Abort)
    assert not outcome.culprits
    assert outcome.suspects == {LIAR}
    check_nothing_readable(sent)


class FailingDisk(MemoryStore):
    """It cannot write down what is decided."""

    @override
    def decide(self, run: bytes, decision: str) -> None:
        raise Unavailable("the disk is full")


def test_who_cannot_record_its_decision_lets_out_nothing() -> None:
    group = members(N)
    failing = Members(group.keys, (group.stores[0], FailingDisk(), *group.stores[2:]))
    sent = list[Envelope]()

    def tapped(envelope: Envelope) -> list[Envelope]:
        sent.append(envelope)
        return [envelope]

    outcomes = hold(failing, failing.run(), TEXTS, tapped)
    assert isinstance(outcomes[1], Unavailable)
    assert 1 not in closings(sent)
    for party in (0, 2, 3):
        outcome = outcomes[party]
        assert isinstance(outcome, Abort)
        assert outcome.suspects == {1}
    check_nothing_readable(sent)


def test_a_message_repeated_from_another_run_is_not_taken() -> None:
    group = members(N)
    earlier = list[Envelope]()

    def tapped(envelope: Envelope) -> list[Envelope]:
        earlier.append(envelope)
        return [envelope]

    hold(group, group.run(1), TEXTS, tapped)
    replayed = {(e.sender, e.to, e.label): e.payload for e in earlier}
    fault = alter(LIAR, 0, "/4", lambda _: replayed[LIAR, 0, "/4"])
    outcome = hold(group, group.run(2), TEXTS, fault)[0]
    assert isinstance(outcome, Abort)
    assert outcome.suspects == {LIAR}


def test_members_with_different_pasts_have_no_run_together() -> None:
    group = members(N)

    async def member_of(session: Session) -> Delivered:
        run = replace(group.run(), previous=bytes([session.me == 0]) * 32)
        return await member(session, group, run, TEXTS)

    for outcome in run_parties(member_of, N).values():
        assert isinstance(outcome, Abort)
        assert not outcome.culprits
