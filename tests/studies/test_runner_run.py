"""The secure run of a plan: its result is the plain one, certified by all, at the stated cost."""

import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate.errors import Abort, Error, Party
from quorate.studies.disclosure import disclose
from quorate.studies.plan import Plan
from quorate.studies.release import verify_release
from quorate.studies.runners.run import Ran, run_plan
from quorate.studies.study import read_study
from quorate.studies.times import utc_text
from quorate.transport.session import Session
from tests.parties import measure, run_parties
from tests.studies.trio import NAMES, NOW, PLAN, TRIO, approvals_of, key, plan_of, study_of

Own = tuple[int, ...]
OWN: tuple[Own, ...] = ((3, 150, 60 * 10**9), (2, 70, 50 * 10**9), (4, 99, 170 * 10**9))
POOLED = tuple(sum(column) for column in zip(*OWN, strict=True))


def forget(_: bytes) -> None:
    """Claim nothing."""


def running(
    *,
    own: Mapping[Party, Own] | None = None,
    plans: Mapping[Party, Plan] | None = None,
    keys: Mapping[Party, Ed25519PrivateKey] | None = None,
    versions: Mapping[Party, str] | None = None,
) -> Callable[[Session], Awaitable[Ran]]:
    """Return the protocol, in which some parties may use other things than they should."""

    async def protocol(session: Session) -> Ran:
        me = session.me
        return await run_plan(
            session,
            (plans or {}).get(me, PLAN),
            TRIO,
            (own or {}).get(me, OWN[me]),
            approvals=approvals_of((plans or {}).get(me, PLAN)),
            time=utc_text(NOW),
            version=(versions or {}).get(me, "test"),
            key=(keys or {}).get(me, key(NAMES[me])),
            claim=forget,
            randomness=os.urandom,
        )

    return protocol


def aborted(outcome: Ran | Error) -> Abort:
    assert isinstance(outcome, Abort), outcome
    return outcome


def test_everybody_gets_the_same_release_and_it_verifies() -> None:
    outcomes = run_parties(running(), 3)
    releases = [outcome.release for outcome in outcomes.values() if isinstance(outcome, Ran)]
    assert len(releases) == 3
    assert releases[0] == releases[1] == releases[2]
    assert verify_release(releases[0], group=TRIO).roster_known
    assert releases[0].certificate.results == PLAN.results(POOLED)


def test_negative_sums_survive_the_ring() -> None:
    plan = plan_of(study_of("integer -100..0 mV", "sum(x)"))
    own = {0: (-7,), 1: (-100,), 2: (-1,)}
    outcome = run_parties(running(own=own, plans=dict.fromkeys(range(3), plan)), 3)[0]
    assert isinstance(outcome, Ran)
    assert outcome.release.certificate.results[0].value == "-108"


def test_the_disclosure_states_what_a_run_costs() -> None:
    _, rounds, sent = measure(running(), 3)
    told = disclose(PLAN)
    assert (rounds, tuple(sent.values())) == (told.rounds, told.bytes_sent)


def test_who_certifies_something_else_is_named_and_nothing_is_released() -> None:
    outcomes = run_parties(running(versions={2: "other"}), 3)
    for me in (0, 1):
        assert aborted(outcomes[me]).suspects == {2}
        assert not aborted(outcomes[me]).culprits


def test_who_signs_with_a_key_that_is_not_its_own_is_named() -> None:
    outcomes = run_parties(running(keys={1: key("stranger")}), 3)
    assert aborted(outcomes[0]).suspects == {1}


def test_members_that_run_different_plans_release_nothing() -> None:
    other = replace(PLAN, proposed_at="2031-01-01T00:00:00Z")
    for outcome in run_parties(running(plans={1: other}), 3).values():
        aborted(outcome)


@pytest.mark.parametrize("lie", [(1 << 60, 99, 0), (4, 1 << 60, 0), (4, 99, -(1 << 62))])
def test_totals_no_honest_members_could_have_release_nothing(lie: Own) -> None:
    for outcome in run_parties(running(own={2: lie}), 3).values():
        assert "impossible" in str(aborted(outcome))


GROUPED = """
title = "t"
purpose = "p"
max_rows = 1000
[tables.people]
age = "integer 0..120 years"
ward = "category {wards}"
[releases]
r = "select ward, count(*) as n, sum(age) as s, avg(age) as a, var(age) as v, stddev(age) as d \
from people group by ward"
"""


@pytest.mark.parametrize("wards", [1, 50])
def test_rounds_do_not_depend_on_the_number_of_groups_and_aggregates(wards: int) -> None:
    names = " ".join(f"w{i}" for i in range(wards))
    plan = plan_of(read_study(GROUPED.format(wards=names)))
    # Each member has rows of ages 20, 40 and 60 in each ward.
    part = (3,) * wards + (120,) * wards + (5600,) * wards
    everyone = dict.fromkeys(range(3), plan)
    outcomes, rounds, sent = measure(running(own=dict.fromkeys(range(3), part), plans=everyone), 3)
    assert tuple(sent.values()) == disclose(plan).bytes_sent
    assert rounds <= disclose(plan).rounds == 21
    outcome = outcomes[0]
    assert isinstance(outcome, Ran)
    results = outcome.release.certificate.results
    assert len(results) == 5 * wards
    assert [r.exact for r in results[::wards]] == ["9", "360", "40", "300", "sqrt(300)"]
    assert verify_release(outcome.release, group=TRIO).roster_known
