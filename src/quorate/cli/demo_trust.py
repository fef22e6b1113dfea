"""`quorate demo trust`: three hospitals' average age under each model of trust, side by side.

Three real nodes run one bundle: a trusted server, which is one of them, the secure sum of all, and
an enclave, which is SIMULATED, each exactly and with noise; and noise on every record. One approval
of each member covers all. The patients are made up, and their owners sign that they are.
"""

import time
from pathlib import Path

from quorate.cli import compared, stage
from quorate.cli.demo import HOSPITALS
from quorate.cli.enclave import prepared
from quorate.cli.options import open_home, read_file
from quorate.cli.output import grouped, say
from quorate.dp.accounting import NANO
from quorate.errors import VerificationFailed
from quorate.node.budgets.client import BudgetClient
from quorate.node.budgets.views import BudgetBody
from quorate.node.client import Client

EPSILON = 4
ENCLAVES = """
[arms.enclave]
trust = "enclave"

[arms.enclave_noised]
trust = "enclave"
privacy = { bounds = "nobody is older", epsilon = 1.0 }
"""


def trust(keep: stage.Keep = None) -> None:
    """Let three hospitals learn an average age under each model of trust, and compare them."""
    began = time.monotonic()
    with stage.workplace(keep) as folder:
        stage.step("three hospitals, with patients that are made up, as their owners sign")
        stage.members(folder, "hospitals", HOSPITALS)
        with stage.running(folder, HOSPITALS) as clients:
            for name, client in clients.items():
                stage.typed(f"data add patients {name}.csv --class synthetic --node {name}")
                client.add_table("patients", stage.examples() / "data" / f"{name}.csv", "synthetic")
                stage.typed(f"budget set patients --epsilon {EPSILON} --node {name}")
                body = BudgetBody(nano_epsilon=EPSILON * NANO, period="first")
                BudgetClient(client).set("patients", body)
            arms = _compare(clients, _with_enclave(folder))
        stage.step("one study, under each model of trust")
        say(*(f"  {line}" for line in compared.lines(arms)))
        _check(arms)
    say("", f"done in {time.monotonic() - began:.1f} s; the three nodes are stopped")


def _with_enclave(folder: Path) -> str:
    """Return the bundle with two more arms: an enclave at north, which is SIMULATED."""
    text = read_file(stage.examples() / "compare-age.toml")
    return prepared(f"{text}\n{ENCLAVES}", open_home(folder / "north"))


def _compare(clients: dict[str, Client], text: str) -> tuple[compared.Arm, ...]:
    """Propose the bundle, let all approve it once, and run it."""
    stage.step("one bundle names every arm, and each member approves it once")
    north = clients["north"]
    stage.typed("study compare compare-age.toml --node north")
    proposed = north.propose(text)
    say(f"  bundle   {grouped(proposed.bundle_digest)}")
    for digest in proposed.bundle:
        say(f"  {north.study(digest).title}")
    for name in HOSPITALS[1:]:
        stage.typed(f"study approve {proposed.id} --node {name}")
        clients[name].approve(proposed.id)
    say(f"  data     {', '.join(north.study(proposed.id).data)}")
    stage.step("the runs")
    stage.typed(f"study compare {proposed.id} --node north")
    return compared.run_all(north, proposed.id, quiet=False)


def _check(arms: tuple[compared.Arm, ...]) -> None:
    """Hold the exact arms against each other. Raises `VerificationFailed` where they differ."""
    exact = [arm for arm in arms if not arm.is_noised]
    if len({arm.values for arm in exact}) != 1:
        raise VerificationFailed("two exact arms have different results")
    say(f"  {len(exact)} exact arms agree to the last digit")
