"""What a study may say of noise, and what it adds up: held against any patient who differs."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import combinations, product
from pathlib import Path

import pytest

from quorate.dp.accounting import NANO, epsilon_of
from quorate.dp.mechanisms import Gaussian, Laplace
from quorate.errors import MalformedStudy, Refused
from quorate.studies.disclosure import disclose
from quorate.studies.noised import charge_of
from quorate.studies.plan import Plan
from quorate.studies.planning import check
from quorate.studies.privacy import Budget
from quorate.studies.private_rows import noiseless
from quorate.studies.protocols import JOINT_NOISE, NOISE_IN_SHARES
from quorate.studies.sources import open_source
from quorate.studies.study import check_study, read_study
from tests.studies.trio import TRIO, group_of, plan_of

STUDY = """
title = "t"
purpose = "p"
max_rows = 20
min_cell = {min_cell}
[privacy]
bounds = "protocol, section 3"
rows = {rows}
neighbours = "{neighbours}"
{more}
[tables.people]
age = "integer -3..5 years"
bmi = "number 0.5..3 kg/m2"
sex = "category F M"
[releases.all]
sql = "select count(*) as n, avg(age) as a, var(age) as v, sum(bmi) as s, var(bmi) as w from people"
privacy = {{ {budget} }}
[releases.by]
sql = \"\"\"select sex, count(*) as n, sum(age) as s, stddev(age) as d,
histogram(bmi, 1, 2, 3) as h, percentile(age, 50, -3, 0, 2, 5) as p
from people where age > -2 group by sex\"\"\"
privacy = {{ epsilon = 2 }}
"""


def text(
    *,
    rows: int = 1,
    neighbours: str = "add or remove",
    more: str = "",
    budget: str = "epsilon = 1.0",
    min_cell: int = 1,
) -> str:
    return STUDY.format(
        rows=rows, neighbours=neighbours, more=more, budget=budget, min_cell=min_cell
    )


def planned(**said: object) -> Plan:
    return plan_of(read_study(text(**said)))  # type: ignore[arg-type]


# What a study may say


def test_a_budget_is_exact_and_of_each_release() -> None:
    privacy = read_study(text(budget="epsilon = 0.1")).privacy
    assert privacy is not None
    assert privacy.budgets == (Budget(NANO // 10, 0, 0), Budget(2 * NANO, 0, 0))
    assert [budget.text for budget in privacy.budgets] == ["epsilon 0.1", "epsilon 2"]


@pytest.mark.parametrize(
    ("budget", "message"),
    [
        ("epsilon = 0", "a budget is"),
        ("epsilon = -1", "not between"),
        ("epsilon = 1, rho = 1", "a budget is"),
        ("rho = 1, delta = 1e-6", "a budget is"),
        ("delta = 1e-6", "a budget is"),
        ("epsilon = 51", "above 50"),
        ("epsilon = 1e-10", "whole steps"),
        ("epsilon = nan", "not a number"),
        ("epsilon = true", "not a number"),
        ('epsilon = "1"', "not a number"),
        ("epsilon = 1, delta = 0.5", "gives patients away"),
        ("sigma = 1", "a budget is"),
    ],
)
def test_a_budget_that_is_none_is_refused(budget: str, message: str) -> None:
    with pytest.raises(MalformedStudy, match=message):
        read_study(text(budget=budget))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('bounds = "protocol, section 3"', "", "privacy.bounds"),
        ("rows = 1", "rows = 0", "privacy.rows"),
        ("rows = 1", 'unit = "visit"', "privacy.unit"),
        ('"add or remove"', '"nearby"', "privacy.neighbours"),
        ("rows = 1", "noise = 'uniform'", "privacy.noise"),
        ("rows = 1", "sigma = 1", "unknown key sigma"),
        ("privacy = { epsilon = 2 }", "", "has no budget, and others have"),
        ("[privacy]", "[private]", "unknown key private"),
    ],
)
def test_noise_that_is_not_understood_is_refused(old: str, new: str, message: str) -> None:
    with pytest.raises(MalformedStudy, match=message):
        read_study(text().replace(old, new))


def test_a_received_study_is_held_to_the_same_rules() -> None:
    study = read_study(text())
    assert study.privacy is not None
    for wrong in (
        replace(study.privacy, budgets=study.privacy.budgets[:1]),
        replace(study.privacy, budgets=(Budget(NANO, 0, NANO), Budget(1, 0, 0))),
        replace(study.privacy, source=" "),
        replace(study.privacy, rows=0),
    ):
        with pytest.raises(MalformedStudy):
            check_study(replace(study, privacy=wrong))


def test_an_epsilon_at_a_delta_is_the_largest_rho_within_it() -> None:
    privacy = read_study(text(budget="epsilon = 1, delta = 1e-6")).privacy
    assert privacy is not None
    nano_rho = int(privacy.budgets[0].rho * NANO)
    assert epsilon_of(nano_rho, Fraction(1, 10**6)) <= NANO
    assert epsilon_of(nano_rho + 1, Fraction(1, 10**6)) > NANO


# Plans


def test_the_noise_follows_from_the_study_and_the_members() -> None:
    assert planned().protocol == JOINT_NOISE
    assert planned(more='noise = "in shares"').protocol == NOISE_IN_SHARES
    assert planned(budget="rho = 0.5").protocol == JOINT_NOISE
    assert planned(budget="rho = 0.5", more='noise = "in shares"').protocol == NOISE_IN_SHARES
    two = plan_of(read_study(text()), group_of("north", "south"))
    assert (two.protocol, two.t, two.accept) == (NOISE_IN_SHARES, 1, ())
    five = plan_of(read_study(text(more='noise = "in shares"')), group_of("a", "b", "c", "d", "e"))
    assert five.t == 2


@pytest.mark.parametrize(
    "wrong", [{"privacy": "none"}, {"t": 2}, {"protocol": "additive sum"}, {"protocol": "x"}]
)
def test_a_plan_that_says_other_noise_than_its_study_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(Refused):
        check(replace(planned(), **wrong), TRIO)  # type: ignore[arg-type]


def test_what_cannot_be_noised_is_refused_with_what_to_do() -> None:
    study = text().replace("integer -3..5", "integer 4..4")
    with pytest.raises(Refused, match="under privacy"):
        plan_of(read_study(study))
    wide = text(more='noise = "in shares"').replace("integer -3..5", "integer 0..900000")
    with pytest.raises(Refused, match="too wide for shares"):
        plan_of(read_study(wide.replace("age > -2", "age > 2")))
    many = text().replace("max_rows = 20", "max_rows = 10_000_000_000")
    with pytest.raises(Refused, match="61 bits"):
        plan_of(read_study(many.replace("integer -3..5", "integer 0..900000000")))


def test_releases_share_their_budgets_and_add_up() -> None:
    plan = planned(budget="epsilon = 1.0")
    spent = dict.fromkeys(("all", "by"), Fraction(0))
    for vector in plan.vectors:
        assert isinstance(vector.mechanism, Laplace)
        spent[vector.release] += vector.mechanism.epsilon
    assert spent == {"all": 1, "by": 2}
    charge = charge_of(plan.study, 3)
    assert charge.nano_epsilon is not None
    assert 3 * NANO <= charge.nano_epsilon < 3 * NANO + len(plan.vectors)
    gaussian = planned(budget="rho = 0.5").vectors[0].mechanism
    assert isinstance(gaussian, Gaussian)
    assert charge_of(planned(budget="rho = 0.5").study, 3).nano_epsilon is None


def test_gaussian_noise_that_three_draw_is_near_its_law_and_charged_so() -> None:
    charge = charge_of(planned(budget="rho = 0.5").study, 3)
    assert 0 < charge.atto_distance < 1000


def test_the_disclosure_names_noise_unit_bounds_and_cost() -> None:
    said = "\n".join(disclose(planned(rows=2)).lines())
    for words in (
        "all costs epsilon 1",
        "protects one patient per member, with at most 2 rows; neighbours: add or remove",
        "age is integer -3..5 years by protocol, section 3",
        "all: rows with Laplace noise of scale 12; a patient moves it by 2",
        "all together: epsilon 3",
        "none knows it",
        "a patient with more rows than 2",
    ):
        assert words in said


# Sensitivities, against every patient

VALUES = [
    (age, bmi, sex)
    for age, bmi, sex in product(
        ["-3", "5", "1", "-999", "1e400", "old", ""], ["0.5", "3", "1.77"], ["F", "M", "X"]
    )
]
OTHERS = [("0", "1", "F"), ("2", "2.5", "M")]


def numbers(plan: Plan, folder: Path, patients: list[list[tuple[str, str, str]]]) -> list[int]:
    """Return what a member adds up of these patients' rows, without noise."""
    rows = [f"{i},{age},{bmi},{sex}" for i, own in enumerate(patients) for age, bmi, sex in own]
    path = folder / "people.csv"
    path.write_text("\n".join(["id,age,bmi,sex", *rows]) + "\n")
    return list(noiseless(open_source(path), plan))


