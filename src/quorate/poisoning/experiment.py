"""One laboratory's whole work on rows: every attack against every defence, as data for a report."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from quorate.errors import DataError, Refused
from quorate.poisoning.attacks import attacks_on_classes
from quorate.poisoning.lab import (
    DEFENCES,
    Excluded,
    Learner,
    Measured,
    Setting,
    certified,
    dealt,
    exclusions,
    measure,
)
from quorate.poisoning.learners import Map, accuracy
from quorate.poisoning.rows import Rows, Seeded

TEST_SHARE = 5  # one row in so many is kept for testing
LEAST_ROWS = 60


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be tried."""

    hospitals: int
    shares: tuple[float, ...]
    seeds: tuple[int, ...]
    liars: int = 1


@dataclass(frozen=True, slots=True)
class Bad:
    """What a vote and a pooled model are worth when so many hospitals turn every class round."""

    hospitals: int
    certified: float
    vote: float
    pooled: float


@dataclass(frozen=True, slots=True)
class Findings:
    rows: int
    test_rows: int
    clean: float
    test_error: float  # standard error of an accuracy on so many rows
    measured: tuple[Measured, ...]
    bad: tuple[Bad, ...]
    excluded: tuple[Excluded, ...]
    refused: tuple[str, ...]  # defences that cannot be, each with the reason


def split(rows: Rows, seed: int) -> tuple[Rows, Rows]:
    """Return rows to learn from, and a fifth to test on. Raises `DataError` for too few."""
    if len(rows) < LEAST_ROWS or len(set(rows.outcome)) != 2:
        raise DataError(
            f"an experiment takes {LEAST_ROWS} rows or more, of two classes",
            hint="name the column of the class with --target",
        )
    order = Seeded(seed).some(len(rows), np.arange(len(rows)))
    return rows[order[len(rows) // TEST_SHARE :]], rows[order[: len(rows) // TEST_SHARE]]


def findings(
    learn: Rows,
    test: Rows,
    learner: Learner,
    mapped: Map,
    plan: Plan,
    progress: Callable[[str], None],
) -> Findings:
    """Return what every attack does against every defence; `progress` hears of each attack."""
    setting = Setting(*learn.ranges(), learner, mapped, plan.liars)
    clean = accuracy(learner(learn)(test.features), test)
    told: list[Measured] = []
    refused: list[str] = []
    possible = [name for name in DEFENCES if _is_possible(name, learn, setting, plan, refused)]
    for attack in attacks_on_classes(mapped).items():
        progress(attack[0])
        for defence in possible:
            told += [
                measure(
                    learn,
                    test,
                    attack,
                    defence,
                    share,
                    setting=setting,
                    hospitals=plan.hospitals,
                    seeds=plan.seeds,
                )
                for share in (0.0, *plan.shares)
            ]
    progress("lying hospitals")
    return Findings(
        rows=len(learn),
        test_rows=len(test),
        clean=clean,
        test_error=float((clean * (1 - clean) / len(test)) ** 0.5),
        measured=tuple(told),
        bad=tuple(_bad(learn, test, setting, plan)),
        excluded=tuple(exclusions(learn, plan.hospitals, plan.seeds)),
        refused=tuple(refused),
    )


def _is_possible(name: str, learn: Rows, setting: Setting, plan: Plan, refused: list[str]) -> bool:
    try:
        DEFENCES[name](dealt(learn, plan.hospitals), setting)
    except Refused as e:
        refused.append(f"{e}; {e.hint}")
        return False
    return True


def _bad(learn: Rows, test: Rows, setting: Setting, plan: Plan) -> Iterator[Bad]:
    """Yield what is certified of a vote beside what it comes to, for 0, 1, 2, ... liars."""
    parts = dealt(learn, plan.hospitals)
    for liars, sure in enumerate(certified(parts, test, setting.mapped)):
        given = [
            part.flipped(np.arange(len(part))) if i < liars else part
            for i, part in enumerate(parts)
        ]
        yield Bad(liars, sure, *_right(("vote", "none"), given, setting, test))


def _right(
    names: Sequence[str], parts: Sequence[Rows], setting: Setting, test: Rows
) -> Iterator[float]:
    for name in names:
        yield accuracy(DEFENCES[name](parts, setting)(test.features), test)
