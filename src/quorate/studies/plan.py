"""A plan: exactly what will run, among whom, and what will be revealed, as data.

    study + group --compile_plan--> Plan --digest--> what every member approves
    Plan --inputs--> what each member computes on its own rows
    Plan + pooled totals --results--> what the study's releases are

A plan that arrives from another member is held to the same rules as one
compiled here: call `check` before believing any of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from typing import Literal

from quorate import wire
from quorate.algebra import fixed
from quorate.errors import Abort, Refused
from quorate.studies.group import Group, check_group
from quorate.studies.study import Column, Function, Output, Study, check_study, shown

FORMAT = 1
FRACTION_BITS = 20
SOFTWARE = "quorate wire 1, additive sum 1"
"""What every node of a session must speak; changes when bytes or their meaning do."""

TWO_MEMBERS = "two-members"
ACCEPTABLE = (TWO_MEMBERS,)
PLACES = 6  # decimals shown; fixed point resolves 2^-20, about as much


@dataclass(frozen=True, slots=True)
class Count:
    """How many rows a member has."""


@dataclass(frozen=True, slots=True)
class Sum:
    """The sum of one column over a member's rows."""

    column: str


Input = Count | Sum


@dataclass(frozen=True, slots=True)
class Result:
    """The value of one release: numerator/denominator in lowest terms, and as a decimal."""

    name: str
    statistic: Function
    column: str | None
    unit: str
    numerator: int
    denominator: int
    value: str  # rounded to PLACES decimals, ties to even


@dataclass(frozen=True, slots=True)
class Plan:
    format: int
    study: Study
    group: bytes  # digest of the roster
    members: tuple[str, ...]  # in roster order
    recipients: tuple[str, ...]
    proposer: str
    proposed_at: str  # UTC, such as 2027-01-31T09:30:00Z
    trust_model: Literal["mpc"]
    protocol: Literal["additive sum"]
    t: int  # colluding members it holds against
    fraction_bits: int  # of sums of "number" columns; "integer" columns have none
    accept: tuple[str, ...]  # risks the members accept by approving, sorted
    software: str

    def digest(self) -> bytes:
        return wire.digest("plan", self)

    @property
    def short_id(self) -> str:
        """Return the digest's beginning, for people: enough to tell plans apart, not to trust."""
        text = self.digest().hex()
        return f"{text[:4]}-{text[4:8]}"

    @property
    def inputs(self) -> tuple[Input, ...]:
        """Return the aggregates each member computes, each once: the count first, if any."""
        releases = self.study.releases
        counted = any(output.statistic in {"count", "avg"} for output in releases)
        summed = dict.fromkeys(output.column for output in releases if output.column is not None)
        return (*((Count(),) if counted else ()), *map(Sum, summed))

    def bits(self, column: Column) -> int:
        """Return the fraction bits in which the sum of `column` is expressed."""
        return self.fraction_bits if column.kind == "number" else 0

    def results(self, totals: tuple[int, ...]) -> tuple[Result, ...]:
        """Return what the releases are when `totals` are the pooled `inputs`.

        A mean is total / (2^bits · count), exactly. Every member has at least
        one row, so the count is never zero; totals no honest members could
        have produced raise `Abort`.
        """
        total = dict(zip(self.inputs, totals, strict=True))
        for item, value in total.items():
            least, most = self._possible(item, total.get(Count()))
            if not least <= value <= most:
                raise Abort(
                    "the pooled totals are impossible under this plan",
                    hint="a member did not follow the plan; nothing here shows which one",
                )
        return tuple(
            result_of(self, output, self._value(output, total)) for output in self.study.releases
        )

    def _value(self, output: Output, total: dict[Input, int]) -> Fraction:
        if output.column is None:
            return Fraction(total[Count()])
        bits = self.bits(self.study.table.column(output.column))
        value = fixed.decode(total[Sum(output.column)], bits)
        return value / total[Count()] if output.statistic == "avg" else value

    def _possible(self, item: Input, count: int | None) -> tuple[Fraction, Fraction]:
        n = len(self.members)
        rows = (n, n * self.study.max_rows)
        if isinstance(item, Count):
            return Fraction(rows[0]), Fraction(rows[1])
        column = self.study.table.column(item.column)
        unit = 1 << self.bits(column)
        slack = n if unit > 1 else 0  # each member rounds its sum once
        if count is not None:
            rows = (count, count)
        least = min(r * Fraction(column.low) for r in rows) * unit - slack
        return least, max(r * Fraction(column.high) for r in rows) * unit + slack


