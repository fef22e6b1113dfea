"""A study: what one member asks all to compute, read from a short TOML text.

The text comes from another person, so nothing in it is trusted: every name,
length and number has a limit, and `check_study` holds the same rules for a
study that arrived inside a plan. The releases are SQL (`sql`), the columns
declarations (`schema`), the analyses named statistics (`analysis`).
"""

import tomllib
from dataclasses import dataclass
from decimal import Decimal
from typing import cast

from quorate import wire
from quorate.errors import MalformedStudy
from quorate.studies.analysis import Analysis, check_analyses, read_analyses
from quorate.studies.enclosed import Enclosed, check_enclosed, read_enclosed
from quorate.studies.privacy import Privacy, check_privacy, read_privacy
from quorate.studies.query import Query
from quorate.studies.schema import (
    MAX_NAMES,
    Table,
    check_name,
    check_names,
    check_table,
    check_text,
    read_column,
    refuse,
    shown,
)
from quorate.studies.score import Scoring, check_scoring
from quorate.studies.score_file import read_scoring
from quorate.studies.sql import read_query
from quorate.studies.table_one import write_out
from quorate.studies.trust import ENCLAVE, MPC, Trust, check_trust, noise_where, trust_of

MAX_TEXT = 64 * 1024
MAX_ROWS = 10**10
MIN_CELL = 5
NOISY = {"percentile", "mode"}
"""Statistics that there are under privacy only."""
MAX_MIN_CELL = 1_000_000
_KEYS = {
    *("title", "purpose", "max_rows", "min_cell", "tables"),
    *("releases", "analyses", "table_one", "privacy", "record", "score", "guard"),
    *("trust", "third_party", "enclave"),
}
_TOML_HINT = "a study is a TOML file: quotes around text, one [tables.name], one [releases]"
_RELEASE_HINT = (
    'add for instance age = "select count(*) as patients, avg(age) as mean_age from patients"'
)


@dataclass(frozen=True, slots=True)
class Study:
    title: str
    purpose: str
    max_rows: int  # of one member
    min_cell: int  # fewer rows, and a group's values are withheld; 1 withholds nothing
    table: Table
    releases: tuple[Query, ...]
    privacy: Privacy | None = None  # without it, values are exact
    analyses: tuple[Analysis, ...] = ()
    trust: Trust = "mpc"  # who may see rows
    third_party: str = ""  # the member that sees them, where one does
    scored: Scoring | wire.Absent = wire.ABSENT  # one patient's record at several members
    guard: bool | wire.Absent = wire.ABSENT  # true: not run beside releases of nearly the same rows

    enclave: Enclosed | wire.Absent = wire.ABSENT  # the program that sees rows, where one does

    @property
    def is_guarded(self) -> bool:
        return self.guard is True

    @property
    def is_scored(self) -> bool:
        return isinstance(self.scored, Scoring)

    @property
    def enclosed(self) -> Enclosed:
        """Return the enclave of a study that is computed in one."""
        if not isinstance(self.enclave, Enclosed):
            raise TypeError("this study has no enclave")
        return self.enclave

    @property
    def scoring(self) -> Scoring:
        """Return the score of a study that is one."""
        if not isinstance(self.scored, Scoring):
            raise TypeError("this study has no score")
        return self.scored


def read_study(text: str) -> Study:
    """Return the study that `text` states. Raises `MalformedStudy` naming the place."""
    return study_of(read_toml(text))


def read_toml(text: str) -> dict[str, object]:
    """Return what a study's text says, by key. Raises `MalformedStudy`."""
    if len(text) > MAX_TEXT:
        refuse("the study", f"longer than {MAX_TEXT} characters")
    try:
        top: dict[str, object] = tomllib.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError) as e:
        reason = str(e) if isinstance(e, tomllib.TOMLDecodeError) else "a value too large or deep"
        raise MalformedStudy(f"the study: not TOML: {shown(reason)}", hint=_TOML_HINT) from None
    return top


def study_of(top: dict[str, object]) -> Study:
    """Return the study that these keys state. Raises `MalformedStudy` naming the place."""
    _only(top, _KEYS, "the study")
    table = _read_table(_section(top, "tables"))
    check_table(table)
    asks_more = not top.keys().isdisjoint(("analyses", "table_one", "score"))
    is_scored = not top.keys().isdisjoint(("score", "record"))
    written = write_out(_section(top, "table_one", optional=True), table)
    releases, budgets = _read_releases(_section(top, "releases", optional=asks_more), table)
    asked, more = _without_budgets(_section(top, "analyses", optional=True))
    analyses = read_analyses(asked, table)
    trust = trust_of(top.get("trust", MPC), "trust")
    study = Study(
        title=_text(top, "title"),
        purpose=_text(top, "purpose"),
        max_rows=_whole(top, "max_rows", 1_000_000),
        min_cell=_whole(top, "min_cell", MIN_CELL) if "min_cell" in top else MIN_CELL,
        table=table,
        releases=(*releases, *written.releases),
        analyses=(*analyses, *written.analyses),
        privacy=read_privacy(top.get("privacy"), budgets | more, noise_where(trust)),
        trust=trust,
        third_party=_text(top, "third_party") if "third_party" in top else "",
        scored=read_scoring(top.get("score"), top.get("record")) if is_scored else wire.ABSENT,
        guard=_guard(top),
        enclave=read_enclosed(_section(top, "enclave")) if "enclave" in top else wire.ABSENT,
    )
    check_study(study)
    return study


