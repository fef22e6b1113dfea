"""From the words that the analyses reveal to results, and the one form each of them has."""

from fractions import Fraction

from quorate.errors import Abort
from quorate.studies.analyses.asked import Asked, Value
from quorate.studies.analyses.kinds import all_asked, kind_of
from quorate.studies.results import NONE, WITHHELD, Result
from quorate.studies.statistics import decimal_text, exact_text, from_exact
from quorate.studies.study import Study


def results_told(study: Study, members: int, words: tuple[int, ...]) -> tuple[Result, ...]:
    """Return the results when `words` are what `kinds.told_of` gives of each analysis.

    Raises `Abort` for words no honest members could have produced.
    """
    results: list[Result] = []
    at = 0
    for asked in all_asked(study, members):
        values = kind_of(asked).values(asked)
        m = len(values)
        numbers, sound = words[at : at + m], words[at + m : at + 2 * m]
        allowed = words[at + 2 * m]
        at += 2 * m + 1
        if {allowed, *sound} - {0, 1} or (allowed == 0 and study.min_cell == 1):
            raise _impossible()
        for value, number, is_sound in zip(values, numbers, sound, strict=True):
            results.append(_result(asked, value, number, told=bool(allowed), sound=bool(is_sound)))
    return tuple(results)


def could_be_told(place: tuple[Asked, Value], result: Result) -> bool:
    """Return whether `result` is in the one form a result at `place` can have."""
    asked, value = place
    if result == untold_at(asked, value, WITHHELD):
        return asked.study.min_cell > 1
    if result == untold_at(asked, value, NONE):
        return True
    parsed = from_exact(result.exact)
    if parsed is None or parsed[1] or not value.low <= parsed[0] <= value.high:
        return False
    whole = (parsed[0] * value.over).denominator == 1
    return whole and result == told_at(asked, value, parsed[0])


def _result(asked: Asked, value: Value, word: int, *, told: bool, sound: bool) -> Result:
    number = Fraction(word, value.over)
    if not (told and sound):
        if word:
            raise _impossible()
        return untold_at(asked, value, NONE if told else WITHHELD)
    if not value.low <= number <= value.high:
        raise _impossible()
    return told_at(asked, value, number)


def told_at(asked: Asked, value: Value, number: Fraction) -> Result:
    """Return a number of an analysis as the result at its place."""
    text = decimal_text(number)
    return Result(*_name(asked, value.name), value.cell, value.unit, exact_text(number), text)


def untold_at(asked: Asked, value: Value, why: str) -> Result:
    """Return that there is no such number, or that it is withheld."""
    return Result(*_name(asked, value.name), value.cell, value.unit, "", why)


def _name(asked: Asked, name: str) -> tuple[str, str]:
    """Return the analysis, and the name of one of its numbers among those of all."""
    return asked.analysis.name, f"{asked.analysis.name} {name}"


def _impossible() -> Abort:
    return Abort(
        "what was revealed of an analysis is impossible under this plan",
        hint="a member did not follow the plan; nothing here shows which one",
    )
