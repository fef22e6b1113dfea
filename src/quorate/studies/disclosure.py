"""What a plan reveals, to whom, and against whom it protects: known before anything runs.

Derived from the plan alone, so that a member who approves the plan's digest has
approved exactly this. What follows from the revealed values by plain arithmetic
is listed too: a reader should not have to be a mathematician.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, permutations

from quorate.models.newton import MOST_STEPS
from quorate.studies.analyses.kinds import all_asked, kind_of
from quorate.studies.cost import run_cost
from quorate.studies.inputs import AMOUNTS, Input, asked_of, cells_of, size
from quorate.studies.lines import layout_of
from quorate.studies.noise_disclosure import noise_words
from quorate.studies.plan import Plan
from quorate.studies.programs import program_of
from quorate.studies.protocols import ADDITIVE, ON_ROWS, STEPS, TABLES, WITHHOLDING
from quorate.studies.score_disclosure import score_words
from quorate.studies.trust_words import (
    not_by_third,
    seen_by_third,
    third_holds,
    third_withholds,
)
from quorate.studies.words import cells_in_words, listed

_SHOWN_ONLY = (*WITHHOLDING, *ON_ROWS)
"""With these nobody is told of a cell but what is shown of it, one who sees rows apart."""


@dataclass(frozen=True, slots=True)
class Reveal:
    """Values that leave the secret domain, one for each cell, to whom, and what needs them."""

    what: str
    cells: int
    to: tuple[str, ...]
    needed_by: tuple[str, ...]  # "release.name", or empty where only withholding needs them


@dataclass(frozen=True, slots=True)
class Disclosure:
    asks: tuple[str, ...]  # each release as SQL
    reveals: tuple[Reveal, ...]
    follows: tuple[str, ...]  # what anyone can compute from the revealed values
    withholds: str
    holds: str
    t: int  # colluding members the plan holds against
    members: int
    rounding: tuple[str, ...]
    not_protected: tuple[str, ...]
    rounds: int
    bytes_sent: tuple[int, ...]  # by each member
    computes: tuple[str, ...]
    noise: tuple[
        str, ...
    ] = ()  # its law, its guarantee and its bounds; none where values are exact
    sees: tuple[str, ...] = ()  # what a third party does
    bytes_a_row: int = 0  # that each member but the third party sends beside `bytes_sent`
    at_most: bool = False  # where rounds and bytes follow from the order of a sort

    def lines(self) -> tuple[str, ...]:
        """Return the whole disclosure as lines of plain text."""
        return (
            *(f"asks     {text}" for text in self.asks),
            *(f"reveals  {r.what}, {_needed(r)}" for r in self.reveals),
            *self._to(),
            *(f"sees     {text}" for text in self.sees),
            *(f"noise    {text}" for text in self.noise),
            *(f"implies  {text}" for text in self.follows),
            f"small    {self.withholds}",
            f"holds    {self.holds}",
            *(f"rounding {text}" for text in self.rounding),
            *(f"not      {text}" for text in self.not_protected),
            f"costs    {'at most ' * self.at_most}{self.rounds} rounds, {self._sent()}",
            *self._luck(),
        )

    def _luck(self) -> tuple[str, ...]:
        said = "how many in truth follows from the random order of a sort, and from no row"
        return (f"costs    {said}",) if self.at_most else ()

    def _to(self) -> tuple[str, ...]:
        """Return to whom all is revealed, or each thing where that differs."""
        if len({reveal.to for reveal in self.reveals}) == 1:
            but = f", but to {self.computes[0]}" if self.sees else ""
            to = ", ".join(self.reveals[0].to)
            return (f"to       {to}; nothing else is revealed{but}",)
        each = (f"to       {', '.join(one.to)}: {one.what}" for one in self.reveals)
        return (*each, "to       nobody: anything else")

    def _sent(self) -> str:
        if self.sees:
            sent = dict(zip(self.reveals[0].to, self.bytes_sent, strict=True))
            third = sent.pop(self.computes[0])
            each = f"{max(sent.values())} by each other member, and {self.bytes_a_row}"
            return f"bytes sent: {third} by {self.computes[0]}, {each} for each of its rows"
        if len(set(self.bytes_sent)) == 1:
            return f"{self.bytes_sent[0]} bytes sent by each member"
        seats = zip(self.bytes_sent, self.computes, strict=False)
        named = ", ".join(f"{sent} by {name}" for sent, name in seats)
        outside = self.members > len(self.computes)
        others = f", {self.bytes_sent[-1]} by each other member" if outside else ""
        return f"bytes sent: {named}{others}"


@lru_cache(maxsize=256)  # a cost takes half a second to work out, and every page asks for it
def disclose(plan: Plan) -> Disclosure:
    """Return what approving `plan` means. The plan must have passed `check`."""
    if plan.study.privacy is not None:
        return _with_noise(plan)
    if plan.study.is_scored:
        return _of_score(plan)
    cost = run_cost(plan)
    return Disclosure(
        asks=_asks(plan),
        reveals=_reveals(plan),
        follows=(*_follows(plan), *_of_analyses(plan), *_of_tables(plan)),
        withholds=_withholds(plan),
        holds=_holds(plan),
        t=plan.t,
        members=len(plan.members),
        rounding=_rounding(plan),
        not_protected=_not_protected(plan),
        rounds=cost.rounds,
        bytes_sent=cost.bytes_sent,
        computes=plan.computes,
        sees=seen_by_third(plan),
        bytes_a_row=cost.bytes_a_row,
        at_most=cost.at_most,
    )


def _of_score(plan: Plan) -> Disclosure:
    words, cost = score_words(plan), run_cost(plan)
    name = plan.study.scoring.score.name
    return Disclosure(
        asks=words.asks,
        reveals=tuple(Reveal(what, n, to, (name,)) for what, n, to in words.reveals),
        follows=words.follows,
        withholds=words.withholds,
        holds=_by_three(plan),
        t=plan.t,
        members=len(plan.members),
        rounding=(),
        not_protected=(*words.not_protected, *_unverified(plan)),
        rounds=cost.rounds,
        bytes_sent=cost.bytes_sent,
        computes=plan.computes,
    )


def _with_noise(plan: Plan) -> Disclosure:
    words, cost = noise_words(plan), run_cost(plan)
    return Disclosure(
        asks=_asks(plan),
        reveals=tuple(Reveal(what, n, plan.recipients, (by,)) for what, n, by in words.reveals),
        follows=words.follows,
        withholds=words.withholds,
        holds=words.holds,
        t=plan.t,
        members=len(plan.members),
        rounding=words.rounding,
        not_protected=words.not_protected,
        rounds=cost.rounds,
        bytes_sent=cost.bytes_sent,
        computes=plan.computes,
        noise=words.noise,
        sees=seen_by_third(plan),
        bytes_a_row=cost.bytes_a_row,
    )


def _asks(plan: Plan) -> tuple[str, ...]:
    return (
        *(f"{query.name} = {query.sql}" for query in plan.study.releases),
        *(f"{analysis.name} = {analysis.text}" for analysis in plan.study.analyses),
    )


def _reveals(plan: Plan) -> tuple[Reveal, ...]:
    if plan.protocol == ADDITIVE:
        return tuple(_reveal(plan, item) for item in plan.inputs)
    numbers = tuple(_reveal(plan, item) for item in asked_of(plan.study))
    n = sum(size(plan.study, table) for table in layout_of(plan.study).counted)
    n = n if plan.study.min_cell > 1 else 0
    bits = [Reveal(f"a bit for each of {n} cells: is it withheld", n, plan.recipients, ())]
    return (*numbers, *(bits if n else ()), *_told(plan))


def _told(plan: Plan) -> tuple[Reveal, ...]:
    """Return what is revealed of each analysis."""
    revealed: list[Reveal] = []
    needed_by: tuple[str, ...] = ()
    for asked in all_asked(plan.study, len(plan.members)):
        values, name = kind_of(asked).values(asked), asked.analysis.name
        listed = ", ".join(dict.fromkeys(value.name for value in values))
        what = f"{listed} of all members together, and for each a bit: is there such a number"
        needed_by = tuple(dict.fromkeys(f"{name}.{value.name}" for value in values))
        revealed.append(Reveal(what, len(values), plan.recipients, needed_by))
        if plan.study.min_cell > 1:
            why = f"a bit: is {name} withheld, as less than 3 members or too few rows are in it"
            revealed.append(Reveal(why, 1, plan.recipients, ()))
    if plan.protocol == STEPS:
        p = len(plan.stepping.terms)
        what = f"in each of at most {MOST_STEPS + 1} steps, by how much {p} coefficients change"
        revealed.append(Reveal(what, p, plan.recipients, needed_by))
    return tuple(revealed)


def _of_analyses(plan: Plan) -> tuple[str, ...]:
    said = (kind_of(asked).sentences(asked) for asked in all_asked(plan.study, len(plan.members)))
    return tuple(dict.fromkeys(chain(*said)))


def _of_tables(plan: Plan) -> tuple[str, ...]:
    if plan.protocol != TABLES:
        return ()
    return program_of(plan.study, len(plan.members)).tells


def _amount(plan: Plan, item: Input) -> str:
    match item.amount:
        case "count":
            return f"number of rows in {plan.study.table.name}"
        case "sum":
            return f"sum of {item.column}"
        case "squares":
            return f"sum of squares of {item.column}"
        case "products":
            return f"sum of {item.column} times {item.other}"
        case "members":
            return "number of members with such rows"
        case "alone":
            return "what each member makes of its own rows"


def _reveal(plan: Plan, item: Input) -> Reveal:
    text, n = cells_in_words(plan.study, item.cells)
    needed_by = tuple(
        f"{query.name}.{output.name}"
        for query in plan.study.releases
        for output in query.outputs
        if cells_of(query, output) == item.cells
        and item.amount in AMOUNTS[output.statistic]
        and item.column in {"", output.column}
    )
    shown = ", where it is not withheld" if plan.protocol in _SHOWN_ONLY else ""
    what = f"{_amount(plan, item)}{text}, of all members together{shown}"
    return Reveal(what, n, plan.recipients, needed_by)


def _needed(reveal: Reveal) -> str:
    return f"for {', '.join(reveal.needed_by)}" if reveal.needed_by else "to withhold small cells"


def _follows(plan: Plan) -> tuple[str, ...]:
    inputs = asked_of(plan.study) if plan.protocol in _SHOWN_ONLY else plan.inputs
    summed = [item for item in inputs if item.amount == "sum"]
    means = tuple(
        dict.fromkeys(
            f"the sum of {item.column} is its mean times the number of rows: two tell all three"
            for item in summed
            if Input(item.cells, "count", "") in inputs
        )
    )
    spreads = tuple(
        f"the sum of squares of {name} is told by its variance, its mean and the number of rows"
        for name in dict.fromkeys(item.column for item in inputs if item.amount == "squares")
    )
    cells = tuple(dict.fromkeys(item.cells for item in inputs))
    totals = ("cells added up tell their totals",) if any(c.axes for c in cells) else ()
    differ = len({c.where for c in cells}) > 1
    parts = ("releases subtracted tell of the rows that one has and another has not",)
    return (*means, *spreads, *totals, *(parts if differ else ()), *_by_subtracting(plan))


def _by_subtracting(plan: Plan) -> tuple[str, ...]:
    inputs = asked_of(plan.study) if plan.protocol in _SHOWN_ONLY else plan.inputs
    if not inputs:
        return ()
    kinds = dict.fromkeys(_amount(plan, item) for item in inputs)
    values = " and ".join(kinds)
    if any(item.cells.axes or item.cells.where for item in inputs):
        which = "the cells that are shown" if plan.protocol in _SHOWN_ONLY else "the cells"
        values += f", in each of {which},"
    if len(plan.members) > 2:
        return (f"each member, by subtracting its own: {values} of the other members together",)
    return tuple(
        f"{one} learns {values} of {other} alone, by subtracting its own"
        for one, other in permutations(plan.members, 2)
    )


def _withholds(plan: Plan) -> str:
    least = plan.study.min_cell
    if least == 1:
        return "nothing is withheld, as min_cell is 1: a value may tell of a single row"
    values = f"values over 1 to {least - 1} rows, and those that would tell them, are withheld"
    if plan.protocol in ON_ROWS:
        return third_withholds(plan, values)
    if plan.protocol in WITHHOLDING:
        return f"{values}: {listed(plan.computes)} find them on shares, and no node learns them"
    return f"{values} from the release; every member's node still learns all numbers above"


def _holds(plan: Plan) -> str:
    n = len(plan.members)
    if plan.protocol in ON_ROWS:
        return third_holds(plan)
    if plan.protocol in WITHHOLDING:
        return _by_three(plan)
    if n == 2:
        return "against nobody inside: only those outside learn nothing"
    return (
        f"against any {plan.t} of {n} members together: they learn of the others "
        "what is said here, and nothing else"
    )


def _by_three(plan: Plan) -> str:
    one = (
        "whatever it does: it can end the run, and bends a result unnoticed with a chance "
        "below 2^-40"
        if plan.security == "malicious"
        else "that follows the protocol and only looks (semi-honest)"
    )
    read = "rows" if plan.protocol == TABLES else "numbers"
    together = f"two of these together read every member's {read}"
    return f"against any one of {listed(plan.computes)} {one}: {together}"


def _rounding(plan: Plan) -> tuple[str, ...]:
    texts: dict[str, None] = {}
    for item in plan.inputs:
        if item.column and plan.study.table.column(item.column).kind == "number":
            squares = " squares" if item.amount == "squares" else ""
            times = f" times {item.other}" if item.other else ""
            texts[
                f"{item.column}{squares}{times} to {18 if squares or times else 9} decimals a row, "
                f"{plan.decimals(item)} decimals a member"
            ] = None
    return tuple(texts)


def _not_protected(plan: Plan) -> tuple[str, ...]:
    n = len(plan.members)
    return (
        f"a member against all {n - 1} others together: they subtract their own and learn its part"
        if n > 2
        else "the two members against each other, as said above",
        *not_by_third(plan),
        *(_not_by_committee(plan) if plan.protocol in WITHHOLDING else ()),
        *(
            ["against proof: members sign what they send, which others can show to anybody"]
            if plan.is_signed
            else []
        ),
        "against a lie: a member may compute on rows that are false or not its own",
        "against a stop: a member can end the run, even after it alone saw the result",
        _compared(plan),
        "by noise: values are exact, and what somebody knows already may tell more",
        f"that each member has 1 to {plan.study.max_rows} rows, all of them as declared",
        "the result itself: a recipient may pass it on",
    )


def _not_by_committee(plan: Plan) -> tuple[str, ...]:
    return (
        *_unverified(plan),
        "a small cell against rows that a member makes up: with them it may be small no longer",
    )


def _unverified(plan: Plan) -> tuple[str, ...]:
    if plan.security == "malicious":
        return ()
    three = listed(plan.computes)
    return (f"against one of {three} that deviates: it can make results wrong, unnoticed",)


def _compared(plan: Plan) -> str:
    """Return what is said of studies over nearly the same rows."""
    if not plan.study.is_guarded:
        return (
            "against comparison: studies over nearly the same rows tell about the rows that differ"
        )
    return (
        "against comparison of three studies or more: a guard stops this one where its rows "
        f"differ by 1 to {plan.study.min_cell - 1} from those of a guarded one released before, "
        f"and tells one bit, which {listed(plan.members[:3])} find on shares: any one of them "
        "learns no more; two together would"
    )
