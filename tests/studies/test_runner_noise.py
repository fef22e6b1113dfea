"""The noisy run of a plan: at the stated cost, with noise as stated, and nothing without."""

import os
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from quorate import wire
from quorate.dp.accounting import NANO
from quorate.dp.mechanisms import Gaussian
from quorate.errors import Abort, Error, Party, VerificationFailed
from quorate.studies.cost import run_cost
from quorate.studies.plan import Plan
from quorate.studies.release import Left, verify_release
from quorate.studies.runners.noise import Answer, Standing
from quorate.studies.runners.run import Ran, run_plan, stages_of
from quorate.studies.study import read_study
from quorate.studies.times import utc_text
from quorate.transport.memory import Fault
from quorate.transport.session import Session
from tests.parties import measure, names_of, run_parties
from tests.studies.trio import NOW, approvals_of, group_of, key, plan_of

HEAD = """
title = "t"
purpose = "p"
max_rows = 1000
min_cell = 1
[privacy]
bounds = "protocol"
noise = "{noise}"
[tables.people]
age = "integer 0..120 years"
sex = "category a b c"
"""
STUDY = (
    HEAD
    + """
[releases.all]
sql = "select count(*) as n, avg(age) as m from people"
privacy = {{ {budget} }}
[releases.by_sex]
sql = "select sex, count(*) as n, avg(age) as a from people group by sex"
privacy = {{ {budget} }}
"""
)
OWN = (100, 0, 30, 40, 30, 0, 10, -10)
"""One member's: rows, centred ages; the same by sex."""


def planned(n: int, noise: str, *accept: str, budget: str = "epsilon = 1.0") -> Plan:
    study = read_study(STUDY.format(noise=noise, budget=budget))
    return plan_of(study, group_of(*names_of(n)), *accept)


def forget(_: bytes) -> None:
    """Claim nothing."""


def running(
    plan: Plan,
    own: tuple[int, ...] = OWN,
    standings: dict[Party, Standing] | None = None,
    told: dict[Party, list[str]] | None = None,
    rounds: dict[Party, int] | None = None,
    randomness: Callable[[int], bytes] = os.urandom,
) -> Callable[[Session], Awaitable[Ran]]:
    """Return the protocol; `told` takes the stages, and `rounds` how many each took part in."""
    group = group_of(*plan.members)

    async def protocol(session: Session) -> Ran:
        me = session.me
        ran = await run_plan(
            session,
            plan,
            group,
            own,
            approvals=approvals_of(plan, group),
            time=utc_text(NOW),
            version="test",
            key=key(plan.members[me]),
            standing=(standings or {}).get(me, Standing(b"", 7, None)),
            claim=forget,
            randomness=randomness,
            progress=(told or {}).get(me, []).append,
        )
        if rounds is not None:
            rounds[me] = session.rounds
        return ran

    return protocol


def agreed(outcomes: dict[Party, Ran | Error]) -> Ran:
    first, *rest = outcomes.values()
    assert isinstance(first, Ran), first
    for other in rest:
        assert isinstance(other, Ran), other
        assert (other.release, other.answer) == (first.release, first.answer)
    return first


@pytest.mark.parametrize(
    ("n", "noise", "accept"),
    [
        (2, "in shares", ()),
        (3, "jointly", ()),
        (3, "jointly", ("semi-honest",)),
        (3, "in shares", ()),
        (5, "jointly", ()),
        (5, "in shares", ()),
    ],
)
def test_everybody_gets_one_noisy_release_at_the_stated_cost(
    n: int, noise: str, accept: tuple[str, ...]
) -> None:
    plan, rounds = planned(n, noise, *accept), dict[Party, int]()
    outcomes, _, sent = measure(running(plan, rounds=rounds), n)
    ran = agreed(outcomes)
    verify_release(ran.release)
    cost = run_cost(plan)
    assert tuple(sent.values()) == cost.bytes_sent
    assert {rounds[p] for p in range(min(n, 3))} == {cost.rounds}
    numbers = wire.decode(ran.answer, Answer).numbers
    assert ran.release.certificate.results == plan.results(numbers)
    assert numbers != tuple(n * number for number in OWN)
    assert all(abs(a - n * b) < 20_000 for a, b in zip(numbers, OWN, strict=True))
    assert ran.release.certificate.left == tuple(Left(name, 7, None) for name in plan.members)


