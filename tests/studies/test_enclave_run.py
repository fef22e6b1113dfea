"""A run in an enclave: certified by all, at the stated cost; what a host may try, and controls."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from quorate import wire
from quorate.algebra import ring
from quorate.enclave.simulation import qe_identity, sgx_report, tcb_info
from quorate.errors import Abort, Error, Party, Refused, SessionReused, VerificationFailed
from quorate.studies.attested import Begun, Brief, offer
from quorate.studies.cost import run_cost
from quorate.studies.disclosure import disclose
from quorate.studies.inside import Outcome, Sent
from quorate.studies.noise_disclosure import error_of
from quorate.studies.plain import execute, rows_to_send
from quorate.studies.plan import Plan
from quorate.studies.protocols import BY_ENCLAVE
from quorate.studies.release import Release, origin_of, verify_release
from quorate.studies.rows import columns_sent
from quorate.studies.runners.noise import OPENS, Answer, Standing, totals_in
from quorate.studies.runners.run import Ran, stages_of
from quorate.studies.running import T
from quorate.studies.times import utc_text
from tests.parties import measure, names_of, run_parties
from tests.studies.enclosed import (
    HOST,
    ONE_BYTE_OFF,
    Here,
    Own,
    approved,
    here,
    plan_inside,
    platform,
    program,
    running_inside,
)
from tests.studies.rows import RELEASES, parts, planned, sources
from tests.studies.test_third_party import PRIVATE, running
from tests.studies.trio import NOW, group_of, key

Alter = Callable[[Sequence[Sent]], Sequence[Sent]]

SOUTH = 1
MANY_CELLS = """
[privacy]
bounds = "protocol"
[releases.r]
sql = "select arm, out, histogram(x, {edges}) as h from patients group by arm, out"
privacy = {{ {budget} }}
"""
OTHERS = (0, 2)


def same_sent(sent: Sequence[Sent]) -> Sequence[Sent]:
    return sent


def same_begun(begun: Begun) -> Begun:
    return begun


def same_outcome(outcome: Outcome) -> Outcome:
    return outcome


@dataclass(slots=True)
class Watched:
    """A host that may alter whatever passes it, and keeps what it was handed."""

    machine: Here
    on_begun: Callable[[Begun], Begun] = same_begun
    on_sent: Alter = same_sent
    on_outcome: Callable[[Outcome], Outcome] = same_outcome
    begun: list[Brief] = field(default_factory=list)
    handed: list[Sequence[Sent]] = field(default_factory=list)

    def begin(self, brief: Brief) -> Begun:
        self.begun.append(brief)
        return self.on_begun(self.machine.begin(brief))

    def finish(self, sent: Sequence[Sent]) -> Outcome:
        self.handed.append(sent)
        return self.on_outcome(self.machine.finish(self.on_sent(sent)))


def once_in(claimed: set[bytes]) -> Callable[[Party], Callable[[bytes], None]]:
    """Return what each member's store does with names: it keeps them."""

    def of(party: Party) -> Callable[[bytes], None]:
        def claim(name: bytes) -> None:
            if (mine := bytes([party]) + name) in claimed:
                raise SessionReused("claimed before")
            claimed.add(mine)

        return claim

    return of


def brief_of(plan: Plan) -> Brief:
    offers = tuple(
        offer(plan, name, key(name), plan.study.enclosed.measurement, bytes(32), NOW)
        for name in plan.members
    )
    return Brief(group_of(*plan.members), plan, approved(plan), utc_text(NOW), offers)


def rows_of(folder: Path, plan: Plan) -> dict[Party, Own]:
    files = sources(folder, parts(*(40, 25, 60, 30)[: len(plan.members)]))
    return {party: rows_to_send(file, plan) for party, file in enumerate(files)}


def released(outcome: object) -> Release:
    assert isinstance(outcome, Ran), outcome
    return outcome.release


def answer_of(outcome: object) -> bytes:
    assert isinstance(outcome, Ran), outcome
    return outcome.answer


def refused(outcome: object) -> Error:
    assert isinstance(outcome, Error), outcome
    return outcome


