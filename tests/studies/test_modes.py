"""The most frequent value of a category: only its place is revealed, at the stated cost."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from quorate.dp.accounting import NANO
from quorate.dp.mechanisms import Gaussian, Laplace
from quorate.dp.tables import Integers
from quorate.errors import Abort, MalformedStudy, Refused
from quorate.studies.cost import run_cost
from quorate.studies.disclosure import disclose
from quorate.studies.noise_plan import Assumed, expected_errors
from quorate.studies.noised import charge_of
from quorate.studies.plan import Plan
from quorate.studies.private_rows import noiseless
from quorate.studies.protocols import JOINT_NOISE
from quorate.studies.release import verify_release
from quorate.studies.runners.run import Ran
from quorate.studies.sources import open_source
from quorate.studies.study import read_study
from quorate.transport.session import Session
from tests.dp.game import epsilon_shown
from tests.dp.keyed import keyed
from tests.parties import measure, names_of, run_parties
from tests.studies.test_runner_noise import running
from tests.studies.trio import group_of, plan_of

STUDY = """
title = "t"
purpose = "p"
max_rows = 10_000
min_cell = 1
[privacy]
bounds = "protocol"
noise = "{noise}"
neighbours = "{neighbours}"
rows = {rows}
[tables.people]
drug = "category none old new other"
ward = "category {wards}"
[releases.used]
sql = "{sql}"
privacy = {{ {budget} }}
"""
ALL = "select mode(drug) as most_used from people"
BY_WARD = "select ward, count(*) as n, mode(drug) as most_used from people group by ward"


def planned(
    sql: str = ALL,
    *accept: str,
    n: int = 3,
    noise: str = "jointly",
    neighbours: str = "add or remove",
    rows: int = 1,
    budget: str = "epsilon = 1.0",
    wards: str = "a b",
) -> Plan:
    text = STUDY.format(
        sql=sql, noise=noise, neighbours=neighbours, rows=rows, budget=budget, wards=wards
    )
    return plan_of(read_study(text), group_of(*names_of(n)), *accept)


def ran(plan: Plan, own: tuple[int, ...], others: tuple[int, ...], seed: str) -> Ran:
    """Run a plan in which the first member has `own` numbers and each other one `others`."""

    async def protocol(session: Session) -> Ran:
        mine, me = (own if session.me == 0 else others), session.me
        return await running(plan, mine, randomness=keyed(f"{seed} {me}"))(session)

    outcome = run_parties(protocol, len(plan.members))[0]
    assert isinstance(outcome, Ran), outcome
    return outcome


def test_a_mode_paid_in_rho_has_laplace_noise_beside_gaussian_counts() -> None:
    """Of epsilon^2 / 2, that is [BS16]: nothing is known of the largest of Gaussian numbers."""
    plan = planned(BY_WARD, budget="rho = 1.0")
    counts, largest = (vector.mechanism for vector in plan.vectors)
    assert isinstance(counts, Gaussian)
    assert isinstance(largest, Laplace)
    assert counts.rho == Fraction(1, 2)
    assert largest.epsilon == 1
    assert largest.rho == Fraction(1, 2)
    assert charge_of(plan.study, 3).nano_rho == NANO
    factor = plan.vectors[0].factor
    own = (300 * factor, 400 * factor, 10, 250, 20, 20, 5, 5, 90, 300)
    release = ran(plan, own, own, "rho").release
    verify_release(release)
    assert [r.value for r in release.certificate.results if r.name == "most_used"] == [
        "old",
        "other",
    ]


@pytest.mark.parametrize("n", [3, 4])
@pytest.mark.parametrize("accept", [(), ("semi-honest",)])
def test_only_the_place_is_revealed_and_certified(n: int, accept: tuple[str, ...]) -> None:
    plan = planned(BY_WARD, *accept, n=n)
    assert (plan.numbers, plan.revealed) == (10, 4)
    own = (300, 400, 10, 250, 20, 20, 5, 5, 90, 300)
    release = ran(plan, own, own, "certified").release
    verify_release(release)
    modes = [r for r in release.certificate.results if r.name == "most_used"]
    assert [(r.cell, r.exact, r.value, r.unit) for r in modes] == [
        (("ward = a",), "1", "old", "value of drug"),
        (("ward = b",), "3", "other", "value of drug"),
    ]


@pytest.mark.parametrize("accept", [(), ("semi-honest",)])
@pytest.mark.parametrize("n", [3, 5])
def test_a_run_costs_what_is_said(n: int, accept: tuple[str, ...]) -> None:
    plan = planned(BY_WARD, *accept, n=n)
    rounds: dict[int, int] = {}
    own = (300, 400, 10, 250, 20, 20, 5, 5, 90, 300)
    _, _, sent = measure(running(plan, own, rounds=rounds), n)
    said = run_cost(plan)
    assert tuple(sent.values()) == said.bytes_sent
    assert {rounds[p] for p in range(3)} == {said.rounds}


def test_members_count_values_of_each_group(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("drug,ward\nold,a\nold,a\nnew,b\nsugar,b\nother,c\n")
    assert noiseless(open_source(path), planned(BY_WARD)) == (2, 2, 0, 2, 0, 0, 0, 0, 1, 0)


def test_noise_is_that_of_a_noisy_max() -> None:
    def scale(plan: Plan) -> float:
        vector = plan.vectors[-1]
        assert isinstance(vector.mechanism, Laplace)
        return float(vector.mechanism.scale)

    assert scale(planned()) == 2
    assert scale(planned(rows=3)) == 6
    assert scale(planned(neighbours="replace")) == 2
    assert scale(planned(BY_WARD)) == 4  # half of the budget is the count's
    assert scale(planned(BY_WARD, neighbours="replace")) == 8  # a patient may change wards


@pytest.mark.parametrize(
    "said",
    [{"noise": "in shares"}, {"n": 2}],
)
def test_without_three_that_draw_jointly_there_is_no_mode(said: dict[str, object]) -> None:
    with pytest.raises(Refused, match="only the place is shown"):
        planned(**said)  # type: ignore[arg-type]


def test_noise_on_each_record_has_no_mode() -> None:
    with pytest.raises(Refused, match="not mode as most_used asks it"):
        planned(noise="each record", neighbours="replace")


@pytest.mark.parametrize("place", [-1, 4, 1 << 40])
def test_a_place_that_is_none_is_an_abort(place: int) -> None:
    with pytest.raises(Abort, match="none of its values"):
        planned().results((place,))


def test_without_a_budget_there_is_no_mode() -> None:
    text = STUDY.format(
        sql=ALL, noise="jointly", neighbours="replace", rows=1, budget="epsilon = 1", wards="a b"
    )
    exact = text[: text.index("[privacy]")] + text[text.index("[tables") :]
    exact = exact.replace("privacy = { epsilon = 1 }", "")
    with pytest.raises(MalformedStudy, match="a mode, is of noisy counts"):
        read_study(exact)
    with pytest.raises(MalformedStudy, match="is no category"):
        read_study(text.replace("none old new other", "none"))


def test_what_is_disclosed_and_planned() -> None:
    plan = planned(BY_WARD)
    assert plan.protocol == JOINT_NOISE
    lines = "\n".join(disclose(plan).lines())
    assert "place of the most frequent value of drug, and no count" in lines
    found = expected_errors(plan.study, Assumed(members=3, rows=100))
    assert {one.value for one in found} == {"n"}


# The game: one patient more, whose drug it may change which is the most used


WARDS, RUNS, MANY, FEW = 1000, 10, 100, 1
"""Each ward of each run is a game: 10,000 of them, 100,000, and 1,000."""


def places(plan: Plan, counts: list[int], runs: int) -> Integers:
    """Return which value comes out, ward by ward, run by run, where one member has these rows."""
    own, name = tuple(counts * WARDS), f"{counts} {plan.study.privacy}"
    released = [ran(plan, own, (0,) * len(own), f"{name} {i}") for i in range(runs)]
    found = [int(r.exact) for one in released for r in one.release.certificate.results]
    assert len(found) == WARDS * runs
    return np.array(found, np.int64)


def shown(epsilon: str, runs: int) -> float:
    """Return the epsilon that modes show of a patient on whom it hangs which drug is the first."""
    plan = planned(
        "select ward, mode(drug) as most_used from people group by ward",
        budget=f"epsilon = {epsilon}",
        wards=" ".join(f"w{i}" for i in range(WARDS)),
    )
    return epsilon_shown(places(plan, [1, 1, 0, 0], runs), places(plan, [0, 1, 0, 0], runs))


def test_the_place_shows_no_more_than_its_epsilon() -> None:
    assert 0.5 < shown("2", RUNS) <= 2


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_many_places_show_no_more_than_their_epsilon() -> None:
    assert 0.6 < shown("2", MANY) <= 2


def test_control_a_mode_with_a_fifth_of_its_noise_shows_more() -> None:
    """As if 10 were paid where 2 are said."""
    assert shown("10", FEW) > 2


@pytest.mark.slow
def test_control_a_mode_with_a_third_of_its_noise_shows_more_in_many_games() -> None:
    assert shown("6", RUNS) > 2
