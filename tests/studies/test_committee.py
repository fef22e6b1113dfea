"""Three members decide on shares which cells are small: the plain answer, and nobody's count."""

import os
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.algebra import ring
from quorate.algebra.ring import Words
from quorate.errors import Abort, Error, Party
from quorate.mpc import additive
from quorate.mpc.replicated import Committee, Security
from quorate.mpc.streams import Stream
from quorate.studies.committee import Revealed, reveal_shown
from quorate.studies.cost import SIGNATURE_BYTES, run_cost
from quorate.studies.plan import Plan
from quorate.studies.protocols import COMMITTEE
from quorate.studies.study import Study, read_study
from quorate.transport.memory import Envelope, Fault
from quorate.transport.session import Session
from tests.faults import CrashAfter, alter, benign, silence
from tests.mpc.uniformity import differ, not_uniform
from tests.parties import TIMEOUT_S, measure, names_of, run_parties
from tests.studies.trio import group_of, plan_of

HEAD = """
title = "t"
purpose = "p"
max_rows = 1_000_000
[tables.people]
age = "integer 0..120 years"
sex = "category F M"
ward = "category a b c"
[releases]
"""
BY_BOTH = 'both = "select sex, ward, sum(age) as s from people group by sex, ward"\n'
BY_SEX = 'by_sex = "select sex, count(*) as n, avg(age) as a from people group by sex"\n'
BY_WARD = 'by_ward = "select ward, count(*) as n from people group by ward"\n'
TOTAL = 'total = "select count(*) as n, var(age) as v from people"\n'
EVERYTHING = HEAD + BY_BOTH + BY_SEX + BY_WARD + TOTAL
AGE = 30  # of everybody, so that sums follow from counts


def forget(_: bytes) -> None:
    """Claim nothing."""


def plan_among(n: int, text: str = EVERYTHING) -> Plan:
    plan = plan_of(read_study(text), group_of(*names_of(n)))
    assert plan.protocol == COMMITTEE
    return plan


def totals_of(study_rows: Sequence[int]) -> list[int]:
    """Return the pooled inputs of EVERYTHING, given the rows by sex and ward."""
    table = np.array(study_rows).reshape(2, 3)
    sexes, wards, whole = table.sum(axis=1), table.sum(axis=0), table.sum()
    return [
        *table.reshape(-1).tolist(),
        *(AGE * table.reshape(-1)).tolist(),
        *sexes.tolist(),
        *(AGE * sexes).tolist(),
        *wards.tolist(),
        *(int(whole) * AGE**k for k in range(3)),
    ]


def shared_out(totals: Sequence[int], n: int) -> list[Words]:
    """Return one vector for each of n members, which add up to `totals`."""
    parts = [np.full(len(totals), 7 * p - 9, np.int64) for p in range(1, n)]
    rest = np.array(totals, np.int64) - np.sum(parts, axis=0)
    return [ring.from_signed(part) for part in (rest, *parts)]


def deciding(
    study: Study,
    vectors: Sequence[Words],
    notes: dict[Party, int] | None = None,
    security: Security = "malicious",
) -> Callable[[Session], Awaitable[Revealed]]:
    """Return the protocol; `notes` takes how many rounds each party took part in."""

    async def protocol(session: Session) -> Revealed:
        revealed = await reveal_shown(
            session,
            study,
            vectors[session.me],
            security=security,
            context=b"test",
            claim=forget,
            randomness=os.urandom,
        )
        if notes is not None:
            notes[session.me] = session.rounds
        return revealed

    return protocol


def agreed(outcomes: dict[Party, Revealed | Error]) -> Revealed:
    """Return what all learnt: the same."""
    first, *rest = outcomes.values()
    assert isinstance(first, Revealed), first
    for other in rest:
        assert isinstance(other, Revealed), other
        assert (other.numbers, other.hidden) == (first.numbers, first.hidden)
        assert other.session_id == first.session_id
    return first