def compile_plan(
    study: Study, group: Group, *, proposer: str, now: datetime, accept: Iterable[str] = ()
) -> Plan:
    """Return the plan of `study` among all members of `group`. Raises `Refused`."""
    plan = Plan(
        format=FORMAT,
        study=study,
        group=group.digest(),
        members=group.names,
        recipients=group.names,
        proposer=proposer,
        proposed_at=utc_text(now),
        trust_model="mpc",
        protocol="additive sum",
        t=len(group.members) - 1,
        fraction_bits=FRACTION_BITS,
        accept=tuple(sorted(set(accept))),
        software=SOFTWARE,
    )
    check(plan, group)
    return plan


def check(plan: Plan, group: Group) -> None:
    """Refuse a plan that must not run in `group`, whoever made it.

    Raises `Refused`, `MalformedStudy` for its study, `MalformedMessage` for the group.
    """
    check_group(group)
    check_study(plan.study)
    _require(plan.format == FORMAT, "the plan has a format this version does not know")
    _require(
        plan.software == SOFTWARE,
        f"the plan is for {shown(plan.software)}, and this node speaks {SOFTWARE}",
        "let all members run the same version",
    )
    _require(plan.group == group.digest(), "the plan is for another group, or another roster of it")
    _require(plan.members == group.names, "the plan names other members than the group has")
    _require(
        plan.recipients == plan.members,
        "the plan limits who receives the result",
        "an additive sum reveals its result to every member",
    )
    _require(plan.proposer in plan.members, "the plan's proposer is not a member")
    check_time(plan.proposed_at)
    _require(plan.t == len(plan.members) - 1, "the plan claims another protection than it has")
    _require(
        plan.fraction_bits == FRACTION_BITS, f"the plan has not {FRACTION_BITS} bits of fraction"
    )
    _check_accepted(plan)
    _check_no_overflow(plan)


def check_time(text: str) -> None:
    """Refuse anything but a UTC time to the second, in the one spelling `utc_text` gives."""
    try:
        same = utc_text(datetime.fromisoformat(text)) == text
    except (ValueError, OverflowError):
        same = False
    _require(same, "a time is not written as 2027-01-31T09:30:00Z")


def utc_text(now: datetime) -> str:
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def result_of(plan: Plan, output: Output, value: Fraction) -> Result:
    """Return `value` as the result of `output`, in the one form it can have."""
    unit = "rows" if output.column is None else plan.study.table.column(output.column).unit
    return Result(
        output.name,
        output.statistic,
        output.column,
        unit,
        value.numerator,
        value.denominator,
        decimal_text(value),
    )


def decimal_text(value: Fraction) -> str:
    """Return `value` rounded to PLACES decimals, ties to even, without idle zeros."""
    scaled = round(value * 10**PLACES)
    whole, part = divmod(abs(scaled), 10**PLACES)
    digits = f"{whole}.{part:0{PLACES}}".rstrip("0").rstrip(".")
    return f"-{digits}" if scaled < 0 else digits


def _check_accepted(plan: Plan) -> None:
    unknown = [word for word in plan.accept if word not in ACCEPTABLE]
    _require(
        not unknown and plan.accept == tuple(sorted(set(plan.accept))),
        "the plan accepts something unknown, or twice",
        f"what can be accepted: {', '.join(ACCEPTABLE)}",
    )
    _require(
        len(plan.members) > 2 or TWO_MEMBERS in plan.accept,
        "with two members a sum reveals the other's value: each subtracts its own",
        f"if both members want that, propose with --accept {TWO_MEMBERS}",
    )


def _check_no_overflow(plan: Plan) -> None:
    n, study = len(plan.members), plan.study
    for item in plan.inputs:
        if isinstance(item, Count):
            continue  # below 2^63 by the limits on members and rows
        column = study.table.column(item.column)
        bits = plan.bits(column)
        if not fixed.sum_fits(n, study.max_rows * column.largest, bits):
            fit = (fixed.LIMIT - n) // (n * column.largest * (1 << bits))
            raise Refused(
                f"the sum of {item.column} could overflow: {n} members with {study.max_rows} "
                f"rows of {column.declared} each do not fit 63 bits",
                hint=f"set max_rows = {fit} or less"
                if fit
                else f"narrow the bounds of {item.column}",
            )


def _require(condition: bool, message: str, hint: str = "") -> None:
    if not condition:
        raise Refused(message, hint=hint)
