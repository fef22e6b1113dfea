"""From noisy totals to results: as from exact ones where there is no noise, and always in form."""

from dataclasses import replace
from pathlib import Path

import pytest

from quorate.errors import MalformedStudy
from quorate.studies import planning
from quorate.studies.noised import vectors_of
from quorate.studies.noisy_results import is_possible_noisy
from quorate.studies.results import slots
from quorate.studies.study import read_study
from tests.studies.test_privacy import numbers, planned, text
from tests.studies.trio import plan_of


def test_results_are_those_of_exact_totals_where_there_is_no_noise(tmp_path: Path) -> None:
    """Six rows whose statistics are known, taken as if noise were 0."""
    plan = planned()
    rows = [("-3", "0.5", "F"), ("5", "3", "F"), ("1", "2", "M"), ("1", "1.5", "M")]
    results = plan.results(tuple(numbers(plan, tmp_path, [[row] for row in rows])))
    found = {result.label: result.exact for result in results}
    assert (found["n"], found["a"], found["v"], found["s"]) == ("4", "1", "8", "7")
    assert (found["n, sex = F"], found["s, sex = F"], found["s, sex = M"]) == ("1", "5", "2")
    assert found["d, sex = M"] == "sqrt(0)"
    assert found["h, sex = M, 1 <= bmi < 2"] == "1"
    assert (found["p, sex = F"], found["p, sex = M"]) == ("5", "2")


@pytest.mark.parametrize("numbers_", [-(10**6), 0, 7, 10**6])
def test_whatever_the_noise_results_are_in_the_form_a_certificate_allows(numbers_: int) -> None:
    plan = planned(min_cell=3)
    results = plan.results((numbers_,) * plan.numbers)
    for slot, result in zip(slots(plan.study), results, strict=True):
        assert is_possible_noisy(plan.study, slot, result), result
    withheld = {result.value == "withheld" for result in results if result.name == "n"}
    assert withheld == {numbers_ < 3}


def test_a_mean_beyond_its_bounds_is_no_result() -> None:
    plan = planned()
    results = plan.results((7,) * plan.numbers)
    for slot, result in zip(slots(plan.study), results, strict=True):
        if slot.output.statistic == "avg":
            wrong = replace(result, exact="6", value="6")
            assert not is_possible_noisy(plan.study, slot, wrong)


def test_the_number_of_all_rows_is_public_where_patients_are_replaced() -> None:
    first, *rest = vectors_of(read_study(text(neighbours="replace")))
    assert first.mechanism is None
    assert all(vector.mechanism is not None for vector in rest)
    assert vectors_of(read_study(text(neighbours="replace", rows=2)))[0].mechanism is not None


@pytest.mark.parametrize("percent", ["0", "100", "050", "5.5", "'50'", "age"])
def test_a_percentile_has_a_percent(percent: str) -> None:
    with pytest.raises(MalformedStudy):
        read_study(text().replace("percentile(age, 50,", f"percentile(age, {percent},"))


def test_a_percentile_without_noise_is_refused() -> None:
    exact = """
title = "t"
purpose = "p"
max_rows = 20
[tables.people]
age = "integer -3..5 years"
[releases]
p = "select percentile(age, 50, -3, 0, 5) as median from people"
"""
    with pytest.raises(MalformedStudy, match="noisy counts"):
        read_study(exact)


def test_a_percentile_is_the_edge_up_to_which_there_are_so_many_rows() -> None:
    study = text().replace("percentile(age, 50,", "percentile(age, 90,")
    plan = plan_of(read_study(study))
    rows = {"p": 0}
    for vector in plan.vectors:
        if vector.cells.axes and vector.cells.axes[-1].column == "age":
            rows["at"] = rows["p"]
        rows["p"] += vector.size
    numbers_ = [0] * plan.numbers
    numbers_[rows["at"] : rows["at"] + 6] = [80, 10, 10, 50, -40, 0]
    found = [r.exact for r in plan.results(tuple(numbers_)) if r.name == "p"]
    assert found == ["2", "0"]


def test_formats_are_those_of_this_version() -> None:
    assert "noise 2" in planning.SOFTWARE