@settings(deadline=None, max_examples=15)
@given(st.lists(st.integers(0, 12), min_size=6, max_size=6), st.sampled_from([3, 4]))
def test_the_committee_gives_the_answer_of_one_who_sees_all(rows: list[int], n: int) -> None:
    plan, totals = plan_among(n), totals_of([*rows[:5], rows[5] + 10])
    revealed = agreed(run_parties(deciding(plan.study, shared_out(totals, n)), n))
    found = plan.results_revealed(revealed.numbers, revealed.hidden)
    assert found == plan.results(tuple(totals))


@pytest.mark.parametrize("text", [EVERYTHING, HEAD + BY_BOTH, HEAD + BY_SEX + BY_WARD])
@pytest.mark.parametrize("n", [3, 5])
def test_a_plan_costs_what_it_says(text: str, n: int) -> None:
    plan, notes = plan_among(n, text), dict[Party, int]()
    vectors = [np.ones(plan.numbers, np.uint64)] * n
    outcomes, time, sent = measure(deciding(plan.study, vectors, notes), n)
    agreed(outcomes)
    said = run_cost(plan)
    signed = SIGNATURE_BYTES * (n - 1)
    assert [sent[p] + signed for p in range(n)] == list(said.bytes_sent)
    assert {notes[p] + 1 for p in range(3)} == {said.rounds}
    assert time < said.rounds  # where a party need not wait for all of a round


def test_rounds_and_bytes_do_not_depend_on_the_numbers() -> None:
    plan = plan_among(3)
    costs = [
        measure(deciding(plan.study, shared_out(totals_of(rows), 3)), 3)[1:]
        for rows in ([0, 0, 0, 0, 0, 3], [1, 2, 3, 4, 5, 6], [900] * 6)
    ]
    assert costs[0] == costs[1] == costs[2]


def test_those_outside_wait_for_the_committee_longer_than_for_a_message() -> None:
    plan = plan_among(5)
    vectors = shared_out(totals_of([3, 9, 9, 9, 9, 9]), 5)
    outcomes, time, _ = measure(deciding(plan.study, vectors), 5)
    agreed(outcomes)
    assert time > 2 * TIMEOUT_S


@dataclass(slots=True)
class View:
    """All that one party is sent once keys are agreed on: before the reveal, and in it."""

    party: Party
    before: list[bytes] = field(default_factory=list)
    revealed: list[bytes] = field(default_factory=list)

    def note(self, e: Envelope) -> list[Envelope]:
        if e.to == self.party and e.label.startswith("/reveal/parts/"):
            self.revealed.append(e.payload)
        elif e.label.startswith("/reveal/"):
            return [e]  # a hash of what the other holder of a part sends
        elif e.to == self.party and e.label.count("/") > 1 and not e.label.startswith("/pass "):
            self.before.append(e.payload)
        return [e]

    @property
    def words(self) -> Words:
        return np.frombuffer(b"".join(self.before), np.uint64)


WARDS = 120
WIDE = (
    HEAD.replace("category a b c", "category " + " ".join(f"w{i}" for i in range(WARDS)))
    + 'w = "select ward, count(*) as n, sum(age) as s from people group by ward"\n'
    + 't = "select sum(age) as n from people"\n'
)


def wide_vectors(small: int, n: int) -> list[Words]:
    """Return vectors of which the first holds all rows: 80 small cells, two of 5 rows together."""
    counts = np.full(WARDS, 30, np.int64)
    counts[:40], counts[40:80] = small, 5 - small
    whole = counts.sum()
    rows = np.concatenate([counts, AGE * counts, [whole, AGE * whole]])
    return [ring.from_signed(rows), *[np.zeros(rows.size, np.uint64)] * (n - 1)]


def observe(party: Party, small: int, n: int = 3) -> tuple[View, Revealed]:
    view, plan = View(party), plan_among(n, WIDE)
    outcomes = run_parties(deciding(plan.study, wide_vectors(small, n)), n, view.note)
    return view, agreed(outcomes)


@pytest.mark.parametrize("party", [0, 1, 2])
def test_all_that_the_committee_is_sent_before_the_reveal_is_noise(party: Party) -> None:
    for small in (1, 4):
        view, _ = observe(party, small, 4)
        assert view.words.size > 2000
        assert not_uniform(view.words) == []


