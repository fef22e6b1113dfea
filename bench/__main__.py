"""Run the benchmarks and print them as Markdown; with `--write`, into docs/benchmarks.md."""

import argparse
import os
import platform
import ssl
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb
import numpy as np

from bench import anonymous, engine, members, rows, sealing, threshold
from bench.members import Measured
from bench.rows import Read
from quorate.mpc import additive

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
NUMBERS = 1_000_000
REPEATS = 5
ALLOWED_S, ALLOWED_RATIO = 1.0, 1.5
"""What a study over a member's rows may take beside DuckDB's own sums: 1.5 times, and a second."""

INTRODUCTION = """\
# Benchmarks

Written by `python -m bench --write`. Rounds and bytes are exact: each run compares what was
counted with what `additive.cost` declares. Seconds are medians of five after one to warm up, on a
machine that others may use too; the ratios to what ran beside them in the same run say more.

Machine: {cores} cores shared by all members, Python {python}, NumPy {numpy}, DuckDB {duckdb},
{openssl}.
"""

SUM = """\
## A secure sum of 1,000,000 numbers

Each member is a process of its own; all are linked with all by TLS 1.3 on loopback, and share the
machine's cores, so the seconds are those of all members' work together. Measured once the links
are up; the slowest member counts. *Plain* sends the same words the same ways over the same links,
unmasked and unconfirmed. *NumPy* adds the vectors with all of them in one place.
"""

GROWTH = """\
## Cost against members and numbers

Rounds, and bytes each member sends. Long vectors are gathered in chunks, which takes one round
more and keeps the bytes almost independent of how many members there are.
"""

ROWS = """\
## Cost against rows

The sums are computed where the rows are: three numbers leave each member, whatever the rows.
*Checked aggregate* is what a node computes of its Parquet file: the count and the exact sums of an
integer and a number, each row checked against its declared bounds. *DuckDB alone* sums the same two
columns without looking at any bound. *Study* adds the secure sum of three numbers among three
members, {three_s:.3f} s here. It is to stay within {ratio} times DuckDB's own time and a second.
"""


ENGINE = """\
## The secure engine

Three parties, each a process of its own, on loopback; one of them may be curious. *TLS* is the
links of nodes, *sockets* the same frames without encryption; *cold* is the first time, with TLS.
Bytes are those that parties 0, 1 and 2 send. *Ratio* is TLS to NumPy in the clear, in one process.
The three share the machine's cores, each with one thread for matrices; NumPy alone has all of them.
*Products in turn* are of one number each: what is measured is a round.
"""


def table(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    lines = [list(head), ["---:"] * len(head), *map(list, body)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def sums(measured: Iterable[Measured]) -> str:
    head = ["members", "rounds", "bytes a member", "seconds", "plain", "ratio", "NumPy"]
    body = [
        (
            str(one.members),
            str(one.cost.rounds),
            f"{one.cost.bytes_sent:,}",
            f"{one.secure_s:.3f}",
            f"{one.plain_s:.3f}",
            f"{one.secure_s / one.plain_s:.1f}",
            f"{one.numpy_s:.4f}",
        )
        for one in measured
    ]
    return table(head, body)


def growth() -> str:
    sizes = (3, 1_000, 100_000, 1_000_000, 10_000_000)
    head = ["members", *(f"{m:,} numbers" for m in sizes)]
    costs = {n: [additive.cost(n, m) for m in sizes] for n in (2, 3, 5, 10, 20, 50)}
    body = [
        (str(n), *(f"{c.rounds} rounds, {c.bytes_sent:,}" for c in line))
        for n, line in costs.items()
    ]
    return table(head, body)


def reads(measured: Iterable[Read], three: Measured) -> str:
    head = ["rows", "bytes a member", "checked aggregate", "DuckDB alone", "study", "allowed"]
    body = []
    for one in measured:
        study_s = one.aggregate_s + three.secure_s
        allowed_s = ALLOWED_RATIO * one.duckdb_s + ALLOWED_S
        assert study_s <= allowed_s, f"{one.rows} rows took {study_s:.2f} s of {allowed_s:.2f} s"
        seconds = (one.aggregate_s, one.duckdb_s, study_s, allowed_s)
        body.append(
            (f"{one.rows:,}", f"{three.cost.bytes_sent:,}", *(f"{s:.3f} s" for s in seconds))
        )
    return table(head, body)


def work(measured: Iterable[engine.Measured]) -> str:
    head = ["work", "rounds", "bytes", "TLS", "cold", "sockets", "NumPy", "ratio"]
    body = [
        (
            one.name,
            f"{one.cost.rounds:,}",
            " · ".join(f"{sent:,}" for sent in one.cost.bytes_sent),
            *(f"{s:.3f} s" for s in (one.tls_s, one.tls_cold_s, one.sockets_s)),
            f"{one.numpy_s:.4f} s",
            f"{one.tls_s / one.numpy_s:.0f}",
        )
        for one in measured
    ]
    return table(head, body)


def report(counts: Sequence[int], row_counts: Sequence[int]) -> str:
    """Run everything; return the page."""
    with tempfile.TemporaryDirectory(prefix="quorate-bench-") as folder:
        read = [rows.measure(count, Path(folder)) for count in row_counts]
    three = members.measure(3, len(rows.plan().inputs), REPEATS)
    measured = [members.measure(n, NUMBERS, REPEATS) for n in counts]
    machine = INTRODUCTION.format(
        cores=os.cpu_count(),
        python=platform.python_version(),
        numpy=np.__version__,
        duckdb=duckdb.__version__,
        openssl=" ".join(ssl.OPENSSL_VERSION.split()[:2]),
    )
    own_rows = ROWS.format(three_s=three.secure_s, ratio=ALLOWED_RATIO)
    parts = [machine, SUM, sums(measured), GROWTH, growth(), own_rows, reads(read, three)]
    parts += [ENGINE, work(engine.measure()), threshold.section(), sealing.section()]
    parts += [anonymous.section()]
    return "\n".join(parts)


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    arguments.add_argument("--write", action="store_true", help=f"write docs/{PAGE.name}")
    arguments.add_argument("--members", type=int, nargs="*", default=[3, 10, 50])
    arguments.add_argument("--rows", type=int, nargs="*", default=[100_000, 1_000_000, 10_000_000])
    given = arguments.parse_args()
    page = report(given.members, given.rows)
    print(page)
    if given.write:
        PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
