"""Linear regression by a formula: coefficients with standard errors, t, p and intervals.

Each member adds up the products of the formula's columns over its own rows. Revealed are the
coefficients, what their standard errors are made of, sigma and R squared, and none of the sums.
Ten rows or more are asked for a coefficient.
"""

from fractions import Fraction
from math import sqrt

import numpy as np

from quorate.models import linear
from quorate.models.products import brought, read, within
from quorate.models.solving import SOLUTION_BITS
from quorate.models.whitening import GRAM_BITS
from quorate.mpc.secret import SecretArray
from quorate.mpc.selection import concatenate
from quorate.studies.analyses import tails
from quorate.studies.analyses.asked import Asked, Derived, Found, Sums, Told, Totals, Value
from quorate.studies.analyses.terms import (
    Formula,
    Term,
    input_of,
    place_of,
    read_formula,
    rows_bits,
    scale_of,
)
from quorate.studies.inputs import Input
from quorate.studies.schema import refuse

KIND = "linear"
ROWS_A_COEFFICIENT = 10
COLLINEAR = 1e6
"""The most of a condition number of columns that are not collinear, for the oracle."""


def parameters() -> tuple[str, ...]:
    return ("formula",)


def check(asked: Asked) -> None:
    asked.check_rows()
    if not formula_of(asked).outcome.number:
        refuse(f"{asked.place}.formula", "the outcome must be a number", 'or kind = "logistic"')


def needs(asked: Asked) -> tuple[Input, ...]:
    columns = _columns(asked)
    pairs = ((one, other) for i, one in enumerate(columns) for other in columns[: i + 1])
    found = (input_of(asked, one, other) for one, other in pairs)
    return tuple(dict.fromkeys(item for item in found if item is not None))


def values(asked: Asked) -> tuple[Value, ...]:
    formula = formula_of(asked)
    y, one = unit_of(asked, formula.outcome), 1 << SOLUTION_BITS
    units = [((term.name,), one * unit_of(asked, term)) for term in formula.terms]
    whole = Fraction(1 << GRAM_BITS, 1 << rows_bits(asked))
    return (
        *(value_of("estimate", unit / y, cell) for cell, unit in units),
        *(value_of("deviation", unit, cell) for cell, unit in units),
        value_of("residual sum of squares", whole / y**2),
        value_of("total sum of squares", whole / y**2),
        value_of("rows", whole),
    )


def together(asked: Asked, sums: Sums) -> Told:
    columns = _columns(asked)
    lines = [[_entry(asked, sums, one, other) for other in columns] for one in columns]
    total = concatenate([concatenate(line).reshape(1, -1) for line in lines])
    words = linear.linear(total)
    count = sums(_count(asked)).reshape(1)
    enough = (count >= ROWS_A_COEFFICIENT * (len(columns) - 1)) + 0
    sound = concatenate([within(words[-1:], 1)] * (len(words) - 1))
    return Told(words[:-1], sound, enough)


def formula_of(asked: Asked) -> Formula:
    return read_formula(asked, asked.one("formula"))


def _columns(asked: Asked) -> list[Term]:
    formula = formula_of(asked)
    return [*formula.terms, formula.outcome]


def plain(asked: Asked, totals: Totals) -> tuple[float | None, ...]:
    columns = _columns(asked)
    p = len(columns) - 1
    gram = np.array([[_plain_entry(asked, totals, a, b) for b in columns] for a in columns])
    rows, scale = gram[0, 0], np.sqrt(np.maximum(np.diag(gram)[:p], 1e-300))
    if rows <= p or np.linalg.cond(gram[:p, :p] / np.outer(scale, scale)) > COLLINEAR:
        return (None,) * (2 * p + 3)
    inverse = np.linalg.inv(gram[:p, :p])
    estimates = inverse @ gram[:p, p]
    left = gram[p, p] - estimates @ gram[:p, p]
    roots = np.sqrt(np.diag(inverse) * (1 << rows_bits(asked)))
    found = [*estimates, *roots, left, gram[p, p] - gram[0, p] ** 2 / rows, rows]
    return tuple(float(number) for number in found)


def derived(asked: Asked, found: Found) -> tuple[Derived, ...]:
    terms, p = formula_of(asked).terms, len(found) // 2 - 1
    numbers = [float(number) for number in found if number is not None]
    if len(numbers) < len(found):
        return ()
    left, around, rows = max(numbers[-3], 0.0), numbers[-2], round(numbers[-1])
    if rows <= p:
        return ()
    sigma = sqrt(left / (rows - p))
    told = [Derived("sigma", (), "", sigma), Derived("degrees of freedom", (), "", rows - p)]
    if around > 0:
        told.append(Derived("R squared", (), "", 1 - left / around))
    for term, estimate, root in zip(terms, numbers, numbers[p:], strict=False):
        error = sigma * root / sqrt(1 << rows_bits(asked))
        told += tails.table(term.name, estimate, error, rows - p)
    return tuple(told)


def sentences(asked: Asked) -> tuple[str, ...]:
    formula = formula_of(asked)
    return (
        f"how {formula.outcome.name} depends on {', '.join(t.name for t in formula.terms[1:])}: "
        "coefficients, their standard errors, sigma and R squared, and no sum or product",
        f"nothing where there are fewer than {ROWS_A_COEFFICIENT} rows for a coefficient",
    )


def _entry(asked: Asked, sums: Sums, one: Term, other: Term) -> SecretArray:
    """Return the sum of a product over N, with 60 bits of fraction and columns at most 1."""
    item = input_of(asked, one, other)
    if item is None:
        return within(read(sums(_count(asked)).reshape(1) * 0, GRAM_BITS), 1)
    shift = GRAM_BITS - scale_of(asked, one)[1] - scale_of(asked, other)[1] - rows_bits(asked)
    number = sums(item)[place_of(asked, one, other)].reshape(1)
    return within(read(brought(number, shift), GRAM_BITS), 1)


def _plain_entry(asked: Asked, totals: Totals, one: Term, other: Term) -> float:
    item = input_of(asked, one, other)
    return 0.0 if item is None else float(totals(item)[place_of(asked, one, other)])


def _count(asked: Asked) -> Input:
    return Input(asked.cells(), "count", "")


def unit_of(asked: Asked, term: Term) -> Fraction:
    """Return the number that 1 stands for in a column's scale."""
    decimals, bits = scale_of(asked, term)
    return Fraction(1 << bits, 10**decimals)


def value_of(name: str, over: Fraction, cell: tuple[str, ...] = ()) -> Value:
    """Return a value of any size that a word can have."""
    most = float(Fraction(1 << 63) / over)
    return Value(name, "", over, -most, most, cell)
