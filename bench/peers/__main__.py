"""Install the peers into environments of their own, run them and the engine, keep the results."""

import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from bench.engine import workloads
from bench.engine.timing import time_workloads
from bench.engine.workloads import Workload
from bench.noise import Watch
from bench.peers import results
from bench.peers.processes import Times, understood
from bench.peers.results import Missing, Peer, Results, Row
from bench.peers.section import peer_table

PROJECT = Path(__file__).parent.parent.parent
PEERS = {"spu": "SPU", "mpyc": "MPyC"}
TIMEOUT_S = 1_800
ENVIRONMENTS = PROJECT / "build" / "peers"
OURS: dict[str, Callable[[int], Workload]] = {
    "products": workloads.products,
    "comparisons": workloads.comparisons,
    "equalities": workloads.equalities,
    "fixed-point products": workloads.fixed_products,
    "matrix product": workloads.matrices,
    "logistic regression": lambda _: workloads.logistic_regression(),
    "products in turn": lambda _: workloads.products_in_turn(),
}


def main() -> None:
    peers, missing = [], []
    for folder, name in PEERS.items():
        try:
            peers.append(_peer(folder, name))
        except subprocess.SubprocessError as e:
            missing.append(Missing(name, _reason(e)))
            print(f"bench: error: {name} is not measured: {missing[-1].reason}", file=sys.stderr)
    machine = f"{os.cpu_count()} cores of {_processor()}, Python {platform.python_version()}"
    today = datetime.now(UTC).date().isoformat()  # noqa: TID251 - the edge
    results.write(Results(today, machine, tuple(peers), tuple(missing)))
    for peer in peers:
        print(f"\nothers used {peer.others:.0%} of the cores\n\n{peer_table(peer)}")
    if missing:
        sys.exit(1)


def _peer(folder: str, name: str) -> Peer:
    """Run a peer, then the engine at the same work. Raises `SubprocessError`."""
    python, watch = _installed(folder), Watch()
    told = understood(_run(python, "-m", f"bench.peers.{folder}_parties"))
    rows = tuple(map(_row, told.times))
    return Peer(name, told.version, rows, watch.others())


def _installed(folder: str) -> Path:
    """Return the Python of a peer's environment, which is made if it is not there."""
    environment, pins = ENVIRONMENTS / folder, Path(__file__).parent / f"{folder}.txt"
    python, mark = environment / "bin" / "python", environment / "installed"
    if not mark.exists() or mark.read_text() != pins.read_text():
        print(f"installing {folder} into {environment.relative_to(PROJECT)} (once)")
        _run(Path(sys.executable), "-m", "venv", "--clear", str(environment))
        _run(python, "-m", "pip", "--quiet", "install", "--requirement", str(pins))
        mark.write_text(pins.read_text())
    return python


def _run(python: Path, *arguments: str) -> str:
    done = subprocess.run(
        [python, *arguments], cwd=PROJECT, check=True, capture_output=True, text=True,
        timeout=TIMEOUT_S,
    )  # fmt: skip
    return done.stdout


def _reason(error: subprocess.SubprocessError) -> str:
    """Return the last line that a peer or its installation has written."""
    if isinstance(error, subprocess.CalledProcessError) and error.stderr:
        return str(error.stderr).strip().splitlines()[-1]
    return str(error)


def _row(times: Times) -> Row:
    slowest = [max(seconds) for seconds in zip(*times.seconds, strict=True)]
    (ours,) = time_workloads([OURS[times.work](times.size)], encrypted=False)
    warm_s = statistics.median(slowest[1:])
    cpu_s = statistics.median(list(map(sum, zip(*times.cpu_s, strict=True)))[1:])
    return Row(
        times.work, times.size, slowest[0], warm_s, cpu_s, ours.warm_s, ours.cpu_s, times.remark
    )


def _processor() -> str:
    """Return the processor's name, where the system tells it."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text().splitlines() if told.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


if __name__ == "__main__":
    main()
