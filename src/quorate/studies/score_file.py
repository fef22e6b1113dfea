"""The sections [record] and [score] of a study file, spelled canonically, not yet checked."""

from collections.abc import Mapping
from decimal import Decimal
from typing import cast

from quorate.studies.schema import canonical, refuse, shown
from quorate.studies.score import Item, Only, Part, Record, Score, Scoring

_SCORE = {"name", "source", "link", "start", "shows", "bands", "edges", "items"}
_RECORD = {"list", "pseudonym", "patients", "digest", "treating", "parts"}
_ITEM = {"column", "only", "edges", "points", "weight"}
_HINT = "a score comes in a file of its own: quorate study propose STUDY --score FILE"


def read_scoring(score: object, record: object) -> Scoring:
    """Return what the two sections say. Raises `MalformedStudy` naming the place."""
    return Scoring(_read_score(_table("score", score, _SCORE)), _read_record(record))


def _read_score(section: Mapping[str, object]) -> Score:
    link, shows = _text("score.link", section), _text("score.shows", section)
    items = section.get("items")
    if not isinstance(items, list):
        refuse("score.items", "missing", "add one [[score.items]] for each column")
    return Score(
        _text("score.name", section),
        _text("score.source", section),
        link,  # type: ignore[arg-type] # held to its words when it is checked
        _number("score.start", section.get("start", 0)),
        shows,  # type: ignore[arg-type]
        tuple(str(band) for band in _list("score.bands", section)),
        tuple(_number("score.edges", edge) for edge in _list("score.edges", section)),
        tuple(_read_item(f"score.items, number {i + 1}", one) for i, one in enumerate(items)),
    )


def _read_item(place: str, value: object) -> Item:
    section = _table(place, value, _ITEM)
    only = section.get("only", {})
    if not isinstance(only, dict):
        refuse(f"{place}.only", "not a table", 'write for instance only = { sex = "F" }')
    conditions = cast("dict[str, object]", only)
    weight = section.get("weight")
    return Item(
        _text(f"{place}.column", section),
        tuple(Only(name, str(conditions[name])) for name in sorted(conditions)),
        tuple(_number(place, edge) for edge in _list(f"{place}.edges", section)),
        tuple(_number(place, points) for points in _list(f"{place}.points", section)),
        "" if weight is None else _number(f"{place}.weight", weight),
    )


def _read_record(value: object) -> Record:
    section = _table("record", value, _RECORD)
    patients, digest = section.get("patients"), _text("record.digest", section)
    if not isinstance(patients, int) or isinstance(patients, bool):
        refuse("record.patients", "not a whole number", "quorate study patients FILE says it")
    try:
        raw = bytes.fromhex(digest)
    except ValueError:
        refuse("record.digest", "not hexadecimal", "quorate study patients FILE says it")
    parts = section.get("parts")
    if not isinstance(parts, dict):
        refuse("record.parts", "missing", 'add for instance north = ["age"]')
    held = cast("dict[str, object]", parts)
    return Record(
        _text("record.list", section),
        _text("record.pseudonym", section),
        patients,
        raw,
        _text("record.treating", section),
        tuple(
            Part(name, tuple(str(one) for one in _list(f"record.parts.{name}", held)))
            for name in held
        ),
    )


def _table(place: str, value: object, known: set[str]) -> Mapping[str, object]:
    if not isinstance(value, dict):
        refuse(place, "missing, or not a table", _HINT)
    found = cast("dict[str, object]", value)
    if unknown := sorted(found.keys() - known):
        refuse(place, f"unknown key {shown(unknown[0])}", f"known are {', '.join(sorted(known))}")
    return found


def _text(place: str, section: Mapping[str, object]) -> str:
    value = section.get(place.rpartition(".")[2])
    if not isinstance(value, str):
        refuse(place, "missing, or not text")
    return value


def _list(place: str, section: Mapping[str, object]) -> list[object]:
    value = section.get(place.rpartition(".")[2], [])
    if not isinstance(value, list):
        refuse(place, "not a list")
    return cast("list[object]", value)


def _number(place: str, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        refuse(place, "not a number")
    number = Decimal(value)
    if not number.is_finite():
        refuse(place, "not a number")
    return canonical(f"{number:f}")
