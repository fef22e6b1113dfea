"""A member's own rows, one by one: for a regression by steps, or for a table that it deals."""

import numpy as np
from numpy.typing import NDArray

from quorate.studies.analyses.kinds import all_asked
from quorate.studies.analyses.stepped import columns_of
from quorate.studies.inputs import columns_in
from quorate.studies.plan import Plan
from quorate.studies.scan import readings_of, rows_query
from quorate.studies.sources import Source, check_rows, rows_of, scanned
from quorate.studies.tables import Reads, Rows

Numbers = NDArray[np.int64]


def own_rows(source: Source, plan: Plan) -> Numbers:
    """Return the rows of a plan's one analysis (rows, columns), every row of the file checked.

    Raises `DataError`, `Unavailable`.
    """
    (asked,) = all_asked(plan.study, len(plan.members))
    where = asked.analysis.where
    columns = columns_of(asked)
    names = {column.name for column in columns} | columns_in(where)
    with scanned(source) as (database, scan):
        read = readings_of(scan, [c for c in plan.study.table.columns if c.name in names])
        check_rows(source, plan.study.max_rows, database, scan, read)
        return rows_of(database, scan, read, where, columns)


def rows_read(source: Source, plan: Plan, reads: Reads) -> Rows:
    """Return the rows that a program over tables reads, every row of the file checked.

    Raises `DataError`, `Unavailable`.
    """
    names = {column.name for column in reads.columns} | columns_in(reads.where)
    with scanned(source) as (database, scan):
        read = readings_of(scan, [c for c in plan.study.table.columns if c.name in names])
        check_rows(source, plan.study.max_rows, database, scan, read)
        query = rows_query(scan, read, reads.where, reads.columns, reads.texts)
        found = database.execute(query).fetchnumpy()
    texts = tuple(tuple(map(str, found[f"t{i}"])) for i in range(len(reads.texts)))
    numbers = [np.asarray(found[f"c{i}"], np.int64) for i in range(len(reads.columns))]
    count = len(next(iter(found.values())))
    return Rows(np.stack(numbers, axis=1) if numbers else np.zeros((count, 0), np.int64), texts)