@pytest.mark.parametrize("party", [0, 1, 2])
def test_neither_a_view_nor_the_outcome_tells_small_counts_apart(party: Party) -> None:
    (one, first), (other, second) = observe(party, 1), observe(party, 4)
    assert (first.numbers, first.hidden) == (second.numbers, second.hidden)
    assert first.hidden == (True,) * 80 + (False,) * 41
    assert one.words.size == other.words.size
    assert differ(one.words, other.words) == []


def test_those_outside_are_sent_nothing_but_what_is_revealed() -> None:
    view, revealed = observe(3, 1, 4)
    assert view.before == []
    parts = [np.frombuffer(payload, np.uint64) for payload in view.revealed]
    assert len(parts) == 3
    told = ring.to_signed(parts[0] + parts[1] + parts[2]).tolist()
    assert tuple(told[: len(revealed.numbers)]) == revealed.numbers
    for part in (*parts, parts[0] + parts[1], parts[1] + parts[2], parts[2] + parts[0]):
        assert not_uniform(part) == []


def test_control_without_masks_the_committee_is_sent_what_is_no_noise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Silent(Stream):
        """A mask of zeros."""

        def fill(self, out: Words) -> None:
            out[:] = 0

        def mask(self, words: Words) -> None:
            """Leave them as they are."""

    def streams(self: Committee) -> tuple[Stream, Stream]:
        self.session.label()
        return Silent(self.own_key, ""), Silent(self.next_key, "")

    monkeypatch.setattr(Committee, "streams", streams)
    for party in range(3):
        assert not_uniform(observe(party, 1)[0].words)


COUNT = 123_457  # of a cell that is withheld
DISTINCT = HEAD.replace("[tables", "min_cell = 200_000\n[tables", 1) + BY_SEX


def distinct_vectors() -> list[Words]:
    rows = np.array([COUNT, 900_000, AGE * COUNT, AGE * 900_000])
    return [ring.from_signed(part) for part in (rows - 20, np.full(4, 9), np.full(4, 11))]


def test_no_message_and_no_outcome_holds_a_count_that_is_withheld() -> None:
    sent: list[bytes] = []
    plan = plan_among(3, DISTINCT)

    def note(e: Envelope) -> list[Envelope]:
        sent.append(e.payload)
        return [e]

    revealed = agreed(run_parties(deciding(plan.study, distinct_vectors()), 3, note))
    assert revealed.numbers == (0, 900_000, 0, AGE * 900_000)
    assert revealed.hidden == (True, False)
    told = b"".join(sent)
    for number in (COUNT, AGE * COUNT):
        for word in (number, -number):
            assert word.to_bytes(8, "little", signed=True) not in told


def test_control_after_a_secure_sum_every_member_holds_the_small_count() -> None:
    vectors = distinct_vectors()

    async def protocol(session: Session) -> Words:
        own = vectors[session.me]
        summed = await additive.secure_sum(
            session, own, context=b"test", claim=forget, randomness=os.urandom
        )
        return summed.words

    for outcome in run_parties(protocol, 3).values():
        assert not isinstance(outcome, Error)
        assert outcome.tolist()[0] == COUNT


@pytest.mark.parametrize("to", [1, 2])
def test_an_owner_that_deals_two_stories_is_noticed_before_anything_is_revealed(
    to: Party,
) -> None:
    revealed: list[Envelope] = []
    lie = alter(3, to, "/of 3/part 2/1", lambda payload: bytes([payload[0] ^ 1]) + payload[1:])

    def fault(e: Envelope) -> Iterable[Envelope]:
        revealed.extend([e] if e.label.startswith("/reveal/") else [])
        return lie(e)

    plan = plan_among(4)
    vectors = shared_out(totals_of([9] * 6), 4)
    outcomes = run_parties(deciding(plan.study, vectors), 4, fault)
    assert all(isinstance(outcome, Abort) for outcome in outcomes.values())
    assert any(3 in outcome.suspects for outcome in outcomes.values() if isinstance(outcome, Abort))
    assert revealed == []


