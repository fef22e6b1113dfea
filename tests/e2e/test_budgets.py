"""Budgets by the commands a person types: set, spent by a study, shown, and refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from quorate.cli.main import main
from tests.e2e.nodes import Nodes, quorate

STUDY = """
title = "{title}"
purpose = "a test"
max_rows = 1000
min_cell = 1
[privacy]
bounds = "the tests"
[tables.patients]
age = "integer 0..120 years"
[releases.age]
sql = "select avg(age) as mean_age from patients"
privacy = {{ epsilon = 0.75 }}
"""


def said(nodes: Nodes, *arguments: str | Path) -> Any:
    """Return what a command of north's says as JSON, on whichever side it says it."""
    answer = quorate(*arguments, "--format", "json", node=nodes.homes["north"].folder)
    return json.loads(answer.stdout if answer.returncode == 0 else answer.stderr)


def test_a_budget_from_its_setting_to_its_end(nodes: Nodes) -> None:
    file, north = nodes.folder / "noisy.toml", nodes.homes["north"].folder
    file.write_text(STUDY.format(title="first"))
    assert said(nodes, "budget", "show") == []
    refused = said(nodes, "study", "propose", file)
    assert (refused["kind"], refused["hint"]) == (
        "Refused",
        "quorate budget set patients --epsilon 4",
    )
    for home in nodes.homes.values():
        answer = quorate("budget", "set", "patients", "--epsilon", "1", node=home.folder)
        assert "1 of 1 left" in answer.stdout, answer.stderr
    id_ = nodes.approved(file.read_text())
    nodes.run(id_)
    nodes.released(id_)
    (shown,) = said(nodes, "budget", "show")
    assert (shown["nano_epsilon_left"], shown["nano_epsilon_spent"]) == (25 * 10**7, 75 * 10**7)
    steps = said(nodes, "budget", "history", "patients")
    assert [step["state"] for step in steps] == ["reserved", "opened", "released"]
    assert "Laplace noise of scale" in steps[0]["mechanism"]
    text = quorate("budget", "history", "patients", node=north).stdout
    assert "released" in text
    assert "epsilon 0.75" in text
    file.write_text(STUDY.format(title="second"))
    refused = said(nodes, "study", "propose", file)
    assert refused["error"] == "this costs epsilon 0.75; 0.75 of 1 is spent, 0.25 is left"
    assert refused["exit_code"] == 5
    told = nodes.told("north")
    for event in ("budget set", "budget reserved", "budget opened", "budget released"):
        assert f"{event}: patients" in told


def test_what_is_no_budget_is_refused(nodes: Nodes) -> None:
    assert said(nodes, "budget", "set", "births", "--epsilon", "1")["kind"] == "NotFound"
    assert said(nodes, "budget", "set", "patients")["kind"] == "Refused"
    assert said(nodes, "budget", "show", "births")["kind"] == "NotFound"


@pytest.mark.parametrize("amount", ["much", "nan", "-1", "0.0000000001", "1e30"])
def test_an_amount_is_a_decimal(amount: str) -> None:
    assert main(["budget", "set", "patients", f"--epsilon={amount}"]) == 2
