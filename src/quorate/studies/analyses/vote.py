"""What most members' own models say: each learns alone, a lie of fewer than half changes little.

Each member fits a logistic regression to its own rows and deals the coefficients (`alone`). Of
rows that the study names (`ask`), or of rows that members hold out of their own (`held_out`, a
category of two values: rows of the second are for testing), most of the models say the class,
on shares. Shown is what most say and how many lying members could not have changed it [LF21]; of
rows held out only how many there are, how many are told rightly, and how many of these whatever
1, 2, ... members had dealt. No model, no single vote and no row is shown. A tie is the first value.
"""

import numpy as np
from numpy.typing import NDArray

from quorate.models.products import read
from quorate.mpc.numbers import public
from quorate.mpc.secret import SecretArray, promised
from quorate.mpc.selection import concatenate
from quorate.poisoning import robust, secure
from quorate.poisoning.rows import Floats
from quorate.studies.analyses.alone import (
    BITS,
    FARTHEST,
    MIDDLE,
    Dealt,
    by_member,
    check_alone,
    dealt_models,
    design_of,
    joined,
    model_input,
    model_words,
    number_of,
    outcome_of,
    plain_models,
    words_of,
)
from quorate.studies.analyses.asked import Asked, Derived, Found, Sums, Told, Totals, Value
from quorate.studies.analyses.linear import formula_of
from quorate.studies.analyses.stepped import Rows, columns_of
from quorate.studies.inputs import Input
from quorate.studies.schema import DECIMALS, Column, refuse, shown

KIND = "vote"
MOST_TESTED = 128
"""Of one member: evenly spread over those it holds out."""

MOST_NAMED = 8  # columns, in a sentence: the formula has all
Numbers = NDArray[np.int64]


def parameters() -> tuple[str, ...]:
    return "formula", MIDDLE, "ask", "held_out"


def check(asked: Asked) -> None:
    check_alone(asked)
    if not asked.values("ask") and not asked.values("held_out"):
        hint = 'ask = ["age = 61, sex = F"], or held_out = "a category of two values"'
        refuse(asked.place, "asks for nothing", hint)
    if asked.values("held_out"):
        if len(asked.column("held_out", "category").values) != 2:
            refuse(f"{asked.place}.held_out", "must be a category of two values")
        formula = formula_of(asked)
        named = {name for term in (formula.outcome, *formula.terms) for name, _ in term.levels}
        if asked.one("held_out") in named:
            refuse(f"{asked.place}.held_out", "is learnt from")
    _asked_rows(asked)


def needs(asked: Asked) -> tuple[Input, ...]:
    return (model_input(asked, _most_tested(asked) * (_width(asked) + 2)),)


def own(asked: Asked, numbers: Numbers) -> Numbers:
    """Return a member's model, and rows it holds out: measurements, outcome, and 1 for each."""
    rows, most, width = Rows(asked, numbers), _most_tested(asked), _width(asked) + 2
    if not most:
        return model_words(asked, rows)
    column = asked.column("held_out", "category")
    held = rows.has(((column.name, column.values[1]),)) == 1
    tested = np.zeros((most, width), np.int64)
    test = Rows(asked, numbers[held])
    count = len(test.numbers)
    if count:
        spread = np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(np.int64))
        chosen = Rows(asked, test.numbers[spread])
        n = len(spread)
        tested[:n, :-2] = words_of(design_of(asked, chosen)[:, 1:])
        tested[:n, -2], tested[:n, -1] = outcome_of(asked, chosen), 1
    return np.concatenate([model_words(asked, Rows(asked, numbers[~held])), tested.reshape(-1)])


