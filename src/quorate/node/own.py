"""This member's own tables, as a plan uses them: their files, and its part of a score."""

import asyncio
import os

import numpy as np
from numpy.typing import NDArray

from quorate import wire
from quorate.dp import central
from quorate.errors import DataError
from quorate.node.home import Home
from quorate.node.policy import Policy
from quorate.node.prepared import prepare_noise
from quorate.node.views import ScoresView
from quorate.studies.own_rows import own_rows, rows_read
from quorate.studies.patients import Names, check_listed, listed_patients, own_points, told
from quorate.studies.plain import rows_to_send
from quorate.studies.plan import Plan
from quorate.studies.private_rows import noiseless, perturbed
from quorate.studies.programs import program_of
from quorate.studies.protocols import ON_ROWS, STEPS, TABLES
from quorate.studies.records import is_on_records
from quorate.studies.sources import Source, aggregate, count_rows, open_source, snapshot

Numbers = NDArray[np.int64]


def source_of(home: Home, name: str) -> Source:
    """Return the file of a table. Raises `DataError`, `Unavailable`."""
    path = home.tables.get(name)
    if path is None:
        raise DataError(
            f"this node has no table {name}",
            hint=f"register it with: quorate data add {name} FILE",
        )
    return open_source(path)


def snapshot_of(home: Home, plan: Plan) -> bytes:
    """Return what changes whenever a file does that this member uses for `plan`."""
    if not plan.study.is_scored:
        return snapshot(source_of(home, plan.study.table.name))
    record = plan.study.scoring.record
    names = (plan.study.table.name, record.listed) if record.columns_of(home.name) else ()
    return wire.digest("snapshots", tuple(snapshot(source_of(home, one)) for one in names))


async def own_numbers(home: Home, plan: Plan, policy: Policy) -> tuple[int, ...] | Numbers:
    """Compute what this member puts into `plan`, away from the event loop; every row is checked.

    Raises `DataError`, and `Refused` where there are fewer rows than the policy wants.
    """
    source = source_of(home, plan.study.table.name)
    if plan.protocol == STEPS:
        rows = await asyncio.to_thread(own_rows, source, plan)
        policy.check_rows(len(rows))
        return tuple(rows.reshape(-1).tolist())
    if plan.protocol == TABLES:
        return await _own_table(source, plan, policy)
    if is_on_records(plan.study):
        return await asyncio.to_thread(perturbed, source, plan, os.urandom)
    if plan.protocol in ON_ROWS:
        await _check_rows(policy, source)
        if plan.study.privacy is not None and plan.study.third_party == home.name:
            await asyncio.to_thread(central.load)
        return await asyncio.to_thread(rows_to_send, source, plan)
    if plan.study.privacy is not None:  # then no row is a reason to refuse
        await prepare_noise(plan, home.name)
        return await asyncio.to_thread(noiseless, source, plan)
    own = await asyncio.to_thread(aggregate, source, plan)
    await _check_rows(policy, source)
    return own


async def _own_table(source: Source, plan: Plan, policy: Policy) -> Numbers:
    """Return this member's table, flat, as a program over tables wants it."""
    program = program_of(plan.study, len(plan.members))
    read = await asyncio.to_thread(rows_read, source, plan, program.reads)
    policy.check_rows(len(read.numbers))
    table = await asyncio.to_thread(program.own, read)
    return table.flat.view(np.int64)


async def _check_rows(policy: Policy, source: Source) -> None:
    if policy.min_rows > 1:  # no rows at all are refused with the rows
        policy.check_rows(await asyncio.to_thread(count_rows, source))


def own_points_of(home: Home, plan: Plan) -> tuple[int, ...]:
    """Return this member's part of a score; of a member without a part, nothing but zeros.

    Raises `Refused` where its own list is another than the plan's.
    """
    record = plan.study.scoring.record
    if not record.columns_of(home.name):
        return (0,) * record.patients
    source = source_of(home, plan.study.table.name)
    return tuple(own_points(source, plan, home.name, _patients_of(home, plan)).tolist())


def scores_of(home: Home, plan: Plan, words: tuple[int, ...]) -> ScoresView:
    """Return what this member learned of each patient. Raises `Refused` for another list."""
    score = plan.study.scoring.score
    names = _patients_of(home, plan).tolist()
    risk = "risk" if score.link == "logistic" else "points"
    return ScoresView(
        score=score.name,
        pseudonym=plan.study.scoring.record.pseudonym,
        shows=risk if score.shows == "points" else "band",
        patients=tuple((name, told(score, word)) for name, word in zip(names, words, strict=True)),
    )


def _patients_of(home: Home, plan: Plan) -> Names:
    record = plan.study.scoring.record
    names = listed_patients(source_of(home, record.listed), record.pseudonym)
    check_listed(record, names)
    return names
