"""The page's part on secret tables: sorts, groups, joins, matches and three clinical queries."""

from collections.abc import Awaitable, Callable
from functools import partial

import numpy as np

from bench import tpch
from bench.inputs import REPEATS
from bench.markdown import table
from bench.secret_tables import Given, Query, Timed, drawn, measured
from quorate.algebra.ring import Words
from quorate.mpc.replicated import Committee, Share, matmul
from quorate.mpc.tables import clinical, groups
from quorate.mpc.tables.clinical import EPISODES, EVENTS
from quorate.mpc.tables.joins import by_key, join
from quorate.mpc.tables.keys import Column, Layout
from quorate.mpc.tables.match import Sides, match
from quorate.mpc.tables.sorting import sort
from quorate.mpc.tables.table import Table, column

TEXT = """\
## Secret tables

Three processes over plain sockets, semi-honest, warm; TLS and a committee that checks beside them.
*Bar*: what the project asks of itself; *ORQ*: the C++ engine of [ORQ25] on two quiet cores, one
thread a party, no TLS, as measured apart. Rounds and bytes of a sort depend on the random order it
reveals. Results are compared with NumPy's.
"""

TPCH = """\
### TPC-H

Queries 1, 3, 6 and 13 at scale factors 0.01 and 0.1 over rows made up by the benchmark's rules. All
rows are secret, and so is which of them a condition lets through; results are exact, and
compared with DuckDB's over the same rows. What a row says of itself (a price less its
discount, whether a comment has two words) its owner computes.
"""

HEAD = ["query", "rounds", "bytes a row", "plain", "processors", "TLS", "checked, TLS"]
KEY = Layout((Column(39),))
JOIN = by_key((Column(30),))
C_DIFF, HEART, ASPIRIN = 8, 414, 719


