"""A member's own part of a study under privacy: every row counts, and none can stop the run.

What each row adds depends on that row alone, and on the patient's other rows where a column tells
patients apart: then only the first so many of each patient are kept, in the order of their values.
A number outside its bounds, or above all numbers, counts as the nearer bound; what is no number,
or missing, as the low bound. A category that is not declared is in no group and satisfies no
condition. Sums stay within what `max_rows` rows could add, by cutting them off: that moves no two
sums apart. So a patient moves the vectors by what `dp.queries` says, whatever stands in the rows.

A file without the columns, or that is no CSV at all, is refused as ever: that is not a patient's.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from quorate.dp.local import Response
from quorate.dp.mechanisms import Bounds
from quorate.dp.tables import Integers
from quorate.mpc.agreement import Randomness
from quorate.studies.inputs import Cells, inputs_of, places, size
from quorate.studies.noised import Vector, bounds_of, privacy_of, square_step
from quorate.studies.plan import Plan
from quorate.studies.records import EVERYTHING, Question, questions_of
from quorate.studies.regressions import (
    LARGEST,
    Product,
    asked_regressions,
    columns_read,
    products_of,
)
from quorate.studies.scan import (
    Reading,
    Scan,
    constant,
    count_by_query,
    place_of,
    readings,
    sql_of,
    totals_query,
)
from quorate.studies.sources import Database, Source, check_count, scanned
from quorate.studies.study import Study


def noiseless(source: Source, plan: Plan) -> tuple[int, ...]:
    """Return this member's own numbers of the plan's vectors, one after the other, without noise.

    Raises `DataError` and `Unavailable` for a file that cannot be read, never for a row.
    """
    with scanned(source) as (database, scan):
        kept, read = kept_rows(plan, scan)
        return vectors_added_up(plan, database, kept, read)


def kept_rows(plan: Plan, scan: Scan) -> tuple[Scan, tuple[Reading, ...]]:
    """Return the file with no more rows of a patient than the study says, and its values bounded.

    Raises `DataError` where a column is missing.
    """
    study = plan.study
    looked_at = (*inputs_of(study), *columns_read(study))
    read = tuple(_bounded(reading) for reading in readings(scan, study, looked_at))
    return _of_patients(scan, study, read), read


def vectors_added_up(
    plan: Plan, database: Database, scan: Scan, read: Sequence[Reading]
) -> tuple[int, ...]:
    """Return the plan's vectors, one after the other, of rows that were bounded."""
    found: list[int] = []
    for vector in plan.vectors:
        query = totals_query(scan, read, vector.cells, _amounts(plan.study, read, vector))
        rows = database.execute(query).fetchall()
        if vector.kind == "products":
            entries = [int(str(total or 0)) for total in rows[0][1:]]
        else:
            entries = _by_cell(plan.study, vector.cells, rows)
        found += _cut_off(plan.study, vector, entries)
    return tuple(found)


def perturbed(source: Source, plan: Plan, randomness: Randomness) -> tuple[int, ...]:
    """Return how many records this member has, and the sums of its perturbed ones.

    Raises `DataError` where there are none, or more than the study allows: their number is public.
    """
    with scanned(source) as (database, scan):
        study = plan.study
        kept, read = kept_rows(plan, scan)
        records = _number(database.execute(totals_query(kept, read, EVERYTHING, [])).fetchall())
        check_count(source, records, study.max_rows)
        found = [records]
        for question in questions_of(study):
            query = _values_query(study, kept, read, question)
            rows = database.execute(query).fetchall()
            true = _true_answers(study, question, rows, records)
            found += _perturbed_sums(question, true, randomness)
    return tuple(found)


def _values_query(study: Study, scan: Scan, read: Sequence[Reading], question: Question) -> str:
    """Return SQL for the records of each cell, or of each value in steps of the grid."""
    if not question.column:
        return totals_query(scan, read, question.cells, [])
    reading = next(one for one in read if one.column.name == question.column)
    return count_by_query(scan, read, _steps(reading, bounds_of(study, question.column)))


def _true_answers(
    study: Study, question: Question, rows: list[tuple[object, ...]], records: int
) -> Integers:
    """Return the answer of each record: its cell, the last standing for none; or its value."""
    if question.column:
        values, counts = ([int(str(row[i])) for row in rows] for i in (0, 1))
        return np.repeat(np.array(values, np.int64), counts)
    cells = _by_cell(study, question.cells, rows)
    return np.repeat(np.arange(question.size), [*cells, records - sum(cells)])


def _perturbed_sums(question: Question, true: Integers, randomness: Randomness) -> list[int]:
    sent = question.mechanism.perturbed(true, randomness)
    if isinstance(question.mechanism, Response):
        found: list[int] = np.bincount(sent, minlength=question.size).tolist()
        return found
    return [int(sent.sum())]


def _number(rows: list[tuple[object, ...]]) -> int:
    return int(str(rows[0][-1]))


def _cut_off(study: Study, vector: Vector, entries: list[int]) -> list[int]:
    """Return a vector's entries, cut off at what `max_rows` rows could add."""
    most = study.max_rows * vector.largest
    return [min(max(entry, -most), most) * vector.factor for entry in entries]


