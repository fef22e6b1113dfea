"""Rows of three members in files, and studies of them under each model of trust."""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from quorate.studies.plain import rows_to_send
from quorate.studies.plan import Plan
from quorate.studies.rows import columns_sent
from quorate.studies.sources import Source, open_source
from quorate.studies.study import read_study
from tests.parties import names_of
from tests.studies.trio import group_of, plan_of

Row = tuple[str, int, int, str]
HEAD = """
title = "t"
purpose = "p"
max_rows = 200
min_cell = {least}
{trust}
[tables.patients]
arm = "category a b c"
out = "category 0 1"
x = "integer 0..100 points"
bmi = "number 10..60.5 kg/m2"
"""
THIRD = 'trust = "third-party"\nthird_party = "south"'
RELEASES = """
[releases]
whole = "select count(*) as n, avg(x) as m, sum(bmi) as s from patients"
by_arm = "select arm, count(*) as n, avg(bmi) as a, var(x) as v, stddev(bmi) as d from patients \
group by arm"
bins = "select out, histogram(x, 0, 20, 50, 100) as h from patients where arm in ('a', 'b') \
group by out"
"""


def some_rows(seed: int, count: int) -> list[Row]:
    """Return rows of nobody, the same for a seed."""

    def below(most: int, what: str, i: int) -> int:
        return int.from_bytes(sha256(f"{seed} {what} {i}".encode()).digest()[:8]) % most

    return [
        (
            "abc"[below(2, "arm", i) if i % 17 else 2],
            below(2, "out", i),
            below(101, "x", i),
            f"{10 + below(50_000_000_000, 'bmi', i) / 1e9:.{below(10, 'digits', i)}f}",
        )
        for i in range(count)
    ]


def parts(*counts: int) -> list[list[Row]]:
    return [some_rows(seed, count) for seed, count in enumerate(counts)]


def sources(folder: Path, rows: Sequence[Sequence[Row]]) -> list[Source]:
    """Write each member's rows to a file, among columns no study looks at."""
    found = []
    for member, own in enumerate(rows):
        path = folder / f"{member}.csv"
        lines = [f"{arm},secret,{out},{x},{bmi}" for arm, out, x, bmi in own]
        path.write_text("\n".join(["arm,name,out,x,bmi", *lines]) + "\n")
        found.append(open_source(path))
    return found


def planned(text: str, *, third: bool, least: int = 5, members: int = 3) -> Plan:
    head = HEAD.format(least=least, trust=THIRD if third else "")
    return plan_of(read_study(head + text), group_of(*names_of(members)))


def received(plan: Plan, files: Sequence[Source]) -> list[tuple[NDArray[np.int64], int]]:
    """Return what the third party holds of every member."""
    sent = [rows_to_send(file, plan) for file in files]
    width = len(columns_sent(plan))
    return [(own[1:].reshape(width, int(own[0])), int(own[0])) for own in sent]
