"""Run the benchmarks and print them as Markdown; with `--write`, into docs/benchmarks.md."""

import argparse
import os
import platform
import ssl
from pathlib import Path

import duckdb
import numpy as np

from bench import (
    anonymous,
    cells,
    console,
    enclave,
    malicious,
    models,
    noisy_study,
    privacy,
    relational,
    rows,
    sealing,
    sums,
    third_party,
    threshold,
)
from bench.engine import section as engine
from bench.noise import Watch
from bench.peers import section as peers

DOCS = Path(__file__).parent.parent / "docs"
PAGE = DOCS / "benchmarks.md"
THEMES = (
    "sums",
    "rows",
    "cells",
    "third-party",
    "enclave",
    "engine",
    "malicious",
    "relational",
    "models",
    "privacy",
    "noisy-study",
    "threshold",
    "sealing",
    "anonymous",
    "console",
    "peers",
)

INTRODUCTION = """\
# Benchmarks

Written by `python -m bench --write`. Rounds and bytes are exact: each run compares what was
counted with what the protocol declares. Seconds are medians of five after one to warm up, on a
machine of which others used {others:.0%} meanwhile; ratios to what ran beside them say more.

Machine: {cores} cores shared by all members, Python {python}, NumPy {numpy}, DuckDB {duckdb},
{openssl}.
"""


def introduction(others: float) -> str:
    return INTRODUCTION.format(
        cores=os.cpu_count(),
        others=others,
        python=platform.python_version(),
        numpy=np.__version__,
        duckdb=duckdb.__version__,
        openssl=" ".join(ssl.OPENSSL_VERSION.split()[:2]),
    )


def report(given: argparse.Namespace) -> list[str]:
    """Run the themes asked for; return the page's parts in order."""
    themes = {
        "sums": lambda: sums.section(given.members),
        "rows": lambda: rows.section(given.rows),
        "cells": cells.section,
        "third-party": third_party.section,
        "enclave": enclave.section,
        "engine": lambda: engine.section(DOCS if given.write else None),
        "malicious": malicious.section,
        "relational": relational.section,
        "models": models.section,
        "privacy": privacy.section,
        "noisy-study": noisy_study.section,
        "threshold": threshold.section,
        "sealing": sealing.section,
        "anonymous": lambda: anonymous.section(DOCS if given.write else None),
        "console": console.section,
        "peers": peers.section,
    }
    watch = Watch()
    parts = [themes[theme]() for theme in THEMES if theme in given.only]
    return [introduction(watch.others()), *parts]


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    arguments.add_argument("--only", nargs="+", choices=THEMES, default=THEMES)
    arguments.add_argument("--write", action="store_true", help=f"write docs/{PAGE.name}")
    arguments.add_argument("--members", type=int, nargs="*", default=[3, 10, 50])
    arguments.add_argument("--rows", type=int, nargs="*", default=[100_000, 1_000_000, 10_000_000])
    given = arguments.parse_args()
    if given.write and given.only != THEMES:
        arguments.error("the page is written with all themes, or not at all")
    page = "\n".join(report(given))
    print(page)
    if given.write:
        PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