def queries(scale: int) -> list[Query]:
    """Return all queries at their sizes, divided by `scale`."""
    big, small = 1_000_000 // scale, 100_000 // scale
    return [
        Query(f"sort {small:,}", small, partial(_sorted_rows, small), _sort, _order, 0.35, 1.8),
        Query(f"sort {big:,}", big, partial(_sorted_rows, big), _sort, _order, 3.0, 24.6),
        Query(f"group-by {big:,}", big, partial(_grouped_rows, big), _group, _groups, 4.0),
        Query(f"join {big:,}", big, partial(_joined_rows, big), _join, _products, 4.5),
        _clinical("C. diff", 300_000 // scale, _episodes, _recurrent, _plain_recurrent, 1.2, 23.6),
        _matching(big),
        _clinical("aspirin", 250_000 // scale, _events, _treated, _plain_treated, 1.0, 42.2),
    ]


def _clinical(
    name: str,
    rows: int,
    given: Callable[[int], Given],
    run: Callable[[Committee, Table, Share], Awaitable[Share]],
    plain: Callable[[Given], Words],
    bar_s: float,
    orq_s: float,
) -> Query:
    title = f"{name}, {rows:,} rows, all secret"
    return Query(title, rows, partial(given, rows), run, plain, bar_s, orq_s)


def _matching(rows: int) -> Query:
    name = f"match {rows:,} x {rows:,}"
    return Query(name, rows, partial(_two_tables, rows), _match, _common, 0.8)


def _two_tables(rows: int) -> Given:
    ids = np.arange(2 * rows, dtype=np.uint64)
    nothing = np.zeros((0, 1), np.uint64)
    return Given(nothing, nothing, ids[: rows + rows // 2])


async def _match(committee: Committee, _: Table, codes: Share) -> Share:
    """Match two tables of which half of each is common; their numbers are made up at once."""
    rows = codes.own.size * 2 // 3
    ids = {0: np.arange(rows), 1: np.arange(rows) + rows // 2}.get(committee.me)
    mine = None if ids is None else ids.astype(np.uint64)
    payload = np.ones((rows, 1), np.uint64) if committee.me == 1 else None
    found = (await match(committee, Sides(0, 1, rows, rows, 1), mine, payload)).met
    return Share(*(part[:, 0].sum(keepdims=True) for part in (found.own, found.next)))


def _common(given: Given) -> Words:
    rows = given.codes.size * 2 // 3
    return np.array([rows - rows // 2], np.uint64)


def _sorted_rows(rows: int) -> Given:
    keys = drawn(rows, 1 << 39, "keys")
    numbers = np.arange(rows, dtype=np.uint64).reshape(-1, 1)
    return Given(KEY.packed([keys]), numbers, np.zeros(0, np.uint64))


async def _sort(committee: Committee, rows: Table, _: Share) -> Share:
    return column((await sort(committee, rows, KEY)).numbers, 0)


def _order(given: Given) -> Words:
    return np.argsort(given.bits[:, 0], kind="stable").astype(np.uint64)


def _grouped_rows(rows: int) -> Given:
    keys = drawn(rows, max(rows // 5, 1), "groups")
    numbers = drawn(rows, 1000, "values").view(np.uint64).reshape(-1, 1)
    return Given(KEY.packed([keys]), numbers, keys.view(np.uint64))


async def _group(committee: Committee, rows: Table, _: Share) -> Share:
    ordered = await sort(committee, rows, KEY)
    found = await groups.sums(committee, ordered, KEY.mask(0), max(rows.rows // 5, 1))
    return column(found.numbers, 0)


def _groups(given: Given) -> Words:
    sums = np.bincount(given.codes.view(np.int64), given.numbers[:, 0].astype(np.float64))
    held = np.bincount(given.codes.view(np.int64)) > 0
    found = np.zeros(max(len(given.codes) // 5, 1), np.uint64)
    found[: int(held.sum())] = sums[held].astype(np.uint64)
    return found


def _joined_rows(rows: int) -> Given:
    """Half of the rows have keys 0, 1, 2, ... and half have random ones."""
    half = rows // 2
    keys = np.concatenate((np.arange(half), drawn(rows - half, 2 * half, "joined")))
    side = (np.arange(rows) >= half).astype(np.int64)
    values = drawn(rows, 1000, "values")
    numbers = np.stack((np.ones(rows, np.int64), values), axis=1).view(np.uint64)
    return Given(JOIN.packed([keys, side]), numbers, keys.view(np.uint64))


async def _join(committee: Committee, rows: Table, _: Share) -> Share:
    half = rows.rows // 2
    first, second = (
        Table(*(Share(x.own[here], x.next[here]) for x in (rows.bits, rows.numbers)))
        for here in (slice(half), slice(half, None))
    )
    found = await join(committee, first, second, JOIN)
    # The sum of all products, whose additive shares are local, as a matrix product.
    row = Share(*(part.reshape(1, -1) for part in (found.copied.own, found.copied.next)))
    return column(await matmul(committee, row, found.numbers), 0)


def _products(given: Given) -> Words:
    half, keys = len(given.codes) // 2, given.codes.view(np.int64)
    values, others = given.numbers[:half, 1], given.numbers[half:, 1]
    met = keys[half:] < half
    return np.array([(values[keys[half:][met]] * others[met]).sum()], np.uint64)


def _episodes(rows: int) -> Given:
    """About ten rows to a patient, one in a hundred of the code that is looked for."""
    pid, day = drawn(rows, max(rows // 10, 1), "pid"), drawn(rows, 1 << 10, "day")
    codes = np.where(drawn(rows, 100, "code") == 0, C_DIFF, 1 + drawn(rows, 7, "other"))
    return Given(
        EPISODES.packed([pid, day]), day.view(np.uint64).reshape(-1, 1), codes.view(np.uint64)
    )


async def _recurrent(committee: Committee, rows: Table, codes: Share) -> Share:
    wanted = np.full(rows.rows, C_DIFF, np.uint64)
    return await clinical.recurrent(
        committee, await clinical.chosen(committee, rows, codes, wanted)
    )


def _plain_recurrent(given: Given) -> Words:
    here = given.codes == C_DIFF
    pid, day = given.bits[here, 0] >> np.uint64(63 - 24), given.numbers[here, 0].view(np.int64)
    order = np.lexsort((day, pid))
    pid, day = pid[order], day[order]
    apart = np.diff(day)
    met = (pid[1:] == pid[:-1]) & (apart >= 15) & (apart <= 56)
    return np.array([np.unique(pid[1:][met]).size], np.uint64)


def _events(rows: int) -> Given:
    """Six rows of ten are diagnoses, four are medications."""
    pid, day = drawn(rows, max(rows // 10, 1), "pid"), drawn(rows, 1 << 10, "day")
    side = (np.arange(rows) * 10 >= rows * 6).astype(np.int64)
    wanted = np.where(side == 1, ASPIRIN, HEART)
    codes = np.where(drawn(rows, 30, "code") == 0, wanted, 1 + drawn(rows, 300, "other"))
    return Given(
        EVENTS.packed([pid, day, side]), np.zeros((rows, 0), np.uint64), codes.view(np.uint64)
    )


async def _treated(committee: Committee, rows: Table, codes: Share) -> Share:
    count = rows.rows
    side = np.arange(count) * 10 >= count * 6
    wanted = np.where(side, ASPIRIN, HEART).astype(np.uint64)
    chosen = await clinical.chosen(committee, rows, codes, wanted)
    return await clinical.treated_after(committee, chosen)


def _plain_treated(given: Given) -> Words:
    pid = (given.bits[:, 0] >> np.uint64(63 - 24)).astype(np.int64)
    day = ((given.bits[:, 0] >> np.uint64(63 - 24 - 14)) & np.uint64((1 << 14) - 1)).astype(
        np.int64
    )
    size = int(pid.max()) + 1
    first, last = np.full(size, 1 << 20), np.full(size, -1)
    heart, aspirin = given.codes == HEART, given.codes == ASPIRIN
    np.minimum.at(first, pid[heart], day[heart])
    np.maximum.at(last, pid[aspirin], day[aspirin])
    return np.array([(first <= last).sum()], np.uint64)


def section(repeats: int = REPEATS, scale: int = 1) -> str:
    """Run everything; return Markdown."""
    here, theirs = queries(scale), tpch.queries((10_000 // scale, 100_000 // scale))
    small = [here[0], *(one for one in theirs[: len(theirs) // 2])]
    clinical_head = [*HEAD, "bar", "ORQ", "ratio"]
    every = [*here, *theirs]
    plain = measured(every, encrypted=False, repeats=repeats)
    encrypted = measured(every, encrypted=True, repeats=repeats)
    checked = measured(small, encrypted=True, security="malicious", repeats=1)
    lines = {
        one.name: _line(one, plain[one.name], encrypted[one.name], checked.get(one.name))
        for one in every
    }
    first = table(
        clinical_head, [(*lines[one.name], *_beside(one, plain[one.name])) for one in here]
    )
    return "\n".join([TEXT, first, TPCH, table(HEAD, [lines[one.name] for one in theirs])])


def _line(
    one: Query,
    plain: tuple[Timed, ...],
    encrypted: tuple[Timed, ...],
    checked: tuple[Timed, ...] | None,
) -> tuple[str, ...]:
    return (
        one.name,
        f"{max(party.rounds for party in plain):,}",
        f"{max(party.bytes_sent for party in plain) / one.rows:,.0f}",
        f"{_slowest(plain):.3f} s",
        f"{sum(party.cpu_s for party in plain):.3f} s",
        f"{_slowest(encrypted):.3f} s",
        f"{_slowest(checked):.3f} s" if checked else "",
    )


def _beside(one: Query, plain: tuple[Timed, ...]) -> tuple[str, str, str]:
    """Return the bar, and what another engine takes."""
    return (
        f"{one.bar_s:g} s" if one.bar_s else "",
        f"{one.orq_s:g} s" if one.orq_s else "",
        f"{one.orq_s / _slowest(plain):.0f}" if one.orq_s else "",
    )


def _slowest(parties: tuple[Timed, ...]) -> float:
    return max(party.seconds for party in parties)
