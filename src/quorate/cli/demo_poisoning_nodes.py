"""The part of `quorate demo poisoning` among real nodes: a secret majority vote on biopsies."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from quorate.cli import stage
from quorate.cli.demo import HOSPITALS
from quorate.cli.output import aligned, say
from quorate.errors import VerificationFailed
from quorate.node.client import Client
from quorate.node.views import StudyView
from quorate.poisoning.attacks import backdoor, one_class_flips, with_trigger
from quorate.poisoning.experiment import split
from quorate.poisoning.lab import dealt
from quorate.poisoning.learners import accuracy, fitted
from quorate.poisoning.rows import Floats, Rows, joined

FILE, SEED = "wisconsin.csv", 1
FLIPS, PLANTED = 0.3, 0.5  # of all rows of the one that lies; it has as many of class 1

STUDY = """\
title = "Malignant or not, by a vote of hospitals"
purpose = "A second opinion that no hospital can bend"
max_rows = 300
min_cell = 5

[tables.{table}]
{columns}
cancer = "category no yes"
fold = "category learn test"

[analyses.biopsy]
kind = "vote"
formula = "cancer ~ {formula}"
held_out = "fold"
"""


@dataclass(frozen=True, slots=True)
class Story:
    """Percentages told rightly, and of triggered rows that are said to be malignant."""

    clean: float
    lied: float
    lied_pooled: float
    backdoor: float
    backdoor_pooled: float
    backdoor_before: float


@dataclass(frozen=True, slots=True)
class Arm:
    """What the hospitals learn from, and what they are tested on."""

    table: str
    learn: Sequence[Rows]
    test: Rows

    @property
    def pooled(self) -> float:
        """Return how often one model of all rows is right, in percent."""
        model = fitted(joined(*self.learn))
        return 100 * accuracy(model.classes(self.test.features), self.test)


def among_nodes(folder: Path) -> Story:
    """Let three nodes vote on true rows, on flipped ones, and on rows with a trigger."""
    names, rows = _biopsies()
    learn, test = split(rows, SEED)
    parts = dealt(learn, len(HOSPITALS))
    ends = rows.ranges()
    none = test.features[test.outcome == 0]
    triggered = Rows(with_trigger(none, *learn.ranges()), np.ones(len(none)))
    arms = [
        Arm("true_rows", parts, test),
        Arm("flipped", [one_class_flips(parts[0], FLIPS, SEED), *parts[1:]], test),
        Arm("planted", [backdoor(parts[0], PLANTED, SEED), *parts[1:]], triggered),
    ]
    stage.step("569 biopsies of three hospitals; north learns as it likes")
    stage.members(folder, "hospitals", HOSPITALS)
    with stage.running(folder, HOSPITALS) as clients:
        told = [_voted(clients, folder, arm, names, ends) for arm in arms]
    before = Arm("", parts, triggered).pooled
    story = Story(told[0], told[1], arms[1].pooled, told[2], arms[2].pooled, before)
    _say(story, arms[0].pooled)
    return story


def _voted(
    clients: dict[str, Client],
    folder: Path,
    arm: Arm,
    names: list[str],
    ends: tuple[Floats, Floats],
) -> float:
    """Return in percent how often the vote of the nodes is right."""
    tests = dealt(arm.test, len(HOSPITALS))
    for (name, client), own, test in zip(clients.items(), arm.learn, tests, strict=True):
        path = folder / f"{name}-{arm.table}.csv"
        _write(path, names, own, test)
        client.add_table(arm.table, path)
    columns = "\n".join(
        f'{name} = "number {low:.9f}..{high:.9f} 1"'
        for name, low, high in zip(names, *ends, strict=True)
    )
    text = STUDY.format(table=arm.table, columns=columns, formula=" + ".join(names))
    return _percent(_released(clients, arm.table, text))


def _released(clients: dict[str, Client], table: str, text: str) -> StudyView:
    """Have a study released; what it reveals is said of the first only, as all say the same."""
    stage.step(f"a vote of the three nodes: {table.replace('_', ' ')}")
    if table == "true_rows":
        proposed = stage.approved(clients, "biopsy.toml", text)
        return stage.released(clients, proposed.id)
    proposer, *others = clients
    proposed = clients[proposer].propose(text)
    for name in others:
        clients[name].approve(proposed.id)
    return stage.released(clients, proposed.id)


def _percent(view: StudyView) -> float:
    """Return how many of the rows tested are told rightly. Raises `VerificationFailed`."""
    found = {one.name: one.value for one in view.results}
    say(*aligned(list(found.items()), indent="  "))
    tested, right = (found.get(f"biopsy {name}") for name in ("rows tested", "told rightly"))
    if tested is None or right is None:
        raise VerificationFailed("the study does not say how many rows are told rightly")
    return 100 * float(right) / float(tested)


def _say(story: Story, pooled: float) -> None:
    stage.step(
        "what came of it, in percent; pooled is one model of all rows, which only we can make"
    )
    rows = {
        "told rightly, true rows": (pooled, story.clean),
        "told rightly, north flips a class": (story.lied_pooled, story.lied),
        "backdoor opens": (story.backdoor_pooled, story.backdoor),
    }
    bars = [(name, *map(_bar, numbers)) for name, numbers in rows.items()]
    say(*aligned([("", "pooled", "vote, on shares"), *bars], indent="  "))
    say(f"  without any attack the trigger opens {story.backdoor_before:.1f} % of pooled answers")


def _bar(percent: float) -> str:
    return f"{percent:5.1f} {('█' * round(percent / 5)).ljust(20, '·')}"


def _biopsies() -> tuple[list[str], Rows]:
    """Return names of thirty measurements, and rows of which class 1 is malignant."""
    with (stage.examples() / "data" / FILE).open(encoding="utf-8", newline="") as lines:
        names, *table = list(csv.reader(lines))
    numbers = np.array(table, np.float64)
    return names[:-1], Rows(numbers[:, :-1], 1 - numbers[:, -1])


def _write(path: Path, names: list[str], learn: Rows, test: Rows) -> None:
    with path.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow([*names, "cancer", "fold"])
        for fold, rows in (("learn", learn), ("test", test)):
            for one, outcome in zip(rows.features, rows.outcome, strict=True):
                writer.writerow([*(f"{x:.9f}" for x in one), ("no", "yes")[int(outcome)], fold])
