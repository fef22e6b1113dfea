"""Compile a study into a plan, and hold a plan of whoever made it to the same rules."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from quorate.errors import Refused
from quorate.mpc.replicated import SEATS
from quorate.studies.analyses.kinds import check_kinds, every_value, stepping_of
from quorate.studies.group import Group, check_group
from quorate.studies.inputs import (
    Cells,
    cells_of,
    decimals,
    most_rows,
    size,
    used_columns,
)
from quorate.studies.lines import layout_of
from quorate.studies.noise_checks import check_noise
from quorate.studies.plan import Plan
from quorate.studies.programs import program_of
from quorate.studies.protocols import (
    ACCEPTABLE,
    COMMITTEE,
    OF_THREE,
    ON_ROWS,
    SEMI_HONEST,
    SIGNED_MESSAGES,
    SMALL_CELLS_SEEN,
    TABLES,
    TWO_MEMBERS,
    computing,
    held_against,
    protocol_of,
    recipients,
    trust_model_of,
)
from quorate.studies.records import check_records, is_on_records
from quorate.studies.results import slots
from quorate.studies.schema import shown
from quorate.studies.score import check_members
from quorate.studies.study import Study, check_study
from quorate.studies.times import check_time, utc_text
from quorate.studies.trust import MOST_VALUES

FORMAT = 5
SOFTWARE = "quorate wire 1, studies 5, additive sum 1, committee 3, noise 2, third party 1"
"""What every node of a session must speak; changes when bytes or their meaning do."""

MAX_COMPARED = 2_000_000  # pairs of cells a committee puts in order
MAX_RESULTS = 10_000  # values a study releases
MAX_RESULT_BYTES = 3_000_000  # of all results, so that a release fits one record


def compile_plan(
    study: Study, group: Group, *, proposer: str, now: datetime, accept: Iterable[str] = ()
) -> Plan:
    """Return the plan of `study` among all members of `group`. Raises `Refused`."""
    accepted = tuple(sorted(set(accept)))
    protocol = protocol_of(study, len(group.members), accepted)
    plan = Plan(
        format=FORMAT,
        study=study,
        group=group.digest(),
        members=group.names,
        computes=computing(study, group.names, protocol),
        recipients=recipients(study, group.names),
        proposer=proposer,
        proposed_at=utc_text(now),
        trust_model=trust_model_of(study),
        protocol=protocol,
        t=held_against(group.names, protocol),
        privacy=_privacy_of(study),
        accept=accepted,
        software=SOFTWARE,
    )
    check(plan, group)
    return plan


def check(plan: Plan, group: Group) -> None:
    """Refuse a plan that must not run in `group`, whoever made it.

    Raises `Refused`, `MalformedStudy` for its study, `MalformedMessage` for the group.
    """
    check_group(group)
    _require(plan.format == FORMAT, "the plan has a format this version does not know")
    _require(
        plan.software == SOFTWARE,
        f"the plan is for {shown(plan.software)}, and this node speaks {SOFTWARE}",
        "let all members run the same version",
    )
    check_study(plan.study)
    _check_three(plan)
    check_kinds(plan.study, len(plan.members))
    _require(plan.group == group.digest(), "the plan is for another group, or another roster of it")
    _require(plan.members == group.names, "the plan names other members than the group has")
    _require(plan.proposer in plan.members, "the plan's proposer is not a member")
    check_time(plan.proposed_at)
    _check_derived(plan)
    _check_accepted(plan)
    _check_size(plan)
    _check_protocol(plan)


def _check_three(plan: Plan) -> None:
    """Refuse what three members compute where there are two."""
    study, enough = plan.study, len(plan.members) >= SEATS
    _require(
        not (study.analyses or study.is_scored) or study.privacy is not None or enough,
        "analyses and scores are computed by three members, and the group has two",
        "ask for counts and sums, in [releases]",
    )
    _require(
        not study.is_guarded or enough,
        "the guard is computed by three members, and the group has two",
    )
    if study.is_scored:
        check_members(study.scoring.record, plan.members)


def _check_derived(plan: Plan) -> None:
    """Refuse a plan that says other of its run than follows from its study and its members."""
    study, members = plan.study, plan.members
    protocol = protocol_of(study, len(members), plan.accept)
    _require(
        plan.protocol == protocol, f"the plan does not run as its study needs, with the {protocol}"
    )
    _require(
        plan.computes == computing(study, members, protocol),
        "the plan lets others compute than it should",
        "an additive sum is computed by every member, small cells by the first three",
    )
    _require(
        plan.recipients == recipients(study, members),
        "the plan lets others receive the result than it should",
        "every member receives it, and a score the member that treats the patients",
    )
    protection = held_against(members, protocol)
    _require(plan.t == protection, "the plan claims another protection than it has")
    _require(plan.privacy == _privacy_of(study), "the plan says other noise than its study")
    same = plan.trust_model == trust_model_of(study)
    _require(same, "the plan names another trust model than its study needs")


def _check_protocol(plan: Plan) -> None:
    """Refuse what the plan's protocol cannot compute, or not within its limits."""
    exact = plan.study.privacy is None
    by_third = plan.protocol in ON_ROWS
    if by_third:
        _check_third_party(plan)
    if exact:
        _check_no_overflow(plan)
    elif is_on_records(plan.study):
        check_records(plan.study)
    else:
        check_noise(plan.study, len(plan.members))
    if plan.protocol == TABLES and program_of(plan.study, len(plan.members)).is_curious_only:
        _require(
            plan.security == "semi-honest",
            "this cannot be verified: it holds against one that only looks",
            f"if all members want that, propose with --accept {SEMI_HONEST}",
        )
    if plan.protocol == COMMITTEE or (by_third and exact):
        _check_comparisons(plan)


