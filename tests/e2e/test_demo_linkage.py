"""`quorate demo linkage`: what three hospitals release is the plain way's, and a lie is noticed."""

import re
from pathlib import Path

import pytest

from quorate.cli.demo_linkage import HOSPITALS, beside
from quorate.cli.made_up_persons import write_persons
from quorate.errors import VerificationFailed
from quorate.node.views import ResultView
from tests.e2e.nodes import quorate


@pytest.mark.slow
def test_the_demo_counts_each_patient_once(short: Path) -> None:
    said = quorate("demo", "linkage", "--persons", "300", "--keep", "kept", cwd=short)
    assert said.returncode == 0, said.stderr
    _, truth = write_persons(short, HOSPITALS, 300)
    for shown in (
        rf"region persons +{len(truth.persons)} persons",
        rf"region events +{len(truth.events)} persons",
        r"region rate +[0-9.]+ per 1000 persons",
        r"each is the plain one",
        r"signed +north, south, west: 3 of 3 signatures verify",
    ):
        assert re.search(shown, said.stdout), shown
    assert "1935-" not in (short / "kept" / "release.json").read_text()


def results_of(persons: int, duplicates: int, events: int, rate: float) -> list[ResultView]:
    found = {"persons": persons, "duplicates": duplicates, "events": events, "rate": rate}
    return [
        ResultView(name=f"region {name}", formula="", value=str(value), exact="", unit="")
        for name, value in found.items()
    ]


def test_a_number_that_is_not_the_plain_one_is_noticed(tmp_path: Path) -> None:
    _, truth = write_persons(tmp_path, HOSPITALS, 60)
    persons, events = len(truth.persons), len(truth.events)
    right = (persons, truth.counted - persons, events)
    beside(results_of(*right, rate=1000 * events / persons), truth)
    for wrong in ((persons, 0, events), (persons + 1, *right[1:]), (*right[:2], events - 1)):
        with pytest.raises(VerificationFailed, match="by the plain way"):
            beside(results_of(*wrong, rate=1000 * events / persons), truth)
    with pytest.raises(VerificationFailed, match="the rate is"):
        beside(results_of(*right, rate=1.0), truth)
