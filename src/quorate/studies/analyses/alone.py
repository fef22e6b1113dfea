"""What each member learns of its own rows alone, and deals: a logistic model, in words.

    rows --fitted--> coefficients (p,) --dealt, in shares--> checked --> a vote, or a median

Measurements are taken about a public middle and over a public unit, the same for all: else the
constants of two models would not mean the same. Whatever is dealt is checked on shares: what is
out of range, or has no model, counts as no model, and nobody learns whose that is.

Who holds what: each member its rows and its model; the three shares of every model. Members may
deal any model. Unreviewed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from quorate.errors import Refused
from quorate.models.products import read
from quorate.mpc.secret import SecretArray, promised
from quorate.mpc.selection import concatenate
from quorate.poisoning.learners import Model, fitted, plain
from quorate.poisoning.robust import refuse_few
from quorate.poisoning.rows import Floats
from quorate.poisoning.rows import Rows as Learnt
from quorate.poisoning.secure import kept_rows, rows_in_range
from quorate.studies.analyses.asked import Asked, Value
from quorate.studies.analyses.linear import formula_of, unit_of
from quorate.studies.analyses.stepped import Rows, columns_of
from quorate.studies.analyses.terms import Term
from quorate.studies.inputs import Input, so_many
from quorate.studies.schema import Column, Kind, check_number, refuse

BITS = 20  # of fraction, of coefficients and of measurements
MOST = 1 << 10
"""No coefficient is larger, of measurements that are at most 2."""

FARTHEST = 2  # of a measurement from its middle, in units

LIMIT = 1 << 62
"""Of words that anybody may have dealt: that a bound is kept can be said of all 64 bits."""

MIDDLE = "middle"
Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Dealt:
    """What is taken of the members' models on shares: zeros in place of those that are none."""

    coefficients: SecretArray  # (members, p), BITS of fraction
    there: SecretArray  # (members,), 0 or 1


def check_alone(asked: Asked) -> None:
    """Refuse an outcome, or a middle, that is none. Raises `MalformedStudy`."""
    asked.check_rows()
    if not formula_of(asked).outcome.levels:
        refuse(f"{asked.place}.formula", "the outcome must be a category of two values")
    if len(formula_of(asked).terms) < 2:
        refuse(f"{asked.place}.formula", "has nothing to learn from")
    given, columns = asked.values(MIDDLE), measured(asked)
    if given and len(given) != len(columns):
        named = ", ".join(column.name for column in columns)
        refuse(f"{asked.place}.{MIDDLE}", f"must have {len(columns)} numbers, of {named}")
    for column, text in zip(columns, given, strict=False):
        number_of(f"{asked.place}.{MIDDLE}", column, text, "number")


def model_input(asked: Asked, more: int = 0) -> Input:
    """Return what a member deals: coefficients, 1 if it has a model, and `more` numbers."""
    width = len(formula_of(asked).terms) + 1 + more
    names = tuple(column.name for column in columns_of(asked))
    cells = asked.cells(so_many(width))
    return Input(cells, "alone", "", asked.analysis.name, columns=names)


def model_words(asked: Asked, rows: Rows) -> Numbers:
    """Return the coefficients of a member's own rows, and 1; or zeros where there is no model.

    There is none where the rows are of one class, or a coefficient is larger than MOST.
    """
    terms, outcome = formula_of(asked).terms, outcome_of(asked, rows)
    nothing = np.zeros(len(terms) + 1, np.int64)
    if len(set(outcome)) < 2:
        return nothing
    found = fitted(Learnt(design_of(asked, rows)[:, 1:], outcome)).coefficients
    if not np.abs(found).max() <= MOST:
        return nothing
    return np.append(words_of(found), 1)


def words_of(numbers: Floats) -> Numbers:
    return np.rint(numbers * 2.0**BITS).astype(np.int64)


def outcome_of(asked: Asked, rows: Rows) -> Floats:
    return rows.has(formula_of(asked).outcome.levels)


def design_of(asked: Asked, rows: Rows) -> Floats:
    """Return the columns of a formula, of numbers about their middle, at most 2; 1 is the first."""
    return np.column_stack([_column(asked, rows, term) for term in formula_of(asked).terms])


def dealt_models(asked: Asked, words: SecretArray) -> Dealt:
    """Return what is dealt, (members, p + 1), where it is in range: rejected, not clipped."""
    p = len(formula_of(asked).terms)
    low = np.append(np.full(p, -MOST << BITS), 0)
    high = np.append(np.full(p, MOST << BITS), 1)
    kept = kept_rows(words, rows_in_range(words, low, high))
    there = promised(kept[:, p : p + 1], 1)
    taken = promised(kept[:, :p] * there, MOST << BITS)
    return Dealt(read(taken, BITS), there.reshape(-1))


def plain_models(asked: Asked, numbers: Floats) -> list[Model | None]:
    """Return the models dealt, (members, p + 1) words; None where there is none."""
    p = len(formula_of(asked).terms)
    return [
        Model(one[:p] / 2.0**BITS, plain)
        if one[p] == 1 and (np.abs(one[:p]) <= MOST << BITS).all()
        else None
        for one in numbers
    ]


def by_member(asked: Asked, words: SecretArray) -> SecretArray:
    """Return an input that members' parts of stand one after the other as (members, m)."""
    return promised(words, LIMIT).reshape(asked.members, words.size // asked.members)


def coefficient_values(asked: Asked) -> tuple[Value, ...]:
    return tuple(_value(term, unit_of(asked, term)) for term in formula_of(asked).terms)


def measured(asked: Asked) -> tuple[Column, ...]:
    """Return the columns of numbers that a formula names, in its order."""
    names = dict.fromkeys(term.number for term in formula_of(asked).terms if term.number)
    return tuple(asked.study.table.column(name) for name in names)


def middle_of(asked: Asked, column: Column) -> Fraction:
    """Return what the study says, or half way between the bounds."""
    given = dict(zip(measured(asked), asked.values(MIDDLE), strict=False))
    if column in given:
        return Fraction(given[column])
    return (Fraction(column.low) + Fraction(column.high)) / 2


def joined(parts: Sequence[SecretArray]) -> SecretArray:
    """Return integers one after the other, as words that are revealed."""
    return concatenate([read(part.reshape(-1), 0) for part in parts])


def number_of(place: str, column: Column, text: str, kind: Kind | None = None) -> Fraction:
    """Return a number within a column's bounds. Raises `MalformedStudy` for any other text."""
    check_number(place, text, kind or column.kind)
    if not Fraction(column.low) <= Fraction(text) <= Fraction(column.high):
        refuse(place, f"{text} is no {column.name}: {column.declared}")
    return Fraction(text)


def refuse_few_members(asked: Asked, liars: int) -> None:
    """Refuse a defence against more lying members than it holds against, with the reason."""
    try:
        refuse_few(asked.members, liars)
    except Refused as e:
        refuse(f"{asked.place}.liars", str(e), e.hint)


def _column(asked: Asked, rows: Rows, term: Term) -> Floats:
    column = rows.term(term)
    if not term.number:
        return column
    middle = middle_of(asked, asked.study.table.column(term.number))
    return column - rows.has(term.levels) * float(middle / unit_of(asked, term))


def _value(term: Term, unit: Fraction) -> Value:
    most = float(MOST / unit)
    return Value("coefficient", "", (1 << BITS) * unit, -most, most, (term.name,))