CHEAT = 1


def with_flips(security: Security, label: str) -> list[Revealed | Error]:
    """Let a member of the committee change the first bit of what it sends in one step."""
    plan = plan_among(4, HEAD + BY_SEX)
    vectors = shared_out([3, 9, 90, 270], 4)

    def flip(e: Envelope) -> Iterable[Envelope]:
        lies = (e.sender, e.label) == (CHEAT, label)
        return [replace(e, payload=bytes([e.payload[0] ^ 1]) + e.payload[1:])] if lies else [e]

    outcomes = run_parties(deciding(plan.study, vectors, security=security), 4, flip)
    return [outcome for party, outcome in outcomes.items() if party != CHEAT]


def steps_of(security: Security) -> list[str]:
    """Return the steps in which the member sends something after it has dealt."""
    labels: dict[str, None] = {}

    def note(e: Envelope) -> list[Envelope]:
        is_computing = e.label.startswith("/committee/") and "/of " not in e.label
        if e.sender == CHEAT and (is_computing or e.label.startswith("/reveal/")):
            labels.setdefault(e.label)
        return [e]

    plan = plan_among(4, HEAD + BY_SEX)
    vectors = shared_out([3, 9, 90, 270], 4)
    agreed(run_parties(deciding(plan.study, vectors, security=security), 4, note))
    return list(labels)


def is_right(outcome: Revealed) -> bool:
    return (outcome.numbers, outcome.hidden) == ((0, 9, 0, 270), (True, False))


def test_a_member_of_the_committee_that_deviates_ends_the_run_and_bends_no_result() -> None:
    steps = steps_of("malicious")
    assert len(steps) > 30
    for label in steps[::3] + steps[-4:]:
        outcomes = with_flips("malicious", label)
        assert any(isinstance(outcome, Abort) for outcome in outcomes), label
        for outcome in outcomes:
            if isinstance(outcome, Abort):
                assert not outcome.culprits
            else:  # in the reveal, where the lie goes to others
                assert isinstance(outcome, Revealed)
                assert is_right(outcome)


def test_control_in_a_semi_honest_committee_it_bends_results_unnoticed() -> None:
    bent = 0
    for label in steps_of("semi-honest"):
        for outcome in with_flips("semi-honest", label):
            bent += isinstance(outcome, Revealed) and not is_right(outcome)
    assert bent > 0


@given(benign(parties=4, messages=40))
@settings(max_examples=30, deadline=None)
def test_on_any_benign_network_the_answer_or_a_blameless_abort(fault: Fault) -> None:
    plan, totals = plan_among(4, HEAD + BY_SEX + TOTAL), [3, 9, 90, 270, 12, 360, 10_800]
    for outcome in run_parties(deciding(plan.study, shared_out(totals, 4)), 4, fault).values():
        if isinstance(outcome, Error):
            assert isinstance(outcome, Abort)
            assert outcome.suspects
            assert not outcome.culprits
        else:
            found = plan.results_revealed(outcome.numbers, outcome.hidden)
            assert found == plan.results(tuple(totals))


@pytest.mark.parametrize("silent", [0, 2, 3])
def test_a_member_that_says_nothing_is_named_by_whoever_waits_for_it(silent: Party) -> None:
    plan = plan_among(4)
    vectors = shared_out(totals_of([9] * 6), 4)
    outcomes = run_parties(deciding(plan.study, vectors), 4, silence(silent))
    for party, outcome in outcomes.items():
        assert isinstance(outcome, Abort)
        if party != silent:
            assert outcome.suspects == {silent}


@pytest.mark.parametrize("after", [9, 20, 50])
def test_a_committee_that_loses_a_member_ends_for_all(after: int) -> None:
    plan, crash = plan_among(5), CrashAfter(1, after)
    vectors = shared_out(totals_of([9] * 6), 5)
    protocol = deciding(plan.study, vectors)
    outcomes = run_parties(protocol, 5, crash, watch=crash.watch)
    for party in (0, 2, 3, 4):
        outcome = outcomes[party]
        assert isinstance(outcome, Abort)
        assert 1 in outcome.suspects