def moved(plan: Plan, one: list[int], other: list[int]) -> Iterator[int]:
    """Yield by how much each vector differs, all its entries together."""
    at = 0
    for vector in plan.vectors:
        here = slice(at, at + vector.size)
        yield sum(abs(a - b) for a, b in zip(one[here], other[here], strict=True))
        at += vector.size


@pytest.fixture(scope="module")
def added_up(tmp_path_factory: pytest.TempPathFactory) -> list[list[int]]:
    """Return what a member without this patient adds up, and then with each one patient more."""
    folder, plan, others = tmp_path_factory.mktemp("rows"), planned(), [[row] for row in OTHERS]
    return [
        numbers(plan, folder, others),
        *(numbers(plan, folder, [*others, [row]]) for row in VALUES),
    ]


def neighbouring(neighbours: str, added_up: list[list[int]]) -> list[tuple[list[int], list[int]]]:
    without, *found = added_up
    return (
        [(without, one) for one in found]
        if neighbours == "add or remove"
        else list(combinations(found, 2))
    )


@pytest.mark.parametrize("neighbours", ["add or remove", "replace"])
def test_no_patient_moves_a_vector_further_than_its_noise_assumes(
    neighbours: str, added_up: list[list[int]]
) -> None:
    plan, pairs = planned(neighbours=neighbours), neighbouring(neighbours, added_up)
    furthest = [max(column) for column in zip(*(moved(plan, *p) for p in pairs), strict=True)]
    for vector, reached in zip(plan.vectors, furthest, strict=True):
        allowed = 0
        if vector.mechanism is not None:
            assert isinstance(vector.mechanism, Laplace)
            allowed = vector.mechanism.sensitivity
        assert reached <= allowed, vector
        assert neighbours == "replace" or reached == allowed or vector.kind == "sum", vector


