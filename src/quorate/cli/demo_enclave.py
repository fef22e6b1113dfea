"""`quorate demo enclave`: three hospitals' average age, computed in a SIMULATED enclave.

Three real nodes, and a process of its own on north's machine. Each member's node measures its own
build of the program before it approves, and refuses one that differs by a byte. Whoever has the
release can check in which program it was made. The patients are made up, as real ones are refused.
"""

import shutil
import time
from pathlib import Path

import quorate
from quorate.cli import stage, verify
from quorate.cli.demo import HOSPITALS
from quorate.cli.enclave import prepared
from quorate.cli.options import open_home, read_file, utc_now
from quorate.cli.output import say
from quorate.enclave.measure import measure
from quorate.errors import Refused, VerificationFailed
from quorate.node.client import Client
from quorate.node.program import code_of
from quorate.studies.attested import measured_with
from quorate.studies.group import Group
from quorate.studies.study import read_study


def enclave(keep: stage.Keep = None) -> None:
    """Let three hospitals learn an average age through an enclave, which is SIMULATED."""
    began = time.monotonic()
    with stage.workplace(keep) as folder:
        stage.step("three hospitals, with patients that are made up, as their owners sign")
        roster = stage.members(folder, "hospitals", HOSPITALS)
        stage.typed("enclave prepare average-age.toml --node north")
        text = prepared(
            read_file(stage.examples() / "average-age.toml"), open_home(folder / "north")
        )
        with stage.running(folder, HOSPITALS) as clients:
            for name, client in clients.items():
                stage.typed(f"data add patients {name}.csv --class synthetic --node {name}")
                client.add_table("patients", stage.examples() / "data" / f"{name}.csv", "synthetic")
            stage.step("a program that differs by a byte is refused, before any row leaves")
            _refused(clients["south"], text, folder / "other", roster)
            stage.step("the program that every member builds itself is approved by all, and runs")
            proposed = stage.approved(clients, "age-enclave.toml", text)
            stage.released(clients, proposed.id)
            release = clients["west"].release(proposed.id)
        stage.step("where the result was made, checked by anybody, offline")
        stage.typed("verify release.json --group hospitals.json")
        report = verify.report_on(release, roster, utc_now())
        say(*(f"  {line}" for line in verify.lines_of(report)))
        if not report.origin:
            raise VerificationFailed("the release does not say where it was made")
    say("", f"done in {time.monotonic() - began:.1f} s; the nodes and the enclave are stopped")


def _refused(client: Client, text: str, package: Path, roster: Group) -> None:
    """Propose a program that is one byte longer. Raises `VerificationFailed` if it is accepted."""
    study = read_study(text)
    measured = study.enclosed.measurement
    shutil.copytree(Path(quorate.__file__).parent, package)
    with (package / "studies" / "plain.py").open("ab") as file:
        file.write(b"\n")
    other = measure(measured_with(code_of(package), study, roster))
    stage.typed("study propose other.toml --node south")
    try:
        client.propose(text.replace(measured.hex(), other.hex()))
    except Refused as refusal:
        say(f"  south refuses: {refusal}")
        return
    raise VerificationFailed("a program that differs was approved")
