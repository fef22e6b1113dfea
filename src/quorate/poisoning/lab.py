"""Attacks against defences, in the clear, on a copy of rows that may be looked at.

Rows are dealt to hospitals, the first of which lies: an attack spoils rows of its own, as many as
the share of all rows says. Each defence then learns, and is asked about rows that nobody spoilt.
What is told is how often it is right and how often the attack succeeds: the trigger of a backdoor,
or else a row told wrongly that was told rightly without the attack.

Some defences are here only to be seen failing (`MISLEADING`): no study offers them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from quorate.errors import Refused
from quorate.poisoning import attacks, robust
from quorate.poisoning.learners import Map, Model, accuracy, fitted
from quorate.poisoning.rows import Floats, Rows, Seeded, joined

Classes = Callable[[Floats], Floats]
Learner = Callable[[Rows], Classes]

MISLEADING = {
    "clipping": "rows at the end of the range keep their leverage",
    "leave one out": "one of many is diluted, and two liars vouch for each other",
    "Krum": "is not defined for fewer than 2 liars + 3 hospitals",
    "accuracy": "excludes honest hospitals whose patients are different",
}
"""Defences that are in the laboratory only, each with the reason."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What everybody knows: the ranges declared, how one learns, and how many may lie."""

    low: Floats
    high: Floats
    learner: Learner = field(repr=False)
    mapped: Map = field(repr=False)
    liars: int


Defence = Callable[[Sequence[Rows], Setting], Classes]


@dataclass(frozen=True, slots=True)
class Measured:
    """How often a defence is right, and an attack succeeds: means and their standard errors."""

    attack: str
    defence: str
    share: float
    accuracy: float
    accuracy_error: float
    success: float
    success_error: float


def pooled(parts: Sequence[Rows], setting: Setting) -> Classes:
    return setting.learner(joined(*parts))


def in_range(parts: Sequence[Rows], setting: Setting) -> Classes:
    return setting.learner(robust.in_range(joined(*parts), setting.low, setting.high))


def clipped(parts: Sequence[Rows], setting: Setting) -> Classes:
    rows = joined(*parts)
    return setting.learner(Rows(np.clip(rows.features, setting.low, setting.high), rows.outcome))


def vote(parts: Sequence[Rows], setting: Setting) -> Classes:
    """Let hospitals say the class, each by a model of its own rows that are in range."""
    models = [setting.learner(one) for one in _own(parts, setting)]

    def most(features: Floats) -> Floats:
        ones = np.sum([model(features) for model in models], axis=0)
        return np.where(2 * ones > len(models), 1.0, 0.0)

    return most


def median(parts: Sequence[Rows], setting: Setting) -> Classes:
    """Take the middle of each coefficient, of measurements scaled as is known of all."""
    middle, spread = (setting.low + setting.high) / 2, (setting.high - setting.low) / 2

    def mapped(features: Floats) -> Floats:
        return setting.mapped((features - middle) / spread)

    kept = _own(parts, setting)
    columns = np.concatenate([mapped(one.features) for one in kept])
    about = np.median(columns, axis=0)

    def centred(features: Floats) -> Floats:
        found: Floats = mapped(features) - about
        return found

    models = [fitted(one, centred) for one in kept]
    return Model(robust.median(np.array([m.coefficients for m in models])), centred).classes


def leave_one_out(parts: Sequence[Rows], setting: Setting) -> Classes:
    """Leave out each hospital without whose rows the others' are told better."""
    kept = [part for i, part in enumerate(parts) if not _is_better_without(i, parts, setting)]
    return setting.learner(joined(*(kept or parts)))


def krum(parts: Sequence[Rows], setting: Setting) -> Classes:
    """Take the model nearest to its neighbours. Raises `Refused` for too few hospitals."""
    hospitals, least = len(parts), 2 * setting.liars + 3
    if hospitals < least:
        raise Refused(
            f"Krum is not defined for {hospitals} hospitals of which {setting.liars} may lie",
            hint=f"it takes {least}; a vote or a median takes {2 * setting.liars + 1}",
        )
    models = [fitted(one, setting.mapped) for one in parts]
    points = np.array([model.coefficients for model in models])
    apart = ((points[:, None] - points[None]) ** 2).sum(axis=2)
    near = np.sort(apart, axis=1)[:, 1 : hospitals - setting.liars - 1].sum(axis=1)
    return models[int(near.argmin())].classes


DEFENCES: dict[str, Defence] = {
    "none": pooled,
    "range": in_range,
    "vote": vote,
    "median": median,
    "clipping": clipped,
    "leave one out": leave_one_out,
    "Krum": krum,
}


def dealt(rows: Rows, hospitals: int) -> list[Rows]:
    """Deal rows to hospitals in turn."""
    return [rows[np.arange(i, len(rows), hospitals)] for i in range(hospitals)]


def spoilt(parts: Sequence[Rows], attack: attacks.Attack, share: float, seed: int) -> list[Rows]:
    """Return the parts with `share` of all rows spoilt, or added, by the first hospital."""
    own = min(share * sum(map(len, parts)) / len(parts[0]), 1.0)
    return [attack(parts[0], own, seed), *parts[1:]]