@pytest.mark.parametrize("n", [3, 4])
@pytest.mark.parametrize("text", [RELEASES, PRIVATE], ids=["exact", "private"])
def test_all_have_one_release_at_the_stated_cost(tmp_path: Path, n: int, text: str) -> None:
    plan = plan_inside(text, members=n)
    own = rows_of(tmp_path, plan)
    outcomes, rounds, sent = measure(running_inside(plan, own, here(plan)), n)
    found = [released(one) for one in outcomes.values()]
    assert len({(one.certificate, one.archive) for one in found}) == 1
    assert verify_release(found[0], group=group_of(*names_of(n))).roster_known
    cost = run_cost(plan)
    more = [0 if p == SOUTH else cost.bytes_a_row * int(own[p][0]) for p in range(n)]
    due = [fixed + rows for fixed, rows in zip(cost.bytes_sent, more, strict=True)]
    assert (rounds, list(sent.values())) == (cost.rounds, due)


def test_the_result_is_that_of_a_third_party(tmp_path: Path) -> None:
    plan, by_third = plan_inside(RELEASES), planned(RELEASES, third=True)
    own = rows_of(tmp_path, plan)
    inside = run_parties(running_inside(plan, own, here(plan)), 3)
    trusted = run_parties(running(by_third, own), 3)
    results = [released(ran[0]).certificate.results for ran in (inside, trusted)]
    assert results[0] == results[1]


def test_noise_is_that_of_the_stated_mechanism(tmp_path: Path) -> None:
    plan = plan_inside(PRIVATE)
    machine = Watched(here(plan))
    ran = run_parties(running_inside(plan, rows_of(tmp_path, plan), machine), 3)
    n, mean, *by_arm = released(ran[0]).certificate.results
    assert float(n.value) == pytest.approx(125, abs=3)  # epsilon 25: e^-75 that it is further
    assert 0 <= float(mean.value) <= 100
    assert len(by_arm) == 3
    words = ring.to_signed(machine.machine.finish(machine.handed[0]).words)
    assert not np.array_equal(words, totals_in(answer_of(ran[0]))), "the same noise twice"


@pytest.mark.parametrize("budget", ["epsilon = 0.5", "rho = 0.1"])
def test_errors_of_noise_drawn_inside_are_those_that_were_disclosed(budget: str) -> None:
    plan = plan_inside(MANY_CELLS.format(edges=", ".join(map(str, range(101))), budget=budget))
    (vector,) = plan.vectors
    nobody = (np.zeros((len(columns_sent(plan)), 0), np.int64), 0)
    drawn = ring.to_signed(execute(plan, [nobody] * 3, os.urandom))
    errors, due = drawn * float(vector.step) / vector.factor, error_of(plan, vector)
    assert errors.size == 600
    assert np.std(errors) == pytest.approx(due, rel=0.3)  # 6 sigma
    assert abs(np.mean(errors)) < 0.3 * due


def test_noise_is_paid_before_rows_leave(tmp_path: Path) -> None:
    plan, stages = plan_inside(PRIVATE), stages_of(BY_ENCLAVE, under_privacy=True)
    assert [stage for stage in stages if stage in OPENS] == ["rows"]
    told: list[str] = []
    run = running_inside(plan, rows_of(tmp_path, plan), here(plan), progress=told.append)
    released(run_parties(run, 3)[0])
    assert tuple(dict.fromkeys(told)) == stages


def test_an_answer_given_before_is_not_certified_without_a_receipt(tmp_path: Path) -> None:
    plan, machine = plan_inside(PRIVATE), Watched(here(plan_inside(PRIVATE)))
    before = Standing(wire.encode(Answer((0,) * plan.revealed)), None, None)
    run = running_inside(plan, rows_of(tmp_path, plan), machine, standing=before)
    assert all("for that run alone" in str(refused(one)) for one in run_parties(run, 3).values())
    assert not machine.begun


def test_the_disclosure_says_who_draws_and_knows_the_noise() -> None:
    told = "\n".join(disclose(plan_inside(PRIVATE)).lines())
    assert "drawn by the program in the enclave alone" in told
    assert f"{HOST} knows all of it" in told


