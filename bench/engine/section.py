"""The page's part on the secure engine."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.engine import growth, plot, regression, workloads
from bench.engine.bars import (
    COMPARISONS,
    FIXED_PRODUCTS,
    IN_TURN,
    MATRICES,
    PRODUCTS,
    REGRESSION,
    Bar,
)
from bench.engine.growth import Growth
from bench.engine.timing import Spent, numpy_s, time_workloads
from bench.engine.workloads import Workload
from bench.inputs import EPOCHS, MANY, SIDE, patients
from bench.markdown import table
from bench.trio import run_three

PICTURE = "benchmarks-growth.svg"

TEXT = """\
## The secure engine

Three parties, each a process of its own, on loopback; one of them may be curious. *TLS* is the
links of nodes, *sockets* the same frames without encryption. *Cold* is the first time in new
processes, over TLS. *Processors* are the seconds of all three parties together over TLS, which
others on the machine change less. Bytes are those that parties 0, 1 and 2 send; they and the
rounds are what the engine declares beforehand, or this page is not written. *Ratio* is TLS to
NumPy in the clear, in one process. The three share the machine's cores, each with one thread for
matrices; NumPy alone has all of them. *Products in turn* are of one number each: what is
measured is a round.
"""

BARS = """\
### Against the bars

Bars are for two quiet cores. *Elsewhere* was measured on a machine of this kind when it was
quiet, every program with its fastest options and without TLS where it is not named: MP-SPDZ's
replicated ring of 64 bits, SPU's ABY3, ORQ among three parties. *Bytes* are each number's, of
the party that sends most. Whatever others used of the machine, see the top of this page, counts
against the engine here.
"""

MODEL = """\
The regression takes {epochs} epochs over {rows} patients in batches, the model secret until the
end. Of the patients {found} are on the right side of the secret model, {plain} of the plain one;
their weights differ by at most {off:.4f}.
"""

GROWTH = """\
### Growth

Seconds over TLS, medians of five, all of one size in the same three processes. Below about
10,000 words rounds are all that counts, above 100,000 bytes are. A matrix product has as many
entries as words are said; its work grows with their 1.5th power, and 10,000,000 are left out: by
that law they would take half a minute. At 10,000,000 words a party's process held {peak:.1f} GB
at most.
"""


@dataclass(frozen=True, slots=True)
class Measured:
    load: Workload
    bar: Bar | None
    tls: Spent
    sockets: Spent
    numpy_s: float


def measure() -> list[Measured]:
    """Time each workload that has a bar in processes of its own."""
    return [
        Measured(
            load,
            bar,
            time_workloads([load], encrypted=True)[0],
            time_workloads([load], encrypted=False)[0],
            numpy_s(load),
        )
        for load, bar in _work()
    ]


def section(folder: Path | None) -> str:
    """Run everything; return Markdown, and draw the picture into `folder`."""
    measured, grown = measure(), growth.measure()
    if folder is not None:
        plot.draw(grown, folder / PICTURE)
    parts = [TEXT, _seconds(measured), BARS, _bars(measured), _profiles(measured), _model()]
    picture = f"![Seconds, bytes and rounds against the number of words]({PICTURE})\n"
    parts += [GROWTH.format(peak=grown.peak_bytes / 1e9), picture, _grown(grown)]
    return "\n".join(parts)


def _work() -> list[tuple[Workload, Bar | None]]:
    return [
        (workloads.products(MANY), PRODUCTS),
        (workloads.comparisons(MANY), COMPARISONS),
        (workloads.equalities(MANY), None),
        (workloads.fixed_products(MANY), FIXED_PRODUCTS),
        (workloads.matrices(SIDE * SIDE), MATRICES),
        (workloads.logistic_regression(), REGRESSION),
        (workloads.products_in_turn(), IN_TURN),
    ]


def _seconds(measured: Iterable[Measured]) -> str:
    head = ["work", "rounds", "bytes", "TLS", "sockets", "cold", "processors", "NumPy", "ratio"]
    body = [
        (
            one.load.name,
            f"{one.load.cost.rounds:,}",
            " · ".join(f"{sent:,}" for sent in one.load.cost.bytes_sent),
            f"{one.tls.warm_s:.3f} s",
            f"{one.sockets.warm_s:.3f} s",
            f"{one.tls.cold_s:.3f} s",
            f"{one.tls.cpu_s:.3f} s",
            f"{one.numpy_s:.4f} s",
            f"{one.tls.warm_s / one.numpy_s:.0f}",
        )
        for one in measured
    ]
    return table(head, body)


def _bars(measured: Iterable[Measured]) -> str:
    head = ["work", "elsewhere", "sockets", "bar", "TLS", "bar", "bytes", "bar"]
    return table(head, [_bar(one, one.bar) for one in measured if one.bar])


def _bar(one: Measured, bar: Bar) -> tuple[str, ...]:
    size = max(int(np.prod(one.load.inputs()[0].shape)), 1)
    sent = max(one.load.cost.bytes_sent) / size
    limit = bar.bytes_each
    assert limit is None or sent <= limit, f"{one.load.name} sends {sent} bytes each"
    return (
        one.load.name,
        bar.elsewhere,
        _against(one.sockets.warm_s, bar.sockets_s),
        f"{bar.sockets_s:g} s",
        _against(one.tls.warm_s, bar.tls_s),
        f"{bar.tls_s:g} s",
        f"{sent:g}" if limit else "",
        f"{limit:g}" if limit else "",
    )


def _against(seconds: float, bar_s: float) -> str:
    return f"{seconds:.3f} s" if seconds <= bar_s else f"**missed:** {seconds:.3f} s"


def _profiles(measured: Iterable[Measured]) -> str:
    lines = [f"* {one.load.name}: {one.bar.profile}." for one in measured if one.bar]
    return "\n".join(["Where the time goes, by profiles of one party over TLS:", "", *lines, ""])


def _model() -> str:
    found, *same = run_three(regression.model, encrypted=True)
    assert all(np.array_equal(found, other) for other in same), "three parties, several models"
    plain = regression.plain(*regression.words())
    counts = regression.right_of(found), regression.right_of(plain)
    off = np.abs(found - plain).max() / regression.UNIT
    assert abs(counts[0] - counts[1]) <= 1, f"the secret model is not the plain one: {counts}"
    rows = len(patients().benign)
    return MODEL.format(epochs=EPOCHS, rows=rows, found=counts[0], plain=counts[1], off=off)


def _grown(grown: Growth) -> str:
    sizes = [point.size for point in grown.curves[0].points]
    head = ["operation", *(f"{size:,}" for size in sizes), "rounds", f"bytes, {sizes[-2]:,}"]
    body = []
    for curve in grown.curves:
        by_size = {point.size: point for point in curve.points}
        seconds = [f"{by_size[s].seconds:.4f} s" if s in by_size else "" for s in sizes]
        last = by_size[sizes[-2]]
        body.append((curve.name, *seconds, f"{last.rounds}", f"{last.bytes_sent:,}"))
    return table(head, body)
