"""A model formula such as `y ~ age + C(stage)` as columns, and sums of their products.

A column of the design is a number, a level of a category (all but the first declared one, which
is what the others are compared with), or a product of these, `age:C(sex)`. Levels come from the
study's declaration, never from data. Formulaic reads the formula; what it would evaluate as code
is refused, as a formula comes from another member.

The sum over rows of the product of two such columns is a count of a cell, a sum, or a sum of
squares or products over it, so it is an input as any other.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from itertools import product
from math import ceil, log2
from typing import Any

from quorate.errors import Unavailable
from quorate.models.whitening import GRAM_BITS
from quorate.studies.analyses.asked import Asked
from quorate.studies.inputs import Axis, Input
from quorate.studies.schema import refuse, shown

MOST_COLUMNS = 64
MOST_STARS = 2  # each doubles the columns

Products = tuple[tuple[str, ...], ...]

_PLAIN = re.compile(r"[A-Za-z0-9_ ~+:*()]+")
_CATEGORY = re.compile(r"C\((\w+)\)")
_HINT = 'write for instance "bmi ~ age + C(stage)"; age:C(sex) is a product'


@dataclass(frozen=True, slots=True)
class Term:
    """One column of a design: at most one number, and levels of categories it is 0 outside of."""

    number: str  # empty: 1
    levels: tuple[tuple[str, str], ...]  # of column and value, sorted

    @property
    def name(self) -> str:
        """Return what R calls it, as nearly as names allow."""
        levels = [f"{column}[{value}]" for column, value in self.levels]
        return ":".join([*([self.number] if self.number else []), *levels]) or "(Intercept)"


@dataclass(frozen=True, slots=True)
class Formula:
    outcome: Term
    terms: tuple[Term, ...]  # the first is the constant


def read_formula(asked: Asked, text: str) -> Formula:
    """Return what a formula names. Raises `MalformedStudy`; `Unavailable` without formulaic."""
    place = f"{asked.place}.formula"
    left, right = _sides(place, text)
    if len(left) != 1 or len(left[0]) != 1:
        refuse(place, "must have one outcome before ~")
    outcome = _term_of(asked, left[0][0])
    if len(outcome) != 1:
        refuse(place, "the outcome must be a number, or a category of two values")
    if () not in right:
        refuse(place, "a formula without a constant is not offered", "leave out -1 and 0")
    _check_margins(place, right)
    terms = [term for factors in right for term in _expanded(asked, factors)]
    if len(set(terms)) < len(terms):
        refuse(place, "names a column twice")
    if len(terms) > MOST_COLUMNS:
        refuse(place, f"makes more than {MOST_COLUMNS} columns")
    return Formula(outcome[0], tuple(sorted(terms, key=lambda term: term != Term("", ()))))


def scale_of(asked: Asked, term: Term) -> tuple[int, int]:
    """Return d and s: the number in units of 10^-d is at most 2^s, and two such sums fit a word."""
    if not term.number:
        return 0, 0
    largest = max(float(asked.study.table.column(term.number).largest), 1e-9)
    bits = (GRAM_BITS - rows_bits(asked)) // 2
    decimals = max(min(int((bits - log2(largest)) / log2(10)), 9), 0)
    return decimals, max(ceil(log2(largest * 10**decimals)), 0)


def rows_bits(asked: Asked) -> int:
    return max(asked.rows - 1, 1).bit_length()


def input_of(asked: Asked, one: Term, other: Term) -> Input | None:
    """Return the input that holds the sum of a product; None if it is 0 whatever the rows."""
    if any(a == c and v != w for a, v in one.levels for c, w in other.levels):
        return None
    columns = sorted({column for column, _ in (*one.levels, *other.levels)})
    cells = asked.cells(*(Axis(column, ()) for column in columns))
    numbers = sorted(number for number in (one.number, other.number) if number)
    decimals = scale_of(asked, one)[0] + scale_of(asked, other)[0]
    match numbers:
        case []:
            return Input(cells, "count", "")
        case [number]:
            return Input(cells, "sum", number, to=decimals)
        case [first, second] if first == second:
            return Input(cells, "squares", first, to=decimals)
        case _:
            return Input(cells, "products", numbers[0], numbers[1], decimals)


def place_of(asked: Asked, one: Term, other: Term) -> tuple[int, ...]:
    """Return the cell of that input that is meant."""
    levels = dict((*one.levels, *other.levels))
    return tuple(
        asked.study.table.column(column).values.index(levels[column]) for column in sorted(levels)
    )


@lru_cache(maxsize=16)  # a plan is read many times on its way, and parsing takes longest
def _sides(place: str, text: str) -> tuple[Products, Products]:
    """Return the products that stand before ~ and after it, each by its factors."""
    if not _PLAIN.fullmatch(text) or text.count("*") > MOST_STARS or "**" in text:
        refuse(place, f"{shown(text)} is no formula this reads", _HINT)
    try:
        parser = import_module("formulaic.parser").DefaultFormulaParser()
        errors = import_module("formulaic.errors")
    except ImportError:
        raise Unavailable("formulas need formulaic", hint="pip install 'quorate[stats]'") from None
    try:
        read = parser.get_terms(text)
    except errors.FormulaSyntaxError:
        refuse(place, f"{shown(text)} is no formula", _HINT)
    if not (hasattr(read, "lhs") and hasattr(read, "rhs")):
        refuse(place, "has no ~", _HINT)
    left, right = (tuple(tuple(_factors(term)) for term in side) for side in (read.lhs, read.rhs))
    return left, right


def _factors(term: Any) -> Iterator[str]:
    """Yield the factors of one of formulaic's terms; the constant has none."""
    for factor in term.factors:
        if factor.expr != "1":
            yield factor.expr


def _check_margins(place: str, products: Products) -> None:
    """Refuse a product without its parts: R would then code its categories in another way."""
    named = {frozenset(factors) for factors in products}
    for factors in named:
        if any(factors - {one} not in named for one in factors):
            hint = "write * in place of :"
            refuse(place, f"{':'.join(sorted(factors))} stands without its parts", hint)


def _expanded(asked: Asked, factors: tuple[str, ...]) -> Iterator[Term]:
    """Yield the columns of a product: one for each choice of levels."""
    for parts in product(*(_term_of(asked, factor) for factor in factors)):
        numbers = [part.number for part in parts if part.number]
        if len(numbers) > 1:
            hint = "declare the product as a column of its own"
            refuse(f"{asked.place}.formula", f"multiplies {' and '.join(numbers)}", hint)
        levels = tuple(sorted(level for part in parts for level in part.levels))
        yield Term("".join(numbers), levels)


def _term_of(asked: Asked, factor: str) -> tuple[Term, ...]:
    """Return the columns of one factor: the number, or the levels of a category but the first."""
    match = _CATEGORY.fullmatch(factor)
    name = match[1] if match else factor
    if name not in asked.study.table.names:
        refuse(f"{asked.place}.formula", f"there is no column {shown(name)}")
    column = asked.study.table.column(name)
    if column.kind == "category":
        return tuple(Term("", ((name, value),)) for value in column.values[1:])
    if match:
        refuse(f"{asked.place}.formula", f"{name} is a number, and no category")
    return (Term(name, ()),)
