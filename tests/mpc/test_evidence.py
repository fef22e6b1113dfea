"""Who signs what it says, and lies, is convicted or not: but nobody honest ever is."""

import secrets
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.algebra.ring import Words
from quorate.errors import Abort, Disrupted, Error, Party, VerificationFailed
from quorate.mpc import owners, replicated, truncation
from quorate.mpc.evidence import Verdict, judge, verdict_of
from quorate.mpc.promises import PARTS, PROMISES, reveal_promised
from quorate.mpc.replicated import Committee, Share
from quorate.transport.memory import Envelope, Fault
from quorate.transport.session import Session
from quorate.transport.signed import Heard, Statement, verify_heard
from tests.mpc.cheating import flipped, honest
from tests.mpc.committee import dealt, declared, meet, noise, words
from tests.mpc.signing import (
    CONTEXT,
    ROSTER,
    SIGNED,
    TRAILER,
    Liar,
    SignedProgram,
    evidence_of,
    signed,
)
from tests.mpc.test_cheating import CHANGES, SMALL, F, X, Y, only_at, rounded
from tests.parties import measure, run_parties

Fixed = Callable[[Committee], Awaitable[Share]]
PART_LABEL = f"{SIGNED}/reveal/{PARTS}/1"
PROMISE_LABEL = f"{SIGNED}/reveal/{PROMISES}/1"


async def product(committee: Committee) -> Share:
    x, y = await dealt(X, Y)(committee)
    return await replicated.mul(committee, x, y)


async def division(committee: Committee) -> Share:
    (x,) = await dealt(words(SMALL))(committee)
    return await truncation.truncate(committee, x, F)


PROGRAMS: dict[str, tuple[Fixed, Callable[[Words], bool]]] = {
    "product": (product, lambda found: np.array_equal(found, X * Y)),
    "division": (division, rounded(words(SMALL))),
}


def said_in(function: Fixed) -> list[Envelope]:
    """Return what is said, and signed, in an honest run."""
    sent: list[Envelope] = []

    def note(e: Envelope) -> list[Envelope]:
        sent.append(e)
        return [e]

    outcomes = run_parties(SignedProgram(function, X), 3, note)
    assert not [o for o in outcomes.values() if isinstance(o, Exception)], outcomes
    signed_too = {(e.sender, e.to, e.label) for e in sent if e.label.endswith(TRAILER)}
    told = [e for e in sent if e.label.startswith(SIGNED) and not e.label.endswith(TRAILER)]
    assert {(e.sender, e.to, e.label + TRAILER) for e in told} == signed_too
    return told


def run_with(
    function: Fixed, cheat: Party, fault: Fault
) -> tuple[dict[Party, Words | Error], SignedProgram]:
    """Run with a party that signs what `fault` makes of its messages."""
    program = SignedProgram(function, X)
    liar = Liar(cheat, fault, lambda: program.ids[-1])
    return run_parties(program, 3, liar), program


def assert_nobody_honest_is_convicted(outcomes: Iterable[object], cheat: Party) -> Verdict:
    """Return what all statements of the honest together prove: nothing against one of them."""
    evidence = evidence_of(outcomes)
    for heard in evidence:
        verify_heard(heard, ROSTER)
    verdict = verdict_of(evidence)
    assert verdict.culprits <= {cheat}
    assert all(cheat in pair for pair in verdict.between)
    return verdict


@pytest.mark.parametrize("name", PROGRAMS)
def test_who_signs_gets_the_same_result_and_says_one_thing_at_a_step(name: str) -> None:
    function, is_right = PROGRAMS[name]
    outcomes = run_parties(SignedProgram(function, X), 3)
    for outcome in outcomes.values():
        assert not isinstance(outcome, Error)
        assert is_right(outcome)
    said: dict[tuple[Party, str], set[bytes]] = {}
    for e in said_in(function):
        said.setdefault((e.sender, e.label), set()).add(e.payload)
    assert {len(payloads) for payloads in said.values()} == {1}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_lie_that_is_signed_ends_the_run_and_convicts_nobody_else(name: str, change: str) -> None:
    function, is_right = PROGRAMS[name]
    for target in said_in(function):
        fault = only_at(target, CHANGES[change])
        outcomes, _ = run_with(function, target.sender, fault)
        found = honest(outcomes, target.sender)
        assert any(isinstance(outcome, Error) for outcome in found)
        for outcome in found:
            if isinstance(outcome, Error):
                assert isinstance(outcome, Abort), outcome
                assert outcome.culprits <= {target.sender}
            else:
                assert is_right(outcome)
        assert_nobody_honest_is_convicted(found, target.sender)