def values(asked: Asked) -> tuple[Value, ...]:
    name, found = formula_of(asked).outcome.name, list[Value]()
    for i in range(len(asked.values("ask"))):
        cell = (f"row {i + 1}",)
        found.append(Value(f"most say {name}", "", 1, 0, 1, cell))
    for i in range(len(asked.values("ask"))):
        most = asked.members // 2
        found.append(Value("withstands lying members", "", 1, 0, most, (f"row {i + 1}",)))
    if asked.values("held_out"):
        most = asked.members * MOST_TESTED
        found.append(Value("rows tested", "rows", 1, 0, most))
        found.append(Value("told rightly", "rows", 1, 0, most))
        liars = (f"whatever {k} deal" for k in range(1, asked.members // 2 + 1))
        found += [Value("told rightly", "rows", 1, 0, most, (cell,)) for cell in liars]
    return tuple(found)


def together(asked: Asked, sums: Sums) -> Told:
    (item,) = needs(asked)
    words = by_member(asked, sums(item))
    p = _width(asked) + 1
    models = dealt_models(asked, words[:, : p + 1])
    voters = models.there.sum().reshape(1)
    parts, sound = list[SecretArray](), list[SecretArray]()
    one = voters - voters + 1
    if asked.values("ask"):
        rows = SecretArray(words.engine, public(_asked_rows(asked), BITS))
        ones = secure.votes(models.coefficients, rows)
        parts += [secure.majority(ones, voters), secure.withstands(ones, voters)]
        sound.append(concatenate([one] * (2 * ones.size)))
    if asked.values("held_out"):
        told = _tested(asked, words[:, p + 1 :], models, voters)
        enough = (told[:1] >= asked.study.min_cell) + 0
        parts.append(told)
        sound.append(concatenate([enough] * told.size))
    return Told(joined(parts), concatenate(sound), (voters >= asked.members - liars_of(asked)) + 0)


def _tested(asked: Asked, words: SecretArray, models: Dealt, voters: SecretArray) -> SecretArray:
    """Return how many rows there are, how many are told rightly, and so whatever 1, 2, .. deal.

    Rows out of range count as none.
    """
    width, most = _width(asked), asked.members * MOST_TESTED
    rows = words.reshape(asked.members * _most_tested(asked), width + 2)
    edge = np.append(np.full(width, FARTHEST << BITS), [1, 1])
    low = np.append(-edge[:width], [0, 0])
    kept = secure.kept_rows(rows, secure.rows_in_range(rows, low, edge))
    there, outcome = (promised(kept[:, width + k : width + k + 1], 1) for k in (1, 0))
    design = read(promised(kept[:, :width], FARTHEST << BITS), BITS)
    constant = promised(design[:, :1] * 0 + 1, 1 << BITS)
    ones = secure.votes(models.coefficients, concatenate([constant, design], axis=1))
    says = secure.majority(ones, voters)
    flat, here = outcome.reshape(-1), there.reshape(-1)
    wrong = promised(says + flat - promised(2 * says * flat, 2), 1)
    right = promised(here * (1 - wrong), 1)
    stands = secure.withstands(ones, voters)
    sure = [right * ((stands >= k) + 0) for k in range(1, asked.members // 2 + 1)]
    counts = [promised(part.sum().reshape(1), most) for part in (here, right, *sure)]
    return concatenate(counts)


def plain(asked: Asked, totals: Totals) -> tuple[float | None, ...]:
    (item,) = needs(asked)
    words = totals(item).reshape(asked.members, -1)
    p = _width(asked) + 1
    models = [model for model in plain_models(asked, words[:, : p + 1]) if model is not None]
    found = list[float | None]()
    if asked.values("ask"):
        voted = robust.vote(models, _asked_rows(asked)[:, 1:])
        found += [*map(float, voted.classes), *map(float, voted.withstands)]
    if asked.values("held_out"):
        rows = words[:, p + 1 :].reshape(-1, p + 1)
        rows = rows[rows[:, -1] == 1]
        voted = robust.vote(models, rows[:, :-2] / 2.0**BITS)
        right = voted.classes == rows[:, -2]
        liars = range(asked.members // 2 + 1)
        told = [len(rows), *((right & (voted.withstands >= k)).sum() for k in liars)]
        few = len(rows) < asked.study.min_cell
        found += [None if few else float(one) for one in told]
    return tuple(found)


def derived(asked: Asked, found: Found) -> tuple[Derived, ...]:
    tested = found[2 * len(asked.values("ask")) :]
    if not tested or not tested[0]:
        return ()
    rows, *right = (float(one or 0) for one in tested)
    cells = ((), *((f"whatever {k} deal",) for k in range(1, len(right))))
    return tuple(
        Derived("accuracy", cell, "", one / rows) for cell, one in zip(cells, right, strict=True)
    )


def sentences(asked: Asked) -> tuple[str, ...]:
    formula = formula_of(asked)
    names = [term.name for term in formula.terms[1:]]
    learnt = ", ".join(names) if len(names) <= MOST_NAMED else f"{len(names)} columns"
    liars = liars_of(asked)
    told: tuple[str, ...] = (
        f"each member learns {formula.outcome.name} from {learnt} of its own rows alone, and deals "
        "its model in shares: a model out of range counts as none, and nobody learns whose",
        f"defended: up to {liars} of {asked.members} members may deal any model; with each answer "
        "is said how many could not have changed it",
        f"nothing where fewer than {asked.members - liars} members have a model in range",
    )
    if asked.values("ask"):
        told += ("of the rows asked about, what most models say: not which, and no coefficient",)
    if asked.values("held_out"):
        told += (
            f"of at most {MOST_TESTED} rows that each member holds out, how many are told rightly: "
            "who lies about these bends that number, and not the models",
        )
    return told


def liars_of(asked: Asked) -> int:
    """Return how many members may lie in all: fewer than half."""
    return (asked.members - 1) // 2


def _width(asked: Asked) -> int:
    """Return how many measurements a row has, without the constant."""
    return len(formula_of(asked).terms) - 1


def _most_tested(asked: Asked) -> int:
    return min(MOST_TESTED, asked.study.max_rows) if asked.values("held_out") else 0


def _columns(asked: Asked) -> list[Column]:
    """Return the columns that a row asked about has: all but the outcome and who is held out."""
    formula = formula_of(asked)
    away = {name for name, _ in formula.outcome.levels} | set(asked.values("held_out"))
    return [column for column in columns_of(asked) if column.name not in away]


def _asked_rows(asked: Asked) -> Floats:
    """Return the rows asked about, the constant first. Raises `MalformedStudy`."""
    whole = columns_of(asked)
    rows = [_asked_row(asked, whole, i) for i in range(len(asked.values("ask")))]
    numbers = np.array(rows, np.int64).reshape(len(rows), len(whole))
    return words_of(design_of(asked, Rows(asked, numbers))) / 2.0**BITS


def _asked_row(asked: Asked, whole: tuple[Column, ...], i: int) -> list[int]:
    """Return one row as whole numbers; what is not asked of it is 0."""
    place, text = f"{asked.place}.ask", asked.values("ask")[i]
    said = [part.partition("=")[::2] for part in text.split(",")]
    given = {name.strip(): value.strip() for name, value in said}
    columns = {column.name: column for column in _columns(asked)}
    if given.keys() != columns.keys() or len(given) < len(said):
        hint = f"write for instance {', '.join(f'{name} = ...' for name in columns)}"
        refuse(place, f"row {i + 1}, {shown(text)}, does not say each column once", hint)
    return [_number(place, c, given[c.name]) if c.name in columns else 0 for c in whole]


def _number(place: str, column: Column, text: str) -> int:
    """Return a value as `rows_query` gives it. Raises `MalformedStudy` where it is not declared."""
    if column.kind == "category":
        if text not in column.values:
            refuse(place, f"{column.name} has no value {shown(text)}")
        return column.values.index(text)
    return int(number_of(place, column, text) * 10 ** DECIMALS[column.kind])