def test_everything_says_simulated(tmp_path: Path) -> None:
    plan = plan_inside(RELEASES)
    ran = run_parties(running_inside(plan, rows_of(tmp_path, plan), here(plan)), 3)
    verdict = origin_of(released(ran[0]), NOW)
    assert verdict is not None
    assert verdict.watermark.startswith("SIMULATED")
    assert verdict.passes_today == verdict.was_valid == ""
    assert "SIMULATED" in "\n".join(disclose(plan).lines())


def test_the_receipt_is_for_these_results_alone(tmp_path: Path) -> None:
    plan = plan_inside(RELEASES)
    ran = run_parties(running_inside(plan, rows_of(tmp_path, plan), here(plan)), 3)
    release = released(ran[0])
    first, *rest = release.certificate.results
    other = replace(release.certificate, results=(replace(first, value="1"), *rest))
    with pytest.raises(VerificationFailed, match="for another result"):
        origin_of(replace(release, certificate=other), NOW)
    bare = replace(release, archive=wire.ABSENT)
    with pytest.raises(VerificationFailed, match="lacks the receipt"):
        verify_release(bare)


# What a host may try


def test_one_byte_of_code_and_no_row_leaves(tmp_path: Path) -> None:
    plan = plan_inside(RELEASES)
    machine = Watched(here(plan, ONE_BYTE_OFF))
    outcomes = run_parties(running_inside(plan, rows_of(tmp_path, plan), machine), 3)
    assert "mrenclave" in str(refused(outcomes[0])) or "program" in str(refused(outcomes[0]))
    assert not machine.handed


def test_control_of_one_byte_of_code_a_plan_that_names_it_hands_rows_over(tmp_path: Path) -> None:
    usual = plan_inside(RELEASES)
    group = group_of(*usual.members)
    code = program(usual.study, group, ONE_BYTE_OFF)
    where = replace(usual.study.enclosed, measurement=code)
    plan = replace(usual, study=replace(usual.study, enclave=where))
    machine = Watched(here(plan, ONE_BYTE_OFF))
    released(run_parties(running_inside(plan, rows_of(tmp_path, plan), machine), 3)[0])
    assert len(machine.handed) == 1


def test_a_member_whose_build_differs_refuses(tmp_path: Path) -> None:
    plan = plan_inside(RELEASES)
    other = {2: program(plan.study, group_of(*plan.members), ONE_BYTE_OFF)}
    machine = Watched(here(plan))
    run = running_inside(plan, rows_of(tmp_path, plan), machine, measured=other)
    outcomes = run_parties(run, 3)
    assert isinstance(outcomes[2], Refused)
    assert not machine.handed


def test_real_data_are_refused(tmp_path: Path) -> None:
    plan = plan_inside(RELEASES)
    machine = Watched(here(plan))
    run = running_inside(plan, rows_of(tmp_path, plan), machine, approvals=approved(plan, "real"))
    assert all("real" in str(refused(one)) for one in run_parties(run, 3).values())
    assert not machine.begun


def test_rows_leave_once_for_a_plan(tmp_path: Path) -> None:
    plan = plan_inside(RELEASES)
    own, machine, claimed = rows_of(tmp_path, plan), Watched(here(plan)), set[bytes]()
    run = running_inside(plan, own, machine, claim=once_in(claimed))
    released(run_parties(run, 3)[0])
    assert all("left for this run" in str(refused(one)) for one in run_parties(run, 3).values())
    assert len(machine.handed) == 1


def test_control_of_once_a_store_that_forgets_lets_rows_leave_again(tmp_path: Path) -> None:
    plan = plan_inside(RELEASES)
    machine = Watched(here(plan))
    run = running_inside(plan, rows_of(tmp_path, plan), machine)
    for _ in range(2):
        released(run_parties(run, 3)[0])
    assert len(machine.handed) == 2