def measure(
    learn: Rows,
    test: Rows,
    attack: tuple[str, attacks.Attack],
    defence: str,
    share: float,
    *,
    setting: Setting,
    hospitals: int,
    seeds: Sequence[int],
) -> Measured:
    """Return what comes of an attack against a defence, over some seeds. Raises `Refused`."""
    right: list[float] = []
    worked: list[float] = []
    for seed in seeds:
        order = Seeded(seed).some(len(learn), np.arange(len(learn)))
        parts = dealt(learn[order], hospitals)
        clean = DEFENCES[defence](parts, setting)
        held = DEFENCES[defence](spoilt(parts, attack[1], share, seed), setting)
        right.append(accuracy(held(test.features), test))
        worked.append(_success(attack[0], held, clean, test, setting))
    n = max(len(seeds), 2) - 1
    errors = [float(np.std(found) / n**0.5) for found in (right, worked)]
    means = float(np.mean(right)), float(np.mean(worked))
    return Measured(attack[0], defence, share, means[0], errors[0], means[1], errors[1])


@dataclass(frozen=True, slots=True)
class Excluded:
    """How often an honest, or a lying, hospital was called odd, by what it was judged."""

    hospital: str
    is_honest: bool
    by_area: float
    by_accuracy: float


def exclusions(learn: Rows, hospitals: int, seeds: Sequence[int]) -> list[Excluded]:
    """Return how often the first hospital would be left out: honest but different, or lying."""
    kinds: dict[str, tuple[bool, Callable[[Rows], Rows]]] = {
        "like the others": (True, lambda rows: rows),
        "nine in ten of class 1": (True, partial(prevalent, share=0.9)),
        "one in ten of class 1": (True, partial(prevalent, share=0.1)),
        "only the lower half of one measurement": (True, _subgroup),
        "all classes turned round": (False, lambda rows: rows.flipped(np.arange(len(rows)))),
    }
    told: list[Excluded] = []
    for name, (is_honest, change) in kinds.items():
        flags: list[tuple[bool, bool]] = []
        for seed in seeds:
            order = Seeded(seed).some(len(learn), np.arange(len(learn)))
            parts = dealt(learn[order], hospitals)
            flags.append(_judged([change(parts[0]), *parts[1:]]))
        by_area, by_accuracy = np.mean(flags, axis=0)
        told.append(Excluded(name, is_honest, float(by_area), float(by_accuracy)))
    return told


def certified(parts: Sequence[Rows], test: Rows, mapped: Map) -> list[float]:
    """Return which share of rows is told rightly whatever 0, 1, 2, ... hospitals do."""
    found = robust.vote([fitted(part, mapped) for part in parts], test.features)
    right = found.classes == test.outcome
    most = len(parts) // 2
    return [float((right & (found.withstands >= liars)).mean()) for liars in range(most + 1)]


def _own(parts: Sequence[Rows], setting: Setting) -> list[Rows]:
    """Return what is in range of each hospital's rows, of those that have any of both classes."""
    kept = [robust.in_range(part, setting.low, setting.high) for part in parts]
    return [one for one in kept if len(set(one.outcome)) == 2] or kept


def _success(attack: str, held: Classes, clean: Classes, test: Rows, setting: Setting) -> float:
    if attack == "backdoor":
        none = test.features[test.outcome == 0]
        triggered = attacks.with_trigger(none, setting.low, setting.high)
        return float(held(triggered).mean())
    right = clean(test.features) == test.outcome
    return float((held(test.features) != test.outcome)[right].mean()) if right.any() else 0.0


def _is_better_without(i: int, parts: Sequence[Rows], setting: Setting) -> bool:
    others = [part for j, part in enumerate(parts) if j != i]
    rest = joined(*others)
    return accuracy(setting.learner(rest)(rest.features), rest) > accuracy(
        setting.learner(joined(*parts))(rest.features), rest
    )


def _judged(parts: Sequence[Rows]) -> tuple[bool, bool]:
    """Return whether the first hospital is odd by the area under the curve, and by accuracy."""
    models = [None if len(set(part.outcome)) < 2 else fitted(part) for part in parts]
    by_area = robust.area_flags(parts, models)[0] is True
    own = [
        float(np.mean([accuracy(m.classes(p.features), p) for p in parts if p is not part]))
        for part, m in zip(parts, models, strict=True)
        if m is not None
    ]
    return by_area, models[0] is not None and own[0] < float(np.median(own)) - robust.AREA_BELOW


def prevalent(rows: Rows, share: float) -> Rows:
    """Return rows of which `share` are of class 1, as many as there are."""
    ones, none = (np.flatnonzero(rows.outcome == k) for k in (1, 0))
    count = int(min(len(ones) / share, len(none) / (1 - share)))
    many = round(count * share)
    return rows[np.concatenate([ones[:many], none[: count - many]])]


def _subgroup(rows: Rows) -> Rows:
    first = rows.features[:, 0]
    return rows[np.flatnonzero(first <= np.median(first))]
