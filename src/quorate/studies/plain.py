"""A plan computed by one who sees all rows: by the same rules, and to the same results.

    rows of each member --added up--> its vectors --pooled--> words --results_of_words--> results

The words are those a committee of three would reveal, in the same arithmetic, or noisy totals
under privacy. So every guard holds here too: small cells, their complements, the least number of
members. Whoever runs this sees every row it is given; nothing is kept.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from quorate.algebra import ring
from quorate.algebra.ring import Words
from quorate.dp import central
from quorate.mpc import expression, secret
from quorate.mpc.agreement import Randomness
from quorate.mpc.engine import Oracle, in_the_clear
from quorate.studies.committee import cut, places_of, revealed_words, told_of_all
from quorate.studies.inputs import Input, asked_of
from quorate.studies.lines import layout_of
from quorate.studies.noised import Vector
from quorate.studies.plan import Plan
from quorate.studies.private_rows import kept_rows, vectors_added_up
from quorate.studies.results import Result
from quorate.studies.rows import (
    PLACE,
    Rows,
    columns_sent,
    most_rows_sent,
    readings_of_rows,
    rows_query,
)
from quorate.studies.scan import readings
from quorate.studies.sources import Source, added_up, check_count, check_rows, holding, scanned
from quorate.studies.suppression import withheld

Numbers = NDArray[np.int64]


def rows_to_send(source: Source, plan: Plan) -> Numbers:
    """Return the number of rows this member sends, then these, column after column.

    Each row is checked or, under privacy, brought within its bounds.
    Raises `DataError` for rows that are not as declared, or too many; `Unavailable`.
    """
    with scanned(source) as (database, scan):
        if plan.study.privacy is None:
            read = readings(scan, plan.study, plan.inputs)
            check_rows(source, plan.study.max_rows, database, scan, read)
            kept = scan
        else:
            kept, read = kept_rows(plan, scan)
        found = database.execute(rows_query(plan, kept, read)).fetchnumpy()
    count = found[PLACE].size
    check_count(source, max(count, 1), most_rows_sent(plan))  # there may be none to send
    columns = [np.asarray(found[column.name], np.int64) for column in columns_sent(plan)]
    return np.concatenate([np.array([count]), *columns])


def execute(plan: Plan, rows: Sequence[tuple[Rows, int]], randomness: Randomness) -> Words:
    """Return the words that the plan's results are made of, from every member's rows, by seat.

    Rows come with their number, as a plan may look at no column. They must have passed
    `rows.check_coded`. `randomness` is for noise, where the plan has any.
    """
    vectors = [_vector(plan, *own) for own in rows]
    if plan.study.privacy is None:
        return _exactly(plan, vectors)
    return ring.from_signed(_noised(plan, np.sum(vectors, axis=0), randomness))


def words_of(plan: Plan) -> int:
    """Return how many words `execute` returns."""
    if plan.study.privacy is not None:
        return plan.revealed
    return revealed_words(plan.study, layout_of(plan.study), len(plan.members))


def results_of_words(plan: Plan, words: Words) -> tuple[Result, ...]:
    """Return the results. Raises `Abort` for words that no rows could have given."""
    if plan.study.privacy is not None:
        return plan.results(tuple(ring.to_signed(words).tolist()))
    return plan.results_revealed(*cut(plan.study, layout_of(plan.study), words))


def _vector(plan: Plan, rows: Rows, count: int) -> Numbers:
    """Return what a member would have computed of its rows itself."""
    read = readings_of_rows(plan)
    columns = {r.column.name: np.ascontiguousarray(v) for r, v in zip(read, rows, strict=True)}
    with holding({PLACE: np.zeros(count, np.int64), **columns}) as (database, scan):
        add_up = added_up if plan.study.privacy is None else vectors_added_up
        return np.array(add_up(plan, database, scan, read), np.int64)


def _exactly(plan: Plan, vectors: Sequence[Numbers]) -> Words:
    study, layout = plan.study, layout_of(plan.study)
    total: Numbers = np.sum(vectors, axis=0)
    places = places_of(study, len(plan.members))
    counts = [total[places[Input(table, "count", "")]] for table in layout.counted]
    hidden = _hidden(plan, counts)
    gone = dict(zip(layout.counted, hidden, strict=True))
    shown = [
        np.where(gone[item.cells], 0, total[places[item]])
        if item.cells in gone
        else total[places[item]]
        for item in asked_of(study)
    ]
    nothing = [np.zeros(0, np.int64)]
    words = ring.from_signed(np.concatenate([*shown, *hidden, *nothing]).astype(np.int64))
    return np.concatenate([words, _told(plan, total, vectors)])


def _hidden(plan: Plan, counts: Sequence[Numbers]) -> list[NDArray[np.bool_]]:
    """Return of each counted table which cells are withheld."""
    if plan.study.min_cell == 1 or not counts:
        return [np.zeros(one.size, np.bool_) for one in counts]
    bits = np.array(withheld(plan.study, np.concatenate(counts).tolist()), np.bool_)
    return np.split(bits, np.cumsum([one.size for one in counts])[:-1])


def _told(plan: Plan, total: Numbers, vectors: Sequence[Numbers]) -> Words:
    """Return the words of the analyses, by the committee's own program, in the clear."""
    if not plan.study.analyses:
        return np.zeros(0, np.uint64)
    engine = Oracle(plan.security)
    sums, *apart = (
        secret.held(
            engine,
            ring.from_signed(one),
            shape=one.shape,
            limit=expression.RANGE - 1,
        )
        for one in (total, *vectors)
    )
    (words,) = in_the_clear([told_of_all(plan.study, sums, apart).node])
    return np.asarray(words, np.uint64)


def _noised(plan: Plan, total: Numbers, randomness: Randomness) -> Numbers:
    ends = np.cumsum([vector.size for vector in plan.vectors])[:-1]
    parts = zip(plan.vectors, np.split(total, ends), strict=True)
    noisy = ((vector, central.noised(part, vector.mechanism, randomness)) for vector, part in parts)
    return np.concatenate([_shown(vector, part) for vector, part in noisy])


def _shown(vector: Vector, noisy: Numbers) -> Numbers:
    """Return noisy totals, or only the places of the largest of so many in turn."""
    if vector.choices == 1:
        return noisy
    places: Numbers = np.argmax(noisy.reshape(vector.revealed, vector.choices), axis=1)
    return places