@pytest.mark.parametrize(
    ("n", "noise", "accept"),
    [(3, "in shares", ()), (3, "jointly", ()), (4, "jointly", ("semi-honest",))],
)
def test_a_delta_is_paid_in_gaussian_noise_at_the_stated_cost(
    n: int, noise: str, accept: tuple[str, ...]
) -> None:
    plan = planned(n, noise, *accept, budget="epsilon = 1.0, delta = 1e-6")
    factors = [v.factor for v in plan.vectors for _ in range(v.size)]
    own = tuple(number * factor for number, factor in zip(OWN, factors, strict=True))
    rounds = dict[Party, int]()
    outcomes, _, sent = measure(running(plan, own, rounds=rounds), n)
    certificate = agreed(outcomes).release.certificate
    assert n * 100 - 50 < float(certificate.results[0].exact) < n * 100 + 50
    cost = run_cost(plan)
    assert tuple(sent.values()) == cost.bytes_sent
    assert {rounds[p] for p in range(3)} == {cost.rounds}


def test_the_certificate_says_mechanism_sigma_and_delta() -> None:
    plan = planned(3, "jointly", budget="epsilon = 1.0, delta = 1e-6")
    factors = [v.factor for v in plan.vectors for _ in range(v.size)]
    own = tuple(number * factor for number, factor in zip(OWN, factors, strict=True))
    said = "\n".join(agreed(run_parties(running(plan, own), 3)).release.certificate.disclosure)
    mechanism = plan.vectors[0].mechanism
    assert isinstance(mechanism, Gaussian)
    for words in (
        "all costs epsilon 1, delta 1e-06",
        f"all: rows with discrete Gaussian noise of sigma {float(mechanism.variance) ** 0.5:.6g}",
        "noise is Gaussian noise where a budget is a rho, or has a delta",
        "that guarantees epsilon 1.451 at delta 1e-06",
        "none knows it",
    ):
        assert words in said, said


@pytest.mark.parametrize("noise", ["jointly", "in shares"])
def test_who_holds_the_answer_gives_it_again_and_runs_nothing(noise: str) -> None:
    plan = planned(3, noise)
    answer = wire.encode(Answer((300, 5) + (99,) * 6))
    standings = {p: Standing(answer, p, None) for p in range(3)}
    stages: dict[Party, list[str]] = {p: [] for p in range(3)}
    ran = agreed(run_parties(running(plan, (), standings, stages), 3))
    assert ran.answer == answer
    assert ran.release.certificate.results == plan.results((300, 5) + (99,) * 6)
    assert [left.nano_epsilon for left in ran.release.certificate.left] == [0, 1, 2]
    assert stages[0] == ["ledgers", "keys", "signatures"]


@pytest.mark.parametrize("noise", ["jointly", "in shares"])
@pytest.mark.parametrize("answers", [(b"", b"", b"x"), (b"x", b"x", b"y")])
def test_where_ledgers_do_not_agree_nothing_is_sent(noise: str, answers: tuple[bytes, ...]) -> None:
    standings = {p: Standing(answer, NANO, None) for p, answer in enumerate(answers)}
    stages: dict[Party, list[str]] = {p: [] for p in range(3)}
    for outcome in run_parties(running(planned(3, noise), OWN, standings, stages), 3).values():
        assert isinstance(outcome, Abort)
        assert "do not agree" in str(outcome)
    assert stages == {p: ["ledgers"] for p in range(3)}


@pytest.mark.parametrize("noise", ["jointly", "in shares"])
def test_members_that_assume_other_noise_release_nothing(noise: str) -> None:
    plans = [planned(3, noise), planned(3, noise, budget="epsilon = 0.1")]

    async def protocol(session: Session) -> Ran:
        return await running(plans[session.me == 1])(session)

    for outcome in run_parties(protocol, 3).values():
        assert isinstance(outcome, Abort)


def dropping_out(label: str) -> Fault:
    """Lose what the third member sends in steps whose names begin so."""
    return lambda e: [] if e.sender == 2 and e.label.startswith(label) else [e]


@pytest.mark.parametrize(
    ("noise", "label"),
    [("jointly", "/committee/noise 0"), ("in shares", "/4"), ("jointly", "/reveal")],
)
def test_a_member_that_drops_out_voids_the_run(noise: str, label: str) -> None:
    outcomes = run_parties(running(planned(3, noise)), 3, dropping_out(label))
    for party in (0, 1):
        outcome = outcomes[party]
        assert isinstance(outcome, Abort), outcome


def test_the_stage_that_opens_is_told_before_anything_is_opened() -> None:
    for noise, opens in (("jointly", "reveal"), ("in shares", "opening")):
        stages: dict[Party, list[str]] = {p: [] for p in range(3)}
        plan = planned(3, noise)
        agreed(run_parties(running(plan, told=stages), 3))
        assert tuple(stages[1]) == stages_of(plan.protocol)
        assert stages[1][-2] == opens


def test_a_release_must_say_what_every_member_has_left() -> None:
    release = agreed(run_parties(running(planned(3, "jointly")), 3)).release
    for left in ((), release.certificate.left[:2], release.certificate.left[::-1]):
        altered = replace(release, certificate=replace(release.certificate, left=left))
        with pytest.raises(VerificationFailed, match="what is left"):
            verify_release(altered)
