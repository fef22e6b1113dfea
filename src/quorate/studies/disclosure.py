"""What a plan reveals, to whom, and against whom it protects: known before anything runs.

Derived from the plan alone, so that a member who approves the plan's digest has
approved exactly this. What follows from the revealed values by plain arithmetic
is listed too: a reader should not have to be a mathematician.
"""

from dataclasses import dataclass

from quorate.studies.cost import run_cost
from quorate.studies.plan import Count, Input, Plan, Sum


@dataclass(frozen=True, slots=True)
class Reveal:
    """One value that leaves the secret domain, to whom, and which releases need it."""

    what: str
    to: tuple[str, ...]
    needed_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Disclosure:
    reveals: tuple[Reveal, ...]
    follows: tuple[str, ...]  # what anyone can compute from the revealed values
    t: int  # colluding members the plan holds against
    members: int
    rounding: tuple[str, ...]
    not_protected: tuple[str, ...]
    rounds: int
    bytes_sent: int  # by each member

    def lines(self) -> tuple[str, ...]:
        """Return the whole disclosure as lines of plain text."""
        return (
            *(f"reveals  {r.what}, for {', '.join(r.needed_by)}" for r in self.reveals),
            f"to       {', '.join(self.reveals[0].to)}; nothing else is revealed",
            *(f"implies  {text}" for text in self.follows),
            f"holds    {self._holds()}",
            *(f"rounding {text}" for text in self.rounding),
            *(f"not      {text}" for text in self.not_protected),
            f"costs    {self.rounds} rounds, {self.bytes_sent} bytes sent by each member",
        )

    def _holds(self) -> str:
        if self.members == 2:
            return "against nobody inside: only those outside learn nothing"
        return (
            f"against any {self.t} of {self.members} members together: they learn of the others "
            "what is said here, and nothing else"
        )


def disclose(plan: Plan) -> Disclosure:
    """Return what approving `plan` means. The plan must have passed `check`."""
    cost = run_cost(len(plan.members), len(plan.inputs))
    return Disclosure(
        reveals=tuple(_reveal(plan, item) for item in plan.inputs),
        follows=_follows(plan),
        t=plan.t,
        members=len(plan.members),
        rounding=_rounding(plan),
        not_protected=_not_protected(plan),
        rounds=cost.rounds,
        bytes_sent=cost.bytes_sent,
    )


def _what(plan: Plan, item: Input) -> str:
    if isinstance(item, Count):
        return f"number of rows in {plan.study.table.name}"
    return f"sum of {item.column}"


def _reveal(plan: Plan, item: Input) -> Reveal:
    needed_by = tuple(
        f"{output.name} = {output.formula}"
        for output in plan.study.releases
        if (isinstance(item, Count) and output.statistic != "sum")
        or (not isinstance(item, Count) and output.column == item.column)
    )
    return Reveal(f"{_what(plan, item)}, of all members together", plan.recipients, needed_by)


def _follows(plan: Plan) -> tuple[str, ...]:
    values = " and ".join(_what(plan, item) for item in plan.inputs)
    means = tuple(
        f"the sum of {item.column} is its mean times the number of rows: two tell all three"
        for item in plan.inputs
        if isinstance(item, Sum) and Count() in plan.inputs
    )
    if plan.t > 1:
        return (
            *means,
            f"each member, by subtracting its own: {values} of the other members together",
        )
    first, second = plan.members
    return (
        *means,
        f"{first} learns {values} of {second} alone, by subtracting its own",
        f"{second} learns {values} of {first} alone, by subtracting its own",
    )


def _rounding(plan: Plan) -> tuple[str, ...]:
    columns = [plan.study.table.column(i.column) for i in plan.inputs if isinstance(i, Sum)]
    return tuple(
        f"{column.name} to 9 decimals a row and 2^-{plan.fraction_bits} a member"
        for column in columns
        if column.kind == "number"
    )


def _not_protected(plan: Plan) -> tuple[str, ...]:
    n = len(plan.members)
    return (
        f"a member against all {n - 1} others together: they subtract their own and learn its part"
        if n > 2
        else "the two members against each other, as said above",
        "against a lie: a member may compute on rows that are false or not its own",
        "against a stop: a member can end the run, even after it alone saw the result",
        "against comparison: studies over nearly the same rows tell about the rows that differ",
        "small groups: there is no least number of rows, and a sum over few says much of each",
        f"that each member has 1 to {plan.study.max_rows} rows, all of them within the bounds",
        "the result itself: a recipient may pass it on",
    )
