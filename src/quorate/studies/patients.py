"""A member's own part of a score: points of the patients on the list that it agreed to.

The list is a table of pseudonyms in each node, and the plan has the digest of it: who proposes a
list with a patient more has another digest, and nobody computes anything for it. Of the member's
other rows nothing is computed. Errors name no pseudonym and no value.
"""

from math import exp
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quorate import wire
from quorate.errors import DataError, Refused, VerificationFailed
from quorate.studies.plan import Plan
from quorate.studies.scan import Reading, Scan, constant, readings_of, sql_of
from quorate.studies.schema import shown
from quorate.studies.score import Item, Record, Score
from quorate.studies.sources import Source, check_rows, scanned

Names = NDArray[np.object_]
MOST_LETTERS = 100


def list_digest(names: Names) -> bytes:
    """Return the digest of pseudonyms in order, each once: of the list, and of nothing else."""
    return wire.digest("patients", tuple(names.tolist()))


def listed_patients(source: Source, pseudonym: str) -> Names:
    """Return the pseudonyms of a list, in order. Raises `DataError`, `Unavailable`."""
    with scanned(source) as (database, scan):
        name = sql_of(scan, pseudonym)
        sql = f"SELECT CAST({name} AS VARCHAR) AS p FROM {scan.sql} ORDER BY p"  # noqa: S608
        found = database.execute(sql).fetchnumpy()["p"]
    return _each_once(source, found)


def check_listed(record: Record, names: Names) -> None:
    """Raise `Refused` unless this member's own list is the one that the plan is for."""
    if len(names) != record.patients or list_digest(names) != record.digest:
        raise Refused(
            f"the patients in this node's table {record.listed} are not those of the study",
            hint="see yours with: quorate study patients FILE; decline what you did not agree to",
        )


def own_points(source: Source, plan: Plan, member: str, names: Names) -> NDArray[np.int64]:
    """Return the points that `member` gives for each of `names`, every row checked.

    Raises `DataError` for rows that are not as declared and patients it has no row of.
    """
    scoring = plan.study.scoring
    table = plan.study.table
    with scanned(source) as (database, scan):
        read = readings_of(scan, map(table.column, scoring.record.columns_of(member)))
        check_rows(source, plan.study.max_rows, database, scan, read)
        items = scoring.items_of(member)
        sql = _query(scan, read, scoring.score, items, scoring.record.pseudonym)
        found = database.execute(sql).fetchnumpy()
    own = _each_once(source, found["p"])
    at = np.minimum(np.searchsorted(own, names), len(own) - 1)
    if (own[at] != names).any():
        raise DataError(
            f"{shown(source.path.name)} has no row of a patient on the list",
            hint="agree on a list of patients that every member has a part of",
        )
    points: NDArray[np.int64] = found["points"][at].astype(np.int64)
    return points


def told(score: Score, word: int) -> str:
    """Return what a word that was revealed says of a patient: a band, points, or a risk."""
    if score.shows == "band":
        if not 0 <= word < len(score.bands):
            raise VerificationFailed("what was revealed of a patient is no band of the score")
        return score.bands[word]
    if score.link == "points":
        return str(word)
    odds = word / score.words("1")
    return f"{1 / (1 + exp(-max(min(float(odds), 700), -700))):.6f}"


def _query(
    scan: Scan, read: tuple[Reading, ...], score: Score, items: tuple[Item, ...], pseudonym: str
) -> str:
    """Return SQL for rows of a pseudonym and its points, in the order of pseudonyms."""
    by_name = {one.column.name: one for one in read}
    points = " + ".join(_item(score, item, by_name) for item in items)
    values = ", ".join(f"{one.value} AS {one.name}" for one in read)
    return (
        f"SELECT p, CAST({points} AS BIGINT) AS points FROM "  # noqa: S608
        f"(SELECT CAST({sql_of(scan, pseudonym)} AS VARCHAR) AS p, {values} FROM {scan.sql}) "
        "ORDER BY p"
    )


def _item(score: Score, item: Item, by_name: dict[str, Reading]) -> str:
    """Return SQL for the words of one item."""
    one = by_name[item.column]
    words = [str(int(score.words(text))) for text in item.points]
    if item.weight:
        value = f"CAST(round({one.name} * {score.words(item.weight)}) AS BIGINT)"
    elif one.column.kind == "category":
        cases = zip(one.column.values, words, strict=True)
        whens = (f"WHEN {constant(one.column, text)} THEN {word}" for text, word in cases)
        value = f"CASE {one.name} {' '.join(whens)} END"
    else:
        cases = zip(item.edges, words[:-1], strict=True)
        whens = (f"WHEN {one.name} < {constant(one.column, e)} THEN {word}" for e, word in cases)
        value = f"CASE {' '.join(whens)} ELSE {words[-1]} END"
    holds = [
        f"{by_name[only.column].name} = {constant(by_name[only.column].column, only.value)}"
        for only in item.only
    ]
    return f"CASE WHEN {' AND '.join(holds)} THEN {value} ELSE 0 END" if holds else value


def _each_once(source: Source, found: Any) -> Names:
    """Return pseudonyms that are in order. Raises `DataError` if one is missing, long, or twice."""
    if np.ma.is_masked(found):
        raise DataError(f"{shown(source.path.name)} has a row without a pseudonym")
    names: Names = np.ma.getdata(found).astype(np.object_)
    if not len(names):
        raise DataError(f"{shown(source.path.name)} names no patient")
    if (names[1:] == names[:-1]).any():
        raise DataError(f"{shown(source.path.name)} has two rows of one patient")
    if max(map(len, names.tolist())) > MOST_LETTERS or not all(names):
        raise DataError(
            f"{shown(source.path.name)} has an empty pseudonym, or one over {MOST_LETTERS} letters"
        )
    return names