@pytest.mark.parametrize("neighbours", ["add or remove", "replace"])
def test_no_patient_moves_a_vector_further_than_gaussian_noise_assumes(
    neighbours: str, added_up: list[list[int]]
) -> None:
    """In Euclidean length, times the factor by which the vector is multiplied before its noise."""
    plan = plan_of(read_study(text(neighbours=neighbours).replace("epsilon = ", "rho = ")))
    pairs = neighbouring(neighbours, added_up)
    at = 0
    for vector in plan.vectors:
        here = slice(at, at + vector.size)
        furthest = vector.factor**2 * max(
            sum((a - b) ** 2 for a, b in zip(one[here], other[here], strict=True))
            for one, other in pairs
        )
        at += vector.size
        if vector.mechanism is None:
            assert furthest == 0
            continue
        assert isinstance(vector.mechanism, Gaussian)
        allowed = vector.mechanism.squared_sensitivity
        assert furthest <= allowed, vector
        assert furthest == allowed or vector.kind != "rows", vector


def test_numbers_are_multiplied_before_gaussian_noise(
    added_up: list[list[int]], tmp_path: Path
) -> None:
    plan = plan_of(read_study(text().replace("epsilon = ", "rho = ")))
    factors = [vector.factor for vector in plan.vectors for _ in range(vector.size)]
    assert min(factors) > 1
    found = numbers(plan, tmp_path, [[row] for row in OTHERS])
    assert found == [a * b for a, b in zip(factors, added_up[0], strict=True)]


def test_only_so_many_rows_of_a_patient_count(tmp_path: Path) -> None:
    plan = planned(rows=2, more='patient = "id"')
    few = numbers(plan, tmp_path, [[VALUES[0]] * 2, [OTHERS[0]]])
    many = numbers(plan, tmp_path, [[VALUES[0]] * 9, [OTHERS[0]]])
    assert few == many


def test_control_without_that_column_a_patient_of_many_rows_moves_more(tmp_path: Path) -> None:
    plan = planned(rows=2)
    few = numbers(plan, tmp_path, [[VALUES[0]] * 2, [OTHERS[0]]])
    many = numbers(plan, tmp_path, [[VALUES[0]] * 9, [OTHERS[0]]])
    rows = plan.vectors[0].mechanism
    assert isinstance(rows, Laplace)
    assert next(moved(plan, few, many)) > rows.sensitivity


def test_more_rows_than_the_study_allows_are_cut_off_and_not_refused(tmp_path: Path) -> None:
    plan = planned()
    found = numbers(plan, tmp_path, [[row] for row in [("5", "3", "F")] * 30])
    at = 0
    for vector in plan.vectors:
        assert max(map(abs, found[at : at + vector.size])) <= 20 * vector.largest
        at += vector.size
    assert found[0] == 20
