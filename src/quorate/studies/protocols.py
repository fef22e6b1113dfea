"""By which protocol a study runs, who computes it, and against whom that holds.

It follows from the study, the number of members and what they accept; a plan says it, and is
held to it.
"""

from typing import Literal

from quorate.mpc.replicated import SEATS
from quorate.studies.analyses.kinds import needs_tables, stepping_of
from quorate.studies.noised import colluders, is_in_shares
from quorate.studies.query import Query
from quorate.studies.records import is_on_records
from quorate.studies.study import Study
from quorate.studies.trust import ENCLAVE, THIRD_PARTY

Protocol = Literal[
    "additive sum",
    "committee of three",
    "joint noise",
    "noise in shares",
    "noise on records",
    "score for one member",
    "steps of three",
    "tables of three",
    "third party",
    "enclave",
]
TrustModel = Literal["mpc", "local-noise", "third-party", "enclave"]
ADDITIVE: Protocol = "additive sum"
COMMITTEE: Protocol = "committee of three"
JOINT_NOISE: Protocol = "joint noise"
NOISE_IN_SHARES: Protocol = "noise in shares"
NOISE_ON_RECORDS: Protocol = "noise on records"
SCORE: Protocol = "score for one member"
STEPS: Protocol = "steps of three"
TABLES: Protocol = "tables of three"
BY_THIRD_PARTY: Protocol = "third party"
BY_ENCLAVE: Protocol = "enclave"
ON_ROWS = (BY_THIRD_PARTY, BY_ENCLAVE)
"""These are sent rows."""

OF_THREE = (COMMITTEE, JOINT_NOISE, SCORE, STEPS, TABLES)
"""These the first three members compute."""

WITHHOLDING = (COMMITTEE, STEPS, TABLES)
"""These decide on shares what is shown of an analysis."""

TWO_MEMBERS = "two-members"
SMALL_CELLS_SEEN = "small-cells-seen"
SEMI_HONEST = "semi-honest"
SIGNED_MESSAGES = "signed-messages"
ACCEPTABLE = (SEMI_HONEST, SIGNED_MESSAGES, SMALL_CELLS_SEEN, TWO_MEMBERS)


def protocol_of(study: Study, members: int, accept: tuple[str, ...]) -> Protocol:
    """Return by which protocol `study` runs: a committee, if cells could be small, and it can be.

    Analyses compare and divide, which takes a committee.
    All rows of all members are no small cell. Two members cannot hide a cell from each
    other; more may prefer the sum that holds against all but one, and see the cells.
    """
    if study.is_scored:
        return SCORE
    if study.trust == THIRD_PARTY:
        return BY_THIRD_PARTY
    if study.trust == ENCLAVE:
        return BY_ENCLAVE
    if is_on_records(study):
        return NOISE_ON_RECORDS
    if study.privacy is not None:
        return NOISE_IN_SHARES if is_in_shares(study, members) else JOINT_NOISE
    if needs_tables(study):
        return TABLES
    if study.analyses:
        return COMMITTEE if stepping_of(study, members) is None else STEPS
    small = study.min_cell > 1 and any(q.where or q.group_by or _bins(q) for q in study.releases)
    return COMMITTEE if small and members > 2 and SMALL_CELLS_SEEN not in accept else ADDITIVE


def recipients(study: Study, members: tuple[str, ...]) -> tuple[str, ...]:
    return (study.scoring.record.treating,) if study.is_scored else members


def computing(study: Study, members: tuple[str, ...], protocol: Protocol) -> tuple[str, ...]:
    if protocol == BY_THIRD_PARTY:
        return (study.third_party,)
    if protocol == BY_ENCLAVE:
        return (study.enclosed.host,)
    return members[:SEATS] if protocol in OF_THREE else members


def held_against(members: tuple[str, ...], protocol: Protocol) -> int:
    if protocol in ON_ROWS:
        return 0
    if protocol == NOISE_IN_SHARES:
        return colluders(len(members))
    return 1 if protocol in OF_THREE else len(members) - 1


def trust_model_of(study: Study) -> TrustModel:
    if is_on_records(study):
        return "local-noise"
    return study.trust


def _bins(query: Query) -> bool:
    return any(output.has_bins for output in query.outputs)
