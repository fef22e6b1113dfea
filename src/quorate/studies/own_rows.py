"""A member's rows for a regression by steps, as whole numbers; they stay in its own memory."""

import numpy as np
from numpy.typing import NDArray

from quorate.studies.analyses.kinds import all_asked
from quorate.studies.analyses.stepped import columns_of
from quorate.studies.inputs import columns_in
from quorate.studies.plan import Plan
from quorate.studies.scan import readings_of
from quorate.studies.sources import Source, check_rows, rows_of, scanned

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