@pytest.mark.parametrize("change", ["first bit", "noise", "zeros", "a byte less"])
def test_what_is_changed_without_a_signature_convicts_nobody(change: str) -> None:
    for target in said_in(product):
        fault = only_at(target, CHANGES[change])
        outcomes = run_parties(SignedProgram(product, X), 3, fault)
        for outcome in honest(outcomes, target.sender):
            assert not isinstance(outcome, Abort) or not outcome.culprits
        verdict = assert_nobody_honest_is_convicted(outcomes.values(), -1)
        assert not verdict.culprits


@pytest.mark.parametrize("cheat", range(3))
@pytest.mark.parametrize("change", ["first bit", "noise", "zeros"])
def test_who_reveals_another_part_than_it_promised_is_convicted_by_its_receiver(
    cheat: Party, change: str
) -> None:
    def fault(e: Envelope) -> Sequence[Envelope]:
        return CHANGES[change](e) if e.label == PART_LABEL else [e]

    outcomes, program = run_with(product, cheat, fault)
    receiver = outcomes[(cheat + 1) % 3]
    assert isinstance(receiver, Disrupted)
    assert receiver.culprits == {cheat}
    verdict = judge(evidence_of([receiver]), ROSTER)
    assert verdict == Verdict(frozenset({cheat}), frozenset())
    assert {h.statement.session for h in evidence_of([receiver])} == {program.ids[-1]}


@pytest.mark.parametrize("cheat", range(3))
def test_control_where_nothing_is_promised_a_false_part_makes_an_honest_party_suspect(
    cheat: Party,
) -> None:
    """The receiver cannot tell who of two lies, and has nothing to show."""

    async def protocol(session: Session) -> Words:
        committee = await meet(session, "malicious")
        (x,) = await dealt(X)(committee)
        return await owners.reveal_to_all(session.at("reveal"), x, X)

    def fault(e: Envelope) -> Sequence[Envelope]:
        lies = e.sender == cheat and e.label == "/reveal/parts/1"
        return [replace(e, payload=flipped(e.payload, 0))] if lies else [e]

    receiver = run_parties(protocol, 3, fault)[(cheat + 1) % 3]
    assert isinstance(receiver, Abort)
    assert receiver.culprits == frozenset()
    assert receiver.suspects == {cheat, (cheat - 1) % 3}


@pytest.mark.parametrize("cheat", range(3))
@pytest.mark.parametrize("half", [0, 8 * 32])
def test_a_false_promise_ends_the_run_before_a_part_is_sent_and_clears_the_third(
    cheat: Party, half: int
) -> None:
    sent: list[Party] = []
    program = SignedProgram(product, X)

    def fault(e: Envelope) -> Sequence[Envelope]:
        lies = e.label == PROMISE_LABEL
        return [replace(e, payload=flipped(e.payload, half))] if lies else [e]

    liar = Liar(cheat, fault, lambda: program.ids[-1])

    def watched(e: Envelope) -> Iterable[Envelope]:
        if e.label == PART_LABEL:
            sent.append(e.sender)
        return liar(e)

    outcomes = run_parties(program, 3, watched)
    found = honest(outcomes, cheat)
    assert all(isinstance(outcome, Disrupted) for outcome in found)
    assert set(sent) <= {cheat}
    verdict = judge(evidence_of(found), ROSTER)
    other = (cheat - 1) % 3 if half == 0 else (cheat + 1) % 3
    assert verdict == Verdict(frozenset(), frozenset({frozenset({cheat, other})}))


@pytest.mark.parametrize("cheat", range(3))
def test_who_promises_two_things_is_convicted_by_what_both_have(cheat: Party) -> None:
    """One honest party's statements show one promise: two of them together convict."""

    def fault(e: Envelope) -> Sequence[Envelope]:
        lies = e.label == PROMISE_LABEL and e.to == (cheat + 1) % 3
        return [replace(e, payload=flipped(e.payload, 7))] if lies else [e]

    outcomes, _ = run_with(product, cheat, fault)
    found = honest(outcomes, cheat)
    assert judge(evidence_of(found), ROSTER).culprits == {cheat}
    for alone in found:
        assert cheat not in verdict_of(evidence_of([alone])).culprits


def test_who_deals_different_parts_is_convicted_by_both_holders() -> None:
    """An owner outside the committee, in seat 3, deals to the holders of its part 2."""
    run = b"s" * 32
    one, other = (
        signed(Statement(CONTEXT, run, f"{SIGNED}/of 3/part 2/1", 3, 48, secrets.token_bytes(32)))
        for _ in range(2)
    )
    assert judge([one, other], ROSTER).culprits == {3}
    with pytest.raises(VerificationFailed, match="prove nothing"):
        judge([one, one], ROSTER)


