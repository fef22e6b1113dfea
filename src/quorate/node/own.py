"""This member's own tables, as a plan uses them: their files, and its part of a score."""

from quorate import wire
from quorate.errors import DataError
from quorate.node.home import Home
from quorate.node.views import ScoresView
from quorate.studies.patients import Names, check_listed, listed_patients, own_points, told
from quorate.studies.plan import Plan
from quorate.studies.sources import Source, open_source, snapshot


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