def _by_cell(study: Study, cells: Cells, rows: list[tuple[object, ...]]) -> list[int]:
    """Return the last number of each cell's row; 0 where there is none."""
    at = {place: i for i, place in enumerate(places(study, cells))}
    entries = [0] * size(study, cells)
    for row in rows:
        axes = zip(cells.axes, row[: len(cells.axes)], strict=True)
        cell = at[tuple(place_of(study, axis, value) for axis, value in axes)]
        # The one row of a query without groups has null sums where no row is meant.
        entries[cell] = int(str(row[-1] or 0))
    return entries


def _bounded(reading: Reading) -> Reading:
    """Return a column read so that every row has a value within its declaration, or none."""
    column = reading.column
    if column.kind == "category":
        declared = ", ".join(constant(column, value) for value in column.values)
        value = f"(CASE WHEN {reading.value} IN ({declared}) THEN {reading.value} END)"
        return replace(reading, value=value)
    low, high = constant(column, column.low), constant(column, column.high)
    number = f"TRY_CAST({reading.raw} AS DOUBLE)"
    value = (
        f"coalesce(CASE WHEN isnan({number}) THEN {low} "
        f"WHEN {number} >= {float(column.high)!r} THEN {high} "
        f"WHEN {number} <= {float(column.low)!r} THEN {low} "
        f"ELSE least(greatest({reading.value}, {low}), {high}) END, {low})"
    )
    return replace(reading, value=value)


def _of_patients(scan: Scan, study: Study, read: Sequence[Reading]) -> Scan:
    """Return the file with no more rows of a patient than the study says."""
    privacy = privacy_of(study)
    if not privacy.patient:
        return scan
    patient = sql_of(scan, privacy.patient)
    order = ", ".join(reading.raw for reading in read) or "1"
    text = (
        f"(SELECT * FROM {scan.sql} QUALIFY row_number() "  # noqa: S608
        f"OVER (PARTITION BY {patient} ORDER BY {order}) <= {privacy.rows})"
    )
    return replace(scan, sql=text)


def _amounts(study: Study, read: Sequence[Reading], vector: Vector) -> list[str]:
    """Return SQL for what is added up beside the number of rows."""
    if vector.kind in {"rows", "largest"}:
        return []
    if vector.kind != "products":
        return [_amount(study, read, vector)]
    (asked,) = (one for one in asked_regressions(study) if one.analysis.name == vector.release)
    return [_product(study, read, one) for one in products_of(asked)]


def _product(study: Study, read: Sequence[Reading], product: Product) -> str:
    """Return SQL for the sum of a product of columns, in steps of 1 / LARGEST."""
    by_name = {reading.column.name: reading for reading in read}
    units = [_between(by_name[name], bounds_of(study, name)) for name in product.numbers]
    match units:
        case []:
            each = str(LARGEST)
        case [one]:
            each = one
        case [one, other]:  # whole and not negative where it is divided: SQL's // cuts off
            half, whole = LARGEST // 2, LARGEST**2
            each = f"(({one} * {other} + {whole + half}) // {LARGEST} - {LARGEST})"
        case _:
            raise ValueError("a product of two columns")

    def having(levels: Sequence[tuple[str, str]]) -> str:
        said = ((by_name[name], value) for name, value in levels)
        return " AND ".join(f"{r.name} = {constant(r.column, value)}" for r, value in said)

    if product.sign:
        each = f"CASE WHEN {having(product.sign)} THEN {each} ELSE -{each} END"
    if product.levels:
        each = f"CASE WHEN {having(product.levels)} THEN {each} ELSE 0 END"
    return f"sum(CAST({each} AS HUGEINT))"


def _between(reading: Reading, bounds: Bounds) -> str:
    """Return SQL for a number between -1 and 1, in whole steps of 1 / LARGEST."""
    above = f"({_steps(reading, bounds)} - ({bounds.first}))"
    width = bounds.width
    return f"(({above} * {2 * LARGEST} + {width // 2}) // {width} - {LARGEST})"


def _amount(study: Study, read: Sequence[Reading], vector: Vector) -> str:
    """Return SQL for the sum of what rows add, in steps of the grid."""
    reading = next(one for one in read if one.column.name == vector.column)
    bounds = bounds_of(study, vector.column)
    steps = _steps(reading, bounds)
    middle = bounds.first + bounds.last
    match vector.kind:
        case "centred":
            return f"sum(2 * {steps} - ({middle}))"
        case "squares":
            coarse, centred = square_step(bounds), f"(2 * {steps} - ({middle}))"
            return f"sum(({centred} * {centred} + {coarse // 2}) // {coarse})"
        case _:
            return f"sum({steps})"


def _steps(reading: Reading, bounds: Bounds) -> str:
    per_one = int(1 / bounds.step)
    if reading.column.kind == "integer":
        return f"CAST({reading.name} AS HUGEINT)"
    return f"CAST(round({reading.name} * {per_one}) AS HUGEINT)"