@pytest.mark.parametrize("what", ["stale", "debug", "other key", "other root"])
def test_evidence_that_is_not_due_and_no_row_leaves(tmp_path: Path, what: str) -> None:
    plan = plan_inside(RELEASES)
    usual = here(plan)
    released(run_parties(running_inside(plan, rows_of(tmp_path, plan), usual), 3)[0])
    old = usual.inside[0].begun
    measured = plan.study.enclosed.measurement
    collateral = old.evidence.intel
    assert collateral is not None

    def shown(begun: Begun) -> Begun:
        data = begun.binding.report_data()
        match what:
            case "stale":
                return old
            case "debug":
                quote = platform().quote(sgx_report(measured, data, attributes=0x07))
                return replace(begun, evidence=replace(begun.evidence, quote=quote))
            case "other key":
                binding = replace(begun.binding, sealing_key=old.binding.sealing_key)
                return replace(begun, binding=binding)
            case _:
                other = platform(bytes(32))
                papers = other.collateral(tcb_info(NOW), qe_identity(NOW), NOW)
                return replace(begun, evidence=other.evidence(measured, data, papers))

    machine = Watched(here(plan), on_begun=shown)
    outcomes = run_parties(running_inside(plan, rows_of(tmp_path, plan), machine), 3)
    assert all("not the one that was approved" in str(refused(outcomes[p])) for p in OTHERS)
    assert not machine.handed


def swapped(sent: Sequence[Sent]) -> Sequence[Sent]:
    return [sent[2], sent[1], sent[0]]


def cut(sent: Sequence[Sent]) -> Sequence[Sent]:
    return [replace(sent[0], sealed=(sent[0].sealed[0][:-1],)), *sent[1:]]


@pytest.mark.parametrize("altered", [swapped, cut])
def test_the_enclave_refuses_rows_that_its_host_altered(tmp_path: Path, altered: "Alter") -> None:
    plan = plan_inside(RELEASES)
    machine = Watched(here(plan), on_sent=altered)
    outcomes = run_parties(running_inside(plan, rows_of(tmp_path, plan), machine), 3)
    assert isinstance(outcomes[SOUTH], VerificationFailed)
    assert not any(isinstance(one, Ran) for one in outcomes.values())


def test_rows_of_another_run_are_refused(tmp_path: Path) -> None:
    plan = plan_inside(RELEASES)
    own, first = rows_of(tmp_path, plan), Watched(here(plan))
    released(run_parties(running_inside(plan, own, first), 3)[0])
    replayed = Watched(here(plan), on_sent=lambda sent: [first.handed[0][0], *sent[1:]])
    outcomes = run_parties(running_inside(plan, own, replayed), 3)
    assert "for another enclave, run or owner" in str(refused(outcomes[SOUTH]))


def one_more(outcome: Outcome) -> Outcome:
    return replace(outcome, words=np.concatenate([outcome.words[:1] + 1, outcome.words[1:]]))


def test_a_host_that_changes_the_result_is_refused(tmp_path: Path) -> None:
    plan = plan_inside(RELEASES)
    machine = Watched(here(plan), on_outcome=one_more)
    outcomes = run_parties(running_inside(plan, rows_of(tmp_path, plan), machine), 3)
    found = refused(outcomes[0])
    assert isinstance(found, Abort)
    assert found.suspects == {SOUTH}


def test_control_of_a_changed_result_a_third_party_changes_it_unseen(tmp_path: Path) -> None:
    plan = planned(RELEASES, third=True)

    async def lying(work: Callable[[], T], /) -> T:
        words = work()
        assert isinstance(words, np.ndarray)
        words[0] += 1
        return words

    own = rows_of(tmp_path, plan)
    honest = released(run_parties(running(plan, own), 3)[0])
    told = released(run_parties(running(plan, own, lying), 3)[0])
    assert told.certificate.results != honest.certificate.results
    verify_release(told)


@pytest.mark.parametrize("what", ["plan", "approval", "word", "nonce"])
def test_the_enclave_itself_checks_what_it_is_started_with(what: str) -> None:
    plan = plan_inside(RELEASES)
    brief = brief_of(plan)
    first, *rest = brief.offers
    wrong = {
        "plan": replace(brief, plan=replace(plan, proposed_at="2027-01-31T09:31:00Z")),
        "approval": replace(brief, approvals=brief.approvals[1:]),
        "word": replace(brief, offers=(replace(first, word=rest[0].word), *rest)),
        "nonce": replace(brief, offers=(*rest, first)),
    }[what]
    here(plan).begin(brief)
    with pytest.raises((Refused, VerificationFailed)):
        here(plan).begin(wrong)
