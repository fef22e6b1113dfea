"""The page's part on a study of 10,000 noisy cells among three real nodes, by all that they do."""

import io
import tempfile
import time
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from bench.markdown import table
from quorate.cli import stage
from quorate.dp.accounting import NANO
from quorate.node.budgets.client import BudgetClient
from quorate.node.budgets.views import BudgetBody
from quorate.node.client import Client

NAMES = ("north", "south", "west")
SIDE = 100
RUNS = 3
MOST_OFF = 200
"""Of a count with noise of scale 1: P(more) < e^-200."""

TEXT = """\
## A study of 10,000 noisy cells

Three nodes as processes, as `quorate node start` starts them, with 30,000 rows each; a count for
each of 100 × 100 groups, all with joint noise. *Noise and reveal* is from the stage in which the
noise is drawn to the noisy numbers, verified. *Run* is all from the start of the session to the
release, of which reading the rows is before it. *Request* is what a person waits for after
`quorate study run`. The first study is the nodes' first since they were started.
"""

STUDY = """
title = "{title}"
purpose = "Benchmark"
max_rows = 100_000
min_cell = 1
[privacy]
bounds = "none: rows are counted"
noise = "jointly"
[tables.patients]
ward = "category {values}"
unit = "category {values}"
[releases.cells]
sql = "select ward, unit, count(*) as n from patients group by ward, unit"
privacy = {{ {budget} }}
"""
BUDGETS = {"Laplace, epsilon 1": "epsilon = 1", "Gaussian, rho 0.5": "rho = 0.5"}


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds of one study: its noise and reveal, its run, and all that was waited for."""

    name: str
    noise_s: float
    run_s: float
    request_s: float


def section() -> str:
    """Return the page's part."""
    body = [
        (one.name, *(f"{s:.2f} s" for s in (one.noise_s, one.run_s, one.request_s)))
        for one in measure(RUNS)
    ]
    return "\n".join([TEXT, table(["study", "noise and reveal", "run", "request"], body)])


def measure(runs: int, side: int = SIDE) -> list[Measured]:
    """Run so many studies with each noise; each cell has to be right but for its noise."""
    with tempfile.TemporaryDirectory(prefix="q-") as name, redirect_stdout(io.StringIO()):
        folder = Path(name)
        stage.members(folder, "hospitals", NAMES)
        with stage.running(folder, NAMES) as clients:
            for member, client in clients.items():
                _give_rows(client, folder / f"{member}.csv", side)
            return [
                _timed(clients, f"{noise}, run {run}", budget, side)
                for noise, budget in BUDGETS.items()
                for run in range(1, runs + 1)
            ]


def _give_rows(client: Client, file: Path, side: int) -> None:
    """Add three rows of each group, and let more than enough be spent."""
    rows = [f"w{ward},w{unit}" for ward in range(side) for unit in range(side)]
    file.write_text("\n".join(["ward,unit", *rows * 3]) + "\n")
    client.add_table("patients", file)
    BudgetClient(client).set("patients", BudgetBody(nano_rho=100 * NANO, period="first"))


def _timed(clients: Mapping[str, Client], name: str, budget: str, side: int) -> Measured:
    values = " ".join(f"w{i}" for i in range(side))
    north = clients[NAMES[0]]
    proposed = north.propose(STUDY.format(title=name, values=values, budget=budget))
    for other in NAMES[1:]:
        clients[other].approve(proposed.id)
    began, at, released = time.perf_counter(), dict[str, float](), None
    for event in north.run(proposed.id):
        at.setdefault(event.stage, time.perf_counter())
        released = event.study or released
    ended = time.perf_counter()
    assert released is not None, "the run has no end"
    assert released.cost is not None, "the run has no cost"
    numbers = [int(result.exact) for result in released.results]
    assert len(numbers) == side**2, "a cell is missing"
    assert max(abs(number - 3 * len(NAMES)) for number in numbers) < MOST_OFF, "a cell is wrong"
    assert len(set(numbers)) > 1, "a cell has no noise"
    return Measured(name, at["signatures"] - at["noise"], released.cost.seconds, ended - began)