def _check_accepted(plan: Plan) -> None:
    unknown = [word for word in plan.accept if word not in ACCEPTABLE]
    _require(
        not unknown and plan.accept == tuple(sorted(set(plan.accept))),
        "the plan accepts something unknown, or twice",
        f"what can be accepted: {', '.join(ACCEPTABLE)}",
    )
    _require(
        plan.protocol in OF_THREE or SEMI_HONEST not in plan.accept,
        "nothing here runs among three members, so there is nothing to leave unverified",
        f"propose it without --accept {SEMI_HONEST}",
    )
    _require(
        plan.protocol == COMMITTEE or not plan.is_signed,
        "messages are signed where a committee of three computes, and nowhere else",
        f"propose it without --accept {SIGNED_MESSAGES}",
    )
    _require(
        len(plan.members) > 2 or TWO_MEMBERS in plan.accept or plan.study.privacy is not None,
        "with two members a sum reveals the other's value: each subtracts its own",
        f"if both members want that, propose with --accept {TWO_MEMBERS}",
    )


def _check_size(plan: Plan) -> None:
    values = sum(size(plan.study, cells) for cells in _released(plan))
    values += len(list(every_value(plan.study, len(plan.members))))
    _require(
        values <= MAX_RESULTS,
        f"the study releases {values} values, and the most is {MAX_RESULTS}",
        "group by fewer categories, or make two studies of it",
    )
    n_bytes = sum(
        120 + len(s.release) + len(s.output.name) + len(s.unit) + len("".join(s.cell).encode())
        for s in slots(plan.study)
    ) + sum(
        160 + len(asked.analysis.name) + len("".join((value.name, value.unit, *value.cell)))
        for asked, value in every_value(plan.study, len(plan.members))
    )
    _require(
        n_bytes <= MAX_RESULT_BYTES,
        f"the study's results could take {n_bytes} bytes, and the most is {MAX_RESULT_BYTES}",
        "shorten names, group by fewer categories, or make two studies of it",
    )


def _check_comparisons(plan: Plan) -> None:
    compared = layout_of(plan.study).compared
    _require(
        compared <= MAX_COMPARED,
        f"to withhold small cells {compared} pairs would be compared, and the most is "
        f"{MAX_COMPARED}",
        f"group by fewer categories, release fewer totals, or --accept {SMALL_CELLS_SEEN}",
    )


def _check_third_party(plan: Plan) -> None:
    third = plan.computes[0]
    _require(
        stepping_of(plan.study, len(plan.members)) is None,
        "a regression in steps that all see is computed by three members, and by nobody else",
        'leave out reveal_iterations, or set trust = "mpc"',
    )
    _require(
        third in plan.members,
        f"{shown(third)}, which is to compute, is not a member",
        f"the members are {', '.join(plan.members)}",
    )
    columns = len(used_columns(plan.study, plan.inputs))
    most = MOST_VALUES // max(columns, 1)
    _require(
        plan.study.privacy is not None or plan.study.max_rows <= most,
        f"{third} would be sent more than {MOST_VALUES} values by a member",
        f"set max_rows = {most} or less",
    )


def _privacy_of(study: Study) -> Literal["none", "differential"]:
    return "none" if study.privacy is None else "differential"


def _released(plan: Plan) -> list[Cells]:
    return [cells_of(q, output) for q in plan.study.releases for output in q.outputs]


def _check_no_overflow(plan: Plan) -> None:
    n, study = len(plan.members), plan.study
    for item in plan.inputs:
        if decimals(study, n, item) is not None:
            continue
        column = study.table.column(item.column)
        what = item.amount
        fit = most_rows(column, n, item.amount)
        raise Refused(
            f"the {what} of {item.column} could overflow: {n} members with {study.max_rows} "
            f"rows of {column.declared} each do not fit 63 bits",
            hint=f"set max_rows = {fit} or less" if fit else f"narrow the bounds of {item.column}",
        )


def _require(condition: bool, message: str, hint: str = "") -> None:
    if not condition:
        raise Refused(message, hint=hint)