def test_control_a_judge_who_trusts_signatures_unseen_convicts_an_honest_party() -> None:
    outcomes, _ = run_with(product, 0, only_at_part(0))
    real = evidence_of([outcomes[1]])[0]
    forged = replace(real, statement=replace(real.statement, digest=bytes(32)))
    assert verdict_of([real, forged]).culprits == {real.statement.sender}
    with pytest.raises(VerificationFailed, match="not signed"):
        judge([real, forged], ROSTER)


def test_control_had_two_runs_one_identifier_an_honest_party_would_convict_itself() -> None:
    """Identifiers are claimed for good, and each party's nonce is in them."""

    def all_said(same: bool) -> list[Heard]:
        found: list[Heard] = []
        for run in range(2):
            outcomes, program = run_with(product, 0, only_at_part(0))
            for heard in evidence_of([outcomes[1]]):
                if heard.statement.sender == 2:
                    one = b"same" if same else program.ids[-1] + bytes([run])
                    found.append(signed(replace(heard.statement, session=one)))
        return found

    assert judge(all_said(same=True), ROSTER).culprits == {2}
    with pytest.raises(VerificationFailed, match="prove nothing"):
        judge(all_said(same=False), ROSTER)


def only_at_part(cheat: Party) -> Fault:
    """Lie about the part that is revealed at the end, so that all that came before is heard."""
    change = CHANGES["first bit"]
    return lambda e: change(e) if (e.sender, e.label) == (cheat, PART_LABEL) else [e]


REAL = evidence_of(run_with(product, 0, only_at_part(0))[0].values())


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_no_statements_that_a_cheat_can_make_convict_an_honest_party(data: st.DataObject) -> None:
    """It has all that was said, opens it as it likes, and signs what it likes as itself."""
    chosen = data.draw(st.lists(st.sampled_from(REAL), min_size=1, max_size=8))
    by = st.sampled_from([0, None])
    evidence = [_bent(data, heard, data.draw(by)) for heard in chosen]
    try:
        verdict = judge([*REAL, *evidence], ROSTER)
    except VerificationFailed:
        return
    assert verdict.culprits <= {0}
    assert all(0 in pair for pair in verdict.between)


def _bent(data: st.DataObject, heard: Heard, by: Party | None) -> Heard:
    """Return a statement changed at some places, signed by the cheat or as it was."""
    told = heard.statement
    other = data.draw(st.sampled_from(REAL))
    bent = replace(
        told,
        label=data.draw(st.sampled_from([told.label, PART_LABEL, PROMISE_LABEL])),
        session=data.draw(st.sampled_from([told.session, b"another"])),
        size=data.draw(st.sampled_from([told.size, 64])),
        digest=data.draw(st.sampled_from([told.digest, other.statement.digest])),
        sender=told.sender if by is None else by,
    )
    signature = heard.signature if by is None else signed(bent, by).signature
    opened = data.draw(st.sampled_from([heard, other]))
    body = data.draw(st.sampled_from([opened.body, b"", bytes(64)]))
    return Heard(bent, signature, opened.salt, opened.inner, body)


def test_a_statement_of_a_seat_that_the_roster_lacks_is_refused() -> None:
    nobody = Heard(Statement(CONTEXT, b"s", "/signed/1", 7, 8, bytes(32)), bytes(64))
    with pytest.raises(VerificationFailed, match="nobody in the roster"):
        judge([nobody], ROSTER)


def test_a_promise_of_another_length_convicts() -> None:
    outcomes, _ = run_with(
        product, 1, lambda e: CHANGES["a byte less"](e) if e.label == PROMISE_LABEL else [e]
    )
    verdict = judge(evidence_of(honest(outcomes, 1)), ROSTER)
    assert verdict.culprits == {1}


def test_a_party_refuses_to_sign_two_things_at_one_step() -> None:
    async def two_faced(committee: Committee) -> Share:
        session = committee.session
        for other in session.others:
            await session.channel.send(other, "/step", 8, noise(1).tobytes())
        return Share(X, X)

    with pytest.raises(ValueError, match="two things"):
        run_parties(SignedProgram(two_faced, X), 3)


@pytest.mark.parametrize("members", [3, 5])
def test_what_is_promised_and_revealed_costs_what_it_says(members: int) -> None:
    m = 10

    async def protocol(gathering: Session, reveals: bool = True) -> None:
        inside = gathering.me < 3
        x, committee = None, None
        if inside:
            committee = await meet(gathering.among(3, "committee"))
            (x,) = await dealt(noise(m))(committee)
            await committee.session.exchange(b"ready")
        for _ in range(2):
            await gathering.exchange(b"ready")
        if reveals:
            await reveal_promised(gathering.at("reveal"), committee, x, noise(m))

    whole = measure(protocol, members)
    start = measure(lambda session: protocol(session, reveals=False), members)
    said = declared(reveal_promised, m=m, n=members)
    assert whole[1] - start[1] == said.rounds
    assert [whole[2][p] - start[2][p] for p in range(3)] == list(said.bytes_sent)
