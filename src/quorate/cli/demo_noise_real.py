"""The second half of `quorate demo noise`: three real nodes release an average with real noise.

Each way of drawing it is one study. How far the noise will move the average is told before, and
held against 20,000 draws of the very noise that the study's plan has.
"""

import os
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from quorate.cli import stage, study
from quorate.cli.options import read_file, write_file
from quorate.cli.output import aligned, say
from quorate.dp import central, geometric, local
from quorate.dp.accounting import NANO
from quorate.dp.illustration import HOSPITALS
from quorate.dp.mechanisms import Laplace, Mechanism
from quorate.dp.tables import Integers
from quorate.errors import VerificationFailed
from quorate.node.budgets.client import BudgetClient
from quorate.node.budgets.views import BudgetBody
from quorate.node.client import Client
from quorate.studies.noise_plan import Assumed, Expected, expected_errors
from quorate.studies.noised import shared, vectors_of
from quorate.studies.privacy import EACH_RECORD, IN_SHARES, JOINTLY, THIRD
from quorate.studies.records import is_on_records, questions_of
from quorate.studies.study import Study, read_study

Floats = NDArray[np.float64]

NAMES = ("north", "south", "west")
WAYS = (JOINTLY, IN_SHARES, EACH_RECORD, THIRD)
DRAWS = 20_000
NEAR = 0.05
"""By how much the error of so many draws may differ from the one that was told before."""


def among_nodes(folder: Path) -> None:
    """Release the hospitals' average with noise of epsilon 1, in each way, among real nodes."""
    stage.step("now with noise of a known guarantee, among three real nodes: epsilon 1 a release")
    stage.members(folder, "hospitals", NAMES)
    text = read_file(stage.examples() / "noisy-age.toml")
    with stage.running(folder, NAMES) as clients:
        for (name, client), ages in zip(clients.items(), HOSPITALS, strict=True):
            file = folder / f"{name}.csv"
            write_file(file, "\n".join(["age", *map(str, ages)]) + "\n")
            client.add_table("patients", file)
            stage.typed(f"budget set patients --epsilon {len(WAYS)} --node {name}")
            body = BudgetBody(nano_epsilon=len(WAYS) * NANO, period="first")
            BudgetClient(client).set("patients", body)
        for way in WAYS:
            write_file(folder / _file(way), text_of(text, way))
        rows = [_row(clients, folder, way) for way in WAYS]
        left = BudgetClient(clients["north"]).show("patients").nano_epsilon_left
    head = ("drawn", "average", "give or take", f"in {DRAWS:,} draws", "with 1,000 patients")
    say("", *aligned([head, *rows], indent="  "))
    say(
        f"  in truth 67.43; with seven patients nothing useful is private. Each costs epsilon 1; "
        f"north has {0 if left is None else left / NANO:g} of {len(WAYS)} left"
    )
    need = _expected(read_study(text), 7, 0.5).rows_needed
    say(f"  half a year's nearness, in 95 of 100 runs, takes {need} patients")


def text_of(text: str, way: str) -> str:
    """Return the study with its noise drawn in another way; a third party is sent the rows."""
    if way == THIRD:
        trusting = f'trust = "third-party"\nthird_party = "{NAMES[0]}"\n'
        return trusting + text.replace(f'noise = "{JOINTLY}"\n', "")
    return text.replace(f'"{JOINTLY}"', f'"{way}"')


def _file(way: str) -> str:
    return f"{way.replace(' ', '-')}.toml"


def _row(clients: dict[str, Client], folder: Path, way: str) -> tuple[str, ...]:
    """Run one study, and hold the error that was told before against draws of its noise."""
    stage.typed(f"study propose {_file(way)} --node north")
    text, north = read_file(folder / _file(way)), clients["north"]
    proposed = north.propose(text)
    for name in NAMES[1:]:
        clients[name].approve(proposed.id)
    released = study.run_to_end(north, proposed.id)
    one = read_study(text)
    told, seen = _error(one, way, 7), _drawn_error(one, way)
    if abs(seen / told - 1) > NEAR:
        raise VerificationFailed(f"noise {way} is off by {seen:.3g}, and {told:.3g} was told")
    value = f"{float(Fraction(released.results[0].exact)):.4g} years"
    return way, value, f"{told:.3g}", f"{seen:.3g}", f"{_error(one, way, 1000):.3g}"


def _error(one: Study, way: str, rows: int) -> float:
    """Return how far the noise of one way moves the mean as a rule."""
    found = _expected(one, rows)
    by_way: dict[str, float | None] = {
        JOINTLY: found.one_place,
        IN_SHARES: found.in_shares,
        EACH_RECORD: found.each_record,
        THIRD: found.one_place,
    }
    error = by_way[way]
    if error is None:
        raise VerificationFailed(f"noise {way} has no error for this study")
    return error


def _expected(one: Study, rows: int, within: float | None = None) -> Expected:
    (found,) = expected_errors(one, Assumed(len(NAMES), rows, within), [Fraction(1)])
    return found


def _drawn_error(one: Study, way: str) -> float:
    """Return the root mean square error of the mean over many draws of a study's own noise."""
    ages = np.array([int(age) for own in HOSPITALS for age in own])
    if is_on_records(one):
        errors = _record_errors(one, ages)
    else:
        (vector,) = (v for v in vectors_of(one) if isinstance(v.mechanism, Laplace))
        errors = _drawn(vector.mechanism, way) * float(vector.step) / ages.size
    return float(np.sqrt(np.mean(errors**2)))


def _record_errors(one: Study, ages: Integers) -> Floats:
    (question,) = questions_of(one)
    if isinstance(question.mechanism, local.Response):
        raise VerificationFailed("a mean is no choice among some")
    sent = question.mechanism.perturbed(np.tile(ages, (DRAWS, 1)), os.urandom)
    sums, of_sum = np.unique(sent.sum(axis=1), return_inverse=True)
    means = [float(question.mechanism.estimated_of(int(one), ages.size)) for one in sums]
    errors: Floats = np.array(means)[of_sum] - ages.mean()
    return errors


def _drawn(mechanism: Mechanism | None, way: str) -> Integers:
    """Return draws of the noise on one total, as the members make it."""
    if not isinstance(mechanism, Laplace):
        raise VerificationFailed("the study has another noise than it says")
    if way == THIRD:
        return central.noised(np.zeros(DRAWS, np.int64), mechanism, os.urandom)
    if way == JOINTLY:
        return geometric.discrete_laplace(mechanism.scale, DRAWS, os.urandom)
    share = shared(mechanism, len(NAMES))
    drawn: Integers = np.sum([share.draw(DRAWS, os.urandom) for _ in NAMES], axis=0)
    return drawn
