"""A small score of a record that three members hold, and a run of it in one process."""

import os
from collections.abc import Awaitable, Callable, Sequence

import numpy as np

from quorate.algebra import ring
from quorate.algebra.ring import Words
from quorate.studies.plan import Plan
from quorate.studies.runners.score import Scored, reveal_scores
from quorate.studies.running import Running
from quorate.studies.study import read_study
from quorate.transport.session import Session
from tests.parties import names_of
from tests.studies.trio import group_of, plan_of

HEAD = """
title = "t"
purpose = "p"
max_rows = 1000
[tables.records]
age = "integer 0..120 years"
sugar = "number 0..50 mmol/l"
drug = "category no yes"
"""
RECORD = """
[record]
list = "invited"
pseudonym = "patient"
patients = {patients}
digest = "{digest}"
treating = "{treating}"
[record.parts]
north = ["age"]
south = ["sugar"]
west = ["drug"]
"""
SCORE = """
[score]
name = "Risk"
source = "nobody, 2027"
link = "points"
start = 1
shows = "{shows}"
{bands}
[[score.items]]
column = "age"
edges = [45, 65]
points = [0, 2, 4]
[[score.items]]
column = "sugar"
edges = [7]
points = [-1, 5]
[[score.items]]
column = "drug"
points = [0, 3]
"""
BANDS = 'bands = ["low", "middle", "high"]\nedges = [3, 8]'


def score_text(
    *, patients: int = 5, treating: str = "north", shows: str = "points", digest: str = "00" * 32
) -> str:
    bands = BANDS if shows == "band" else ""
    record = RECORD.format(patients=patients, treating=treating, digest=digest)
    return HEAD + record + SCORE.format(shows=shows, bands=bands)


def score_plan(n: int = 3, text: str = "", *accept: str) -> Plan:
    return plan_of(read_study(text or score_text()), group_of(*names_of(n)), *accept)


POINTS = ((0, 2, 4, 0, 2), (-1, 5, 5, -1, -1), (0, 0, 3, 3, 0))
"""Of five patients, by each of three members; others have none."""


def points_of(n: int) -> list[Words]:
    own = [*POINTS, *[(0,) * 5] * (n - 3)]
    return [ring.from_signed(np.array(one, np.int64)) for one in own]


def forget(_: bytes) -> None:
    """Claim nothing."""


def scoring(plan: Plan, own: Sequence[Words]) -> Callable[[Session], Awaitable[Scored]]:
    async def protocol(session: Session) -> Scored:
        return await reveal_scores(Running(session, plan, own[session.me], b"", forget, os.urandom))

    return protocol