def check_study(study: Study) -> None:
    """Refuse a study that breaks a rule, wherever it came from. Raises `MalformedStudy`.

    Each release's SQL is read again: its text and its tree must be the same.
    """
    check_text("title", study.title, 200)
    check_text("purpose", study.purpose, 1000)
    if not 1 <= study.max_rows <= MAX_ROWS:
        refuse("max_rows", f"must be between 1 and {MAX_ROWS}", "it is the most one member has")
    if not 1 <= study.min_cell <= MAX_MIN_CELL:
        refuse("min_cell", f"must be between 1 and {MAX_MIN_CELL}", "1 withholds nothing")
    check_table(study.table)
    _check_guard(study)
    check_analyses(study.analyses, study.table)
    if study.is_scored:
        _check_score_alone(study)
    elif not study.releases and not study.analyses:
        refuse("releases", "nothing to release", _RELEASE_HINT)
    check_trust(study.trust, study.third_party, study.privacy)
    _check_enclave(study)
    names = (*(q.name for q in study.releases), *(one.name for one in study.analyses))
    check_names("releases", names)
    for query in study.releases:
        if read_query(query.name, query.sql, study.table) != query:
            refuse(f"releases.{query.name}", "its SQL and its tree do not say the same")
    if study.privacy is not None:
        check_privacy(study.privacy, len(study.releases) + len(study.analyses))
    elif noisy := [q for q in study.releases for o in q.outputs if o.statistic in NOISY]:
        why = "a percentile, or a mode, is of noisy counts"
        refuse(f"releases.{noisy[0].name}", why, "give the release a budget, or a histogram")


def _check_guard(study: Study) -> None:
    if study.guard is False:
        refuse("guard", "is left out where there is none")
    if study.is_guarded and (study.is_scored or study.privacy is not None or study.min_cell == 1):
        refuse("guard", "is of exact values with a min_cell above 1")


def _check_enclave(study: Study) -> None:
    if (study.trust == ENCLAVE) != isinstance(study.enclave, Enclosed):
        refuse("enclave", 'stands where trust = "enclave", and nowhere else')
    if isinstance(study.enclave, Enclosed):
        check_enclosed(study.enclave)


def _check_score_alone(study: Study) -> None:
    if study.releases or study.analyses or study.privacy is not None:
        refuse("score", "stands alone", "propose other results as a study of their own")
    if study.trust != MPC:
        refuse("score", "is computed by three members", 'leave out trust, or set trust = "mpc"')
    check_scoring(study.scoring, study.table)


def _read_table(tables: dict[str, object]) -> Table:
    if len(tables) != 1:
        refuse("tables", f"{len(tables)} tables, and a study has one", "keep one [tables.name]")
    name = next(iter(tables))
    check_name("tables", name)
    columns = _section(tables, name, "tables")
    return Table(name, tuple(read_column(f"tables.{name}", c, v) for c, v in columns.items()))


def _read_releases(
    releases: dict[str, object], table: Table
) -> tuple[tuple[Query, ...], dict[str, object]]:
    """Return each release, and by name its budget, if it has one: SQL, or SQL and privacy."""
    if len(releases) > MAX_NAMES:
        refuse("releases", f"more than {MAX_NAMES} names")
    found: list[Query] = []
    budgets: dict[str, object] = {}
    for name, said in releases.items():
        release = cast("dict[str, object]", said) if isinstance(said, dict) else {"sql": said}
        _only(release, {"sql", "privacy"}, f"releases.{shown(name)}")
        sql = release.get("sql")
        if not isinstance(sql, str):
            refuse(f"releases.{shown(name)}", "not SQL in quotes", _RELEASE_HINT)
        found.append(read_query(name, sql, table))
        budgets[name] = release.get("privacy")
    return tuple(found), budgets


def _without_budgets(
    analyses: dict[str, object],
) -> tuple[dict[str, object], dict[str, object]]:
    """Return each analysis without its budget, and by name its budget, if it has one."""
    found: dict[str, object] = {}
    budgets: dict[str, object] = {}
    for name, said in analyses.items():
        given = cast("dict[str, object]", said) if isinstance(said, dict) else {}
        budgets[name] = given.get("privacy")
        rest = {key: value for key, value in given.items() if key != "privacy"}
        found[name] = rest if isinstance(said, dict) else said
    return found, budgets


def _section(
    top: dict[str, object], key: str, above: str = "", *, optional: bool = False
) -> dict[str, object]:
    section = top.get(key, {} if optional else None)
    if not isinstance(section, dict):
        refuse(f"{above}.{key}".lstrip("."), "missing, or not a table of names")
    return cast("dict[str, object]", section)


def _text(top: dict[str, object], key: str) -> str:
    value = top.get(key)
    if not isinstance(value, str):
        refuse(key, "missing, or not text", f'add {key} = "..."')
    return value


def _whole(top: dict[str, object], key: str, example: int) -> int:
    value = top.get(key)
    if not isinstance(value, int) or isinstance(value, bool):
        refuse(key, "missing, or not a whole number", f"add {key} = {example:_}")
    return value


def _guard(top: dict[str, object]) -> bool | wire.Absent:
    value = top.get("guard", False)
    if not isinstance(value, bool):
        refuse("guard", "neither true nor false")
    return True if value else wire.ABSENT


def _only(section: dict[str, object], known: set[str], place: str) -> None:
    if unknown := sorted(section.keys() - known):
        refuse(place, f"unknown key {shown(unknown[0])}", f"known are {', '.join(sorted(known))}")
