"""A bundle: one study under several models of trust, which is proposed and approved as one.

    title, purpose, max_rows, [tables.*], [releases]: as of any study, without privacy

    [arms.server]                         # an arm says whom it trusts, and what it costs
    trust = "third-party"
    third_party = "north"
    [arms.secure]                         # nothing said: nobody is trusted with a row
    [arms.noisy]
    privacy = { bounds = "protocol", epsilon = 1.0 }   # the budget is each release's

Every arm is a study of its own with its own plan, run, certificate and costs. One word of a member
is on all plans (`approval.Approval.beside`).
"""

from collections.abc import Sequence
from typing import cast

from quorate.studies.approval import MAX_ARMS
from quorate.studies.privacy import EACH_RECORD
from quorate.studies.protocols import SMALL_CELLS_SEEN
from quorate.studies.schema import check_name, refuse, shown
from quorate.studies.study import Study, read_toml, study_of
from quorate.studies.trust import THIRD_PARTY

_ARM = {"trust", "third_party", "privacy"}
_BUDGET = ("epsilon", "delta", "rho")
_HINT = 'write for instance [arms.noisy] and privacy = { bounds = "protocol", epsilon = 1.0 }'


def read_bundle(text: str) -> tuple[Study, ...]:
    """Return the study that `text` states under each of its arms; itself, if it has none.

    Raises `MalformedStudy` naming the place.
    """
    top = read_toml(text)
    if "arms" not in top:
        return (study_of(top),)
    arms = _table(top.pop("arms"), "arms")
    if not 2 <= len(arms) <= MAX_ARMS:
        refuse("arms", f"a comparison has 2 to {MAX_ARMS} arms", _HINT)
    if said := sorted(top.keys() & _ARM):
        refuse(said[0], "is said by each arm of a comparison", _HINT)
    return tuple(study_of(_arm(top, name, value)) for name, value in arms.items())


def accepted_by(study: Study, risks: Sequence[str]) -> tuple[str, ...]:
    """Return the risks that concern this arm: some concern a committee only."""
    plain = study.trust == THIRD_PARTY or (study.privacy and study.privacy.noise == EACH_RECORD)
    return tuple(risk for risk in risks if not plain or risk in {SMALL_CELLS_SEEN, "two-members"})


def _arm(top: dict[str, object], name: str, value: object) -> dict[str, object]:
    place = f"arms.{shown(name)}"
    check_name("arms", name)
    arm = _table(value, place)
    if unknown := sorted(arm.keys() - _ARM):
        refuse(place, f"unknown key {shown(unknown[0])}", f"known are {', '.join(sorted(_ARM))}")
    found = {**top, **arm, "title": f"{top.get('title', '')}: {name}"}
    if "privacy" not in arm:
        return found
    privacy = dict(_table(arm["privacy"], f"{place}.privacy"))
    budget = {key: privacy.pop(key) for key in _BUDGET if key in privacy}
    releases = _table(top.get("releases"), "releases")
    noised = {release: {"sql": sql, "privacy": budget} for release, sql in releases.items()}
    return {**found, "privacy": privacy, "releases": noised}


def _table(value: object, place: str) -> dict[str, object]:
    if not isinstance(value, dict):
        refuse(place, "not a table of names", _HINT)
    return cast("dict[str, object]", value)
