"""`quorate poison`: what a member that lies about its rows could do, tried on a copy."""

import csv
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from quorate.cli.options import FormatOption, read_file, write_file
from quorate.cli.output import aligned, say, show
from quorate.errors import DataError, Unavailable
from quorate.poisoning.experiment import Findings, Plan, findings, split
from quorate.poisoning.lab import MISLEADING, Classes, Learner, Measured
from quorate.poisoning.learners import cubic, plain
from quorate.poisoning.rows import Floats, Rows

if TYPE_CHECKING:
    from quorate.poisoning.learners import Map

app = typer.Typer(help="What lies about rows do to what is learnt, and what stops them.")

MOST_ROWS = 20_000
SEED = 42
UNSEEN = (
    "what this cannot see: lies that agree with the truth of most rows, an honest hospital that is "
    "wrong in good faith, and attacks that nobody here has thought of"
)


@app.callback()
def poison() -> None:
    """Keep `lab` a command of its own, though it is the only one."""


@app.command("lab")
def lab(
    data: Annotated[
        Path | None, typer.Option(help="A CSV file; if not given, the textbook's two moons.")
    ] = None,
    target: Annotated[str, typer.Option(help="Its column of two classes.")] = "target",
    hospitals: Annotated[
        int, typer.Option(min=2, max=20, help="Among how many, of which the first lies.")
    ] = 3,
    share: Annotated[
        list[float] | None,
        typer.Option(min=0.01, max=0.5, help="Share of rows it spoils; may be repeated."),
    ] = None,
    seeds: Annotated[int, typer.Option(min=2, max=50, help="How often, to tell chance apart.")] = 3,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a report in HTML there.")
    ] = None,
    form: FormatOption = "text",
) -> None:
    """Try attacks against defences, on a copy that may be looked at; no node takes part."""
    learn, test = moons() if data is None else split(_read(data, target), SEED)
    mapped: Map = cubic if learn.features.shape[1] == 2 else plain
    plan = Plan(hospitals, tuple(share or (0.1, 0.3)), tuple(range(seeds)))
    quiet = form == "json"
    found = findings(
        learn,
        test,
        machine(),
        mapped,
        plan,
        lambda text: None if quiet else say(f"  {text}", error=True),
    )
    lines = lines_of(found)
    if out is not None:
        from quorate.cli.poison_report import report

        write_file(out, report(found, learn, test, machine(), plan))
        lines.append(f"written to {out}")
    show(found, lines, form)


def machine() -> Learner:
    """Return the textbook's learner, scikit-learn's `SVC()` as it comes. Raises `Unavailable`."""
    made = _sklearn("svm").SVC

    def learner(rows: Rows) -> Classes:
        model = made().fit(rows.features, rows.outcome)

        def classes(features: Floats) -> Floats:
            return np.asarray(model.predict(features), np.float64)

        return classes

    return learner


def lines_of(found: Findings) -> list[str]:
    """Return findings as lines of text."""
    share = max(one.share for one in found.measured)
    defences = list(dict.fromkeys(one.defence for one in found.measured))
    trigger = next(m.success for m in found.measured if (m.attack, m.share) == ("backdoor", 0))
    clean, error = _percent(found.clean), _percent(found.test_error)
    return [
        f"{found.rows} rows to learn from, {found.test_rows} to test on",
        f"without attack and without defence {clean} are told rightly, give or take {error}",
        f"without attack the backdoor's trigger succeeds on {_percent(trigger)}",
        "",
        f"accuracy, and how often the attack succeeds, in percent; {share:g} of all rows spoilt",
        *aligned([("", *defences), *_table(found, share, defences)], indent="  "),
        "",
        *aligned(
            [
                ("hospitals that turn every class round", "certified", "vote", "pooled"),
                *(
                    (str(one.hospitals), *map(_percent, (one.certified, one.vote, one.pooled)))
                    for one in found.bad
                ),
            ]
        ),
        "",
        *aligned(
            [
                ("a hospital would be called odd", "by area", "by accuracy"),
                *(
                    (
                        f"{'honest' if one.is_honest else 'lying'}: {one.hospital}",
                        _percent(one.by_area),
                        _percent(one.by_accuracy),
                    )
                    for one in found.excluded
                ),
            ]
        ),
        "",
        *(f"misleads: {name}: {why}" for name, why in MISLEADING.items()),
        *(f"refused: {why}" for why in found.refused),
        UNSEEN,
    ]


def _table(found: Findings, share: float, defences: list[str]) -> Iterator[tuple[str, ...]]:
    told = {(one.attack, one.defence): one for one in found.measured if one.share == share}
    none = {one.defence: one for one in found.measured if one.share == 0}
    yield ("no attack", *(f"{100 * none[name].accuracy:.1f}" for name in defences))
    for attack in dict.fromkeys(one.attack for one in found.measured):
        yield (attack, *(_cell(told[attack, name]) for name in defences))


def _cell(one: Measured) -> str:
    return f"{100 * one.accuracy:.1f} / {100 * one.success:.0f}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def moons() -> tuple[Rows, Rows]:
    """Return the rows of the textbook's classifier. Raises `Unavailable`."""
    features, outcome = _sklearn("datasets").make_moons(1000, noise=0.3, random_state=SEED)
    parts = _sklearn("model_selection").train_test_split(
        features, outcome, test_size=0.2, random_state=SEED
    )
    learn, test, told, right = (np.asarray(part, np.float64) for part in parts)
    return Rows(learn, told), Rows(test, right)


def _read(path: Path, target: str) -> Rows:
    """Return the rows of a CSV file whose columns are numbers. Raises `DataError`."""
    table = list(csv.DictReader(read_file(path).splitlines()))
    if not table or target not in table[0]:
        raise DataError(f"{path} has no column {target}", hint="name the class with --target")
    if len(table) > MOST_ROWS:
        raise DataError(f"{path} has more than {MOST_ROWS} rows", hint="try it on some of them")
    classes = sorted({row[target] for row in table})
    if len(classes) != 2:
        raise DataError(f"{target} has {len(classes)} values", hint="a class has two")
    columns = [name for name in table[0] if name != target]
    features = np.array([[_number(row[name], name) for name in columns] for row in table])
    return Rows(features, np.array([float(row[target] == classes[1]) for row in table]))


def _number(text: str | None, column: str) -> float:
    """Return a number of a file. Raises `DataError` without saying what stands there."""
    try:
        found = float(text or "")
    except ValueError:
        found = float("nan")
    if not np.isfinite(found):
        raise DataError(f"{column} is not a number in every row", hint="leave it out of the file")
    return found


def _sklearn(name: str) -> Any:
    try:
        return import_module(f"sklearn.{name}")
    except ImportError:
        raise Unavailable(
            "the laboratory takes scikit-learn", hint="pip install 'quorate[lab]'"
        ) from None
