"""Studies whose members sign what they say: the same result, and evidence where one lies."""

import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import pytest

from quorate.errors import Disrupted, Error, MalformedMessage, Party, Refused, VerificationFailed
from quorate.studies.approval import SignedApproval
from quorate.studies.disclosure import disclose
from quorate.studies.evidence import (
    Proven,
    RunEvidence,
    from_json,
    run_context,
    to_json,
    verify_evidence,
)
from quorate.studies.plan import Plan
from quorate.studies.protocols import SIGNED_MESSAGES
from quorate.studies.runners.run import Ran, run_plan
from quorate.studies.study import read_study
from quorate.studies.times import utc_text
from quorate.transport.memory import Envelope
from quorate.transport.session import Session
from quorate.transport.signed import Heard
from tests.mpc.cheating import flipped
from tests.mpc.signing import TRAILER, Liar, evidence_of
from tests.parties import measure, names_of, run_parties
from tests.studies.test_committee import BY_WARD, HEAD
from tests.studies.trio import NOW, approvals_of, group_of, key, plan_of, study_of

FOUR = group_of(*names_of(4))
PLAN = plan_of(read_study(HEAD + BY_WARD), FOUR, SIGNED_MESSAGES)
APPROVALS = approvals_of(PLAN, FOUR)
PART = "/signed/reveal/promised parts/1"
PROMISE = "/signed/reveal/promises/1"


def running(
    plan: Plan = PLAN, ids: list[bytes] | None = None
) -> Callable[[Session], Awaitable[Ran]]:
    async def protocol(session: Session) -> Ran:
        return await run_plan(
            session,
            plan,
            FOUR,
            (4, 0, 9),
            approvals=approvals_of(plan, FOUR),
            time=utc_text(NOW),
            version="test",
            key=key(FOUR.names[session.me]),
            claim=lambda i: None if ids is None else ids.append(i),
            randomness=os.urandom,
        )

    return protocol


def lying(cheat: Party, label: str, to: Sequence[Party]) -> dict[Party, Ran | Error]:
    """Run with a member that signs one lie."""
    ids: list[bytes] = []

    def fault(e: Envelope) -> Sequence[Envelope]:
        lies = e.label == label and e.to in to
        return [replace(e, payload=flipped(e.payload, 3))] if lies else [e]

    context = run_context(PLAN, APPROVALS, utc_text(NOW))
    own = key(FOUR.names[cheat])
    return run_parties(running(ids=ids), 4, Liar(cheat, fault, lambda: ids[-1], own, context))


def shown(outcome: Ran | Error) -> RunEvidence:
    assert isinstance(outcome, Disrupted), outcome
    return of(evidence_of([outcome]))


def of(heard: Sequence[Heard], approvals: tuple[SignedApproval, ...] = APPROVALS) -> RunEvidence:
    return RunEvidence(FOUR, PLAN, approvals, utc_text(NOW), tuple(heard))


def test_who_signs_gets_the_same_release_at_the_cost_that_is_said() -> None:
    sent = list[Envelope]()

    def note(e: Envelope) -> list[Envelope]:
        sent.append(e)
        return [e]

    outcomes = run_parties(running(), 4, note)
    plain = run_parties(running(plan_of(PLAN.study, FOUR)), 4)
    for outcome, other in zip(outcomes.values(), plain.values(), strict=True):
        assert isinstance(outcome, Ran)
        assert isinstance(other, Ran)
        assert outcome.release.certificate.results == other.release.certificate.results
    _, rounds, _ = measure(running(), 4)
    said = disclose(PLAN)
    unsigned = [e for e in sent if not e.label.endswith(TRAILER)]
    by = tuple(sum(len(e.payload) for e in unsigned if e.sender == p) for p in range(4))
    assert by == said.bytes_sent
    assert rounds <= said.rounds
    trailers = [e for e in sent if e.label.endswith(TRAILER)]
    assert {len(e.payload) for e in trailers} == {80}
    assert len([e for e in unsigned if e.label.startswith("/signed")]) == len(trailers)


@pytest.mark.parametrize("cheat", [0, 1, 2])
def test_a_member_outside_convicts_who_reveals_another_part_than_it_promised(cheat: Party) -> None:
    outcomes = lying(cheat, PART, to=[3])
    assert isinstance(outcomes[3], Disrupted)
    assert outcomes[3].culprits == {cheat}
    name = FOUR.names[cheat]
    assert verify_evidence([shown(outcomes[3])], FOUR) == Proven((name,), (), roster_known=True)


def test_two_members_together_convict_an_owner_that_dealt_them_different_parts() -> None:
    outcomes = lying(3, "/signed/of 3/part 2/1", to=[1])
    one, other = (shown(outcomes[party]) for party in (1, 2))
    for alone in (one, other):
        with pytest.raises(VerificationFailed, match="prove nothing"):
            verify_evidence([alone])
    assert verify_evidence([one, other]).culprits == (FOUR.names[3],)


def test_a_promise_that_differs_from_its_other_holders_leaves_two() -> None:
    outcomes = lying(1, PROMISE, to=[0, 2, 3])
    proven = verify_evidence([shown(outcomes[3])])
    assert proven.culprits == ()
    assert proven.between == (FOUR.names[:2],)


def test_evidence_is_a_file_that_anyone_can_check() -> None:
    evidence = shown(lying(0, PART, to=[1])[1])
    assert from_json(to_json(evidence)) == evidence
    with pytest.raises(MalformedMessage):
        from_json(to_json(evidence).replace('"sender": 0', '"sender": 0.0', 1))
    assert verify_evidence([from_json(to_json(evidence))]).culprits == (FOUR.names[0],)


def test_evidence_of_another_run_group_or_hand_is_refused() -> None:
    evidence = shown(lying(0, PART, to=[1])[1])
    strangers = group_of("a", "b", "c", "d")
    first, *rest = evidence.heard
    forged = replace(first, statement=replace(first.statement, size=first.statement.size + 1))
    for wrong, why in (
        ([replace(evidence, time="2027-02-01T00:00:00Z")], "of another run"),
        ([evidence, replace(evidence, time="2027-02-01T00:00:00Z")], "one and the same run"),
        ([replace(evidence, group=strangers)], "another group's plan"),
        ([replace(evidence, heard=(forged, *rest))], "not signed"),
    ):
        with pytest.raises(VerificationFailed, match=why):
            verify_evidence(wrong)
    with pytest.raises(VerificationFailed, match="of another group"):
        verify_evidence([evidence], strangers)


def test_the_disclosure_says_that_messages_are_signed() -> None:
    told = disclose(PLAN)
    assert any("members sign what they send" in text for text in told.not_protected)
    plain = disclose(plan_of(PLAN.study, FOUR))
    assert not any("members sign what they send" in text for text in plain.not_protected)
    assert told.rounds == plain.rounds + 1


def test_nothing_else_than_a_committee_signs() -> None:
    with pytest.raises(Refused, match="and nowhere else"):
        plan_of(study_of("integer 0..9 kg", "sum(x)"), FOUR, SIGNED_MESSAGES)
