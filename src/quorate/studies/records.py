"""Noise on each record before it leaves its member: what is sent, its noise, and what it tells.

The fourth trust model: nobody else is trusted, and nothing is computed in secret. Each record
is perturbed where it lies (`dp.local`), and its member tells all others the sums of its perturbed
records, from which nothing follows that did not from the records themselves. So everybody knows
how many records each member has: patients are replaced, one row each, and never added or removed.

A release's budget is shared equally by the *questions* put to each record: which cell it is in,
one of the cells or none of them; or, of a column over all records, a number about its value.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from quorate.dp import accounting, local
from quorate.dp.accounting import Charge
from quorate.errors import Abort, OutOfRange, Refused
from quorate.studies.inputs import Cells, cells_of, size
from quorate.studies.noised import bounds_of, privacy_of
from quorate.studies.privacy import EACH_RECORD
from quorate.studies.query import Output, Query
from quorate.studies.results import Result, Slot, result_of, slots
from quorate.studies.statistics import exact_text
from quorate.studies.study import Study

MAX_RECORDS = 10_000_000
"""Of one member: each is drawn for, in memory."""

EVERYTHING = Cells((), ())


@dataclass(frozen=True, slots=True)
class Question:
    """What each record answers with noise, and how its answers are summed up."""

    release: str
    cells: Cells
    column: str  # empty where the answer is a cell
    mechanism: local.Response | local.OneBit | local.Window
    epsilon: Fraction

    @property
    def size(self) -> int:
        """Return how many sums there are: of each choice its number, or one of all values."""
        return self.mechanism.choices if isinstance(self.mechanism, local.Response) else 1


def is_on_records(study: Study) -> bool:
    """Return whether every record gets noise of its own before it leaves."""
    return study.privacy is not None and study.privacy.noise == EACH_RECORD


def questions_of(study: Study) -> tuple[Question, ...]:
    """Return what each record is asked, in order. Raises `OutOfRange`, `Refused`."""
    found: list[Question] = []
    for query, budget in zip(study.releases, privacy_of(study).budgets, strict=False):
        asked = dict.fromkeys(_asked(query, output) for output in query.outputs)
        put = [one for one in asked if one is not None]
        for cells, column in put:
            each = budget.epsilon / len(put)
            found.append(
                Question(query.name, cells, column, _noise(study, cells, column, each), each)
            )
    return tuple(found)


def sums_of(study: Study) -> int:
    """Return how many numbers each member tells: its records, and its sums."""
    return 1 + sum(question.size for question in questions_of(study))


def charge_of_records(study: Study) -> Charge:
    """Return what all questions cost a patient: exact noise, so no distance."""
    epsilons = (question.epsilon for question in questions_of(study))
    return accounting.total(accounting.pure(epsilon) for epsilon in epsilons)


def check_records(study: Study) -> None:
    """Refuse what records cannot answer. Raises `Refused`."""
    privacy = privacy_of(study)
    if privacy.neighbours != "replace" or privacy.rows != 1:
        raise Refused(
            "with noise on each record everybody sees how many records there are",
            hint='protect patients against being replaced: neighbours = "replace", rows = 1',
        )
    if study.analyses:
        raise Refused("no regression is made of noisy records", hint='noise = "jointly"')
    if not all(budget.is_pure for budget in privacy.budgets):
        raise Refused("noise on records is paid for in pure epsilon", hint="epsilon = 1.0")
    if study.max_rows > MAX_RECORDS:
        raise Refused(
            f"noise on each of more than {MAX_RECORDS:,} records of a member is too much",
            hint=f"set max_rows = {MAX_RECORDS} or less",
        )
    try:
        questions_of(study)
    except OutOfRange as e:
        raise Refused(f"under privacy: {e}", hint=e.hint) from None


def results_of_records(study: Study, numbers: tuple[int, ...]) -> tuple[Result, ...]:
    """Return the results when `numbers` are the sums of all members' perturbed records.

    Raises `Abort` for sums that no records could have.
    """
    records, answers = numbers[0], dict(_cut(study, numbers))
    for question, sums in answers.items():
        if isinstance(question.mechanism, local.Response):
            possible = min(sums) >= 0 and sum(sums) == records
        else:
            possible = abs(sums[0]) <= records * question.mechanism.furthest
        if not possible or records < 1:
            raise Abort(
                "the sums of perturbed records are impossible under this plan",
                hint="a member did not follow the plan; nothing here shows which one",
            )
    return tuple(
        result_of(slot, exact_text(_value(study, slot, records, answers))) for slot in slots(study)
    )


def describe_question(question: Question) -> str:
    """Return the noise of one question in words."""
    what = f"{question.release}: {question.column or 'the cell'} of each record"
    match question.mechanism:
        case local.Response(choices):
            how = f"randomised response among {choices}"
        case local.OneBit():
            how = "one randomised bit"
        case local.Window(reach=reach):
            how = f"a window of {2 * reach + 1} numbers"
    return f"{what}, {how}, epsilon {float(question.epsilon):g}"


def _asked(query: Query, output: Output) -> tuple[Cells, str] | None:
    """Return which question an output needs; none for the number of all records."""
    cells = cells_of(query, output)
    match output.statistic:
        case "count" | "histogram":
            return None if cells == EVERYTHING else (cells, "")
        case "avg" | "sum" if cells == EVERYTHING:
            return cells, output.column
        case statistic:
            raise Refused(
                f"noise on each record gives counts, and means and sums of all rows, "
                f"not {statistic} as {output.name} asks it",
                hint='let members add noise together: noise = "jointly"',
            )


def _noise(
    study: Study, cells: Cells, column: str, epsilon: Fraction
) -> local.Response | local.OneBit | local.Window:
    unit = privacy_of(study).protects
    if column:
        return local.mean(bounds_of(study, column), unit, epsilon)
    return local.response(size(study, cells) + 1, unit, epsilon)  # one more: in no cell


def _cut(study: Study, numbers: tuple[int, ...]) -> Iterator[tuple[Question, tuple[int, ...]]]:
    at = 1
    for question in questions_of(study):
        yield question, numbers[at : at + question.size]
        at += question.size
    if at != len(numbers):
        raise Abort(f"{len(numbers)} sums where {at} were due")


def _value(
    study: Study, slot: Slot, records: int, answers: dict[Question, tuple[int, ...]]
) -> Fraction:
    """Return an estimate: whole for a count, and within its bounds for a mean."""
    counted = slot.output.statistic in {"count", "histogram"}
    if counted and slot.cells == EVERYTHING:
        return Fraction(records)
    column = "" if counted else slot.output.column
    (question,) = (
        one
        for one in answers
        if (one.release, one.cells, one.column) == (slot.release, slot.cells, column)
    )
    sums = answers[question]
    if isinstance(question.mechanism, local.Response):
        return Fraction(round(question.mechanism.estimated_of(sums)[slot.index]))
    bounds = bounds_of(study, column)
    mean = question.mechanism.estimated_of(sums[0], records)
    mean = min(max(mean, bounds.low), bounds.high)
    return mean if slot.output.statistic == "avg" else mean * records
