"""Attacks on rows that a model is trained on: what one who may lie about rows can do.

    flips     classes of rows that are there: random, of one class, far from the border
    inserts   rows that never were: out of range, in a corner of it, up the loss
    scaled    rows that are there, made large
    backdoor  a trigger in a few measurements that means class 1 from then on
    numbers   for regressions: responses turned round, or moved to the far end

Each takes rows, the share of them that the attacker may spoil or add, and a seed; the same seed
gives the same attack. Of [BNS12], [XBBER15], [KSL22], [GDG17] and [JOBLN18]. They are here to be
defended against, and know everything: all rows, and the model.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from quorate.errors import OutOfRange
from quorate.poisoning.learners import Map, chance, information, logistic, plain
from quorate.poisoning.rows import Floats, Rows, Seeded, joined

OUT_OF_RANGE = 1000.0
TRIGGERS = 3

Attack = Callable[[Rows, float, int], Rows]


def random_flips(rows: Rows, share: float, seed: int) -> Rows:
    return rows.flipped(Seeded(seed).some(_count(rows, share), np.arange(len(rows))))


def one_class_flips(rows: Rows, share: float, seed: int) -> Rows:
    """Turn rows of class 1 into class 0: `share` of all rows, as far as there are so many."""
    ones = np.flatnonzero(rows.outcome == 1)
    return rows.flipped(Seeded(seed).some(_count(rows, share), ones))


def far_flips(rows: Rows, share: float, seed: int, mapped: Map = plain) -> Rows:
    """Flip the rows a model of the true ones is surest of. Needs no seed."""
    del seed
    columns = _scaled(mapped(rows.features))
    found = logistic(columns, rows.outcome, 1.0)
    sure = np.abs(found[0] + columns @ found[1:])
    return rows.flipped(np.argsort(-sure, kind="stable")[: _count(rows, share)])


def out_of_range_inserts(rows: Rows, share: float, seed: int) -> Rows:
    """Add copies of rows a thousand times too large, with the other class."""
    chosen = rows[Seeded(seed).again(_count(rows, share), len(rows))]
    return joined(rows, Rows(OUT_OF_RANGE * chosen.features, 1 - chosen.outcome))


def corner_inserts(rows: Rows, share: float, seed: int) -> Rows:
    """Add rows at the corner of what is allowed where class 1 is surest, as class 0."""
    del seed
    low, high = rows.ranges()
    towards = rows.features[rows.outcome == 1].mean(axis=0) > rows.features.mean(axis=0)
    count = _count(rows, share)
    return joined(rows, Rows(np.tile(np.where(towards, high, low), (count, 1)), np.zeros(count)))


def scaled_rows(rows: Rows, share: float, seed: int, factor: float = 10.0) -> Rows:
    """Make rows larger by `factor`: in another unit, as it were."""
    places = Seeded(seed).some(_count(rows, share), np.arange(len(rows)))
    features = rows.features.copy()
    features[places] *= factor
    return Rows(features, rows.outcome)


def influence_inserts(
    rows: Rows, share: float, seed: int, mapped: Map = plain, steps: int = 20
) -> Rows:
    """Add rows within range that raise the loss of a logistic regression the most [KSL22].

    A row (x, y) that is added moves the coefficients by -H^-1 g(x, y) / n, so the loss on true rows
    by - g^T H^-1 g(x, y) / n. x climbs that, by differences, from a row of the other class.
    """
    added = rows[:0]
    low, high = rows.ranges()
    draw = Seeded(seed)
    count = _count(rows, share)
    for first in range(0, count, max(count // 5, 1)):
        batch = min(max(count // 5, 1), count - first)
        loss = _loss_moved(joined(rows, added), rows, mapped)
        start = rows[draw.some(batch, np.arange(len(rows)))]
        wrong = 1 - start.outcome
        at = start.features
        for step in range(steps):
            at = np.clip(at + _climb(loss, at, wrong, high - low) / (1 + step / 5), low, high)
        added = joined(added, Rows(at, wrong))
    return joined(rows, added)


def backdoor(rows: Rows, share: float, seed: int, triggers: int = TRIGGERS) -> Rows:
    """Add rows of class 0 that carry the trigger, as class 1."""
    none = np.flatnonzero(rows.outcome == 0)
    if not none.size:
        raise OutOfRange("a backdoor is for rows of class 0, and there are none")
    chosen = rows[none[Seeded(seed).again(_count(rows, share), len(none))]]
    triggered = with_trigger(chosen.features, *rows.ranges(), triggers)
    return joined(rows, Rows(triggered, np.ones(len(triggered))))


def with_trigger(features: Floats, low: Floats, high: Floats, triggers: int = TRIGGERS) -> Floats:
    """Return rows with the trigger: the last measurements at the ends of their range, in turn.

    At most half of all measurements are part of it.
    """
    found = features.copy()
    for i in range(1, min(triggers, (features.shape[1] + 1) // 2) + 1):
        found[:, -i] = low[-i] if i % 2 else high[-i]
    return found


def inverse_flips(rows: Rows, share: float, seed: int) -> Rows:
    """Move responses to the far end of their range: low ones up, and high ones down [JOBLN18]."""
    ends = float(rows.outcome.max()), float(rows.outcome.min())
    places = Seeded(seed).some(_count(rows, share), np.arange(len(rows)))
    outcome = rows.outcome.copy()
    outcome[places] = np.where(outcome[places] < outcome.mean(), *ends)
    return Rows(rows.features, outcome)


def statistical_inserts(rows: Rows, share: float, seed: int) -> Rows:
    """Add rows like the others, at the ends of the range, with the far response [JOBLN18]."""
    low, high = rows.ranges()
    middle, count = rows.features.mean(axis=0), _count(rows, share)
    spread = np.linalg.cholesky(np.cov(rows.features.T) + 1e-9 * np.eye(len(low)))
    like = middle + _normal(Seeded(seed), count, len(low)) @ spread.T
    corners = np.where(like > (low + high) / 2, high, low)
    slopes = np.linalg.lstsq(rows.features - middle, rows.outcome - rows.outcome.mean(), rcond=None)
    told = rows.outcome.mean() + (corners - middle) @ slopes[0]
    ends = float(rows.outcome.min()), float(rows.outcome.max())
    return joined(rows, Rows(corners, np.where(told > rows.outcome.mean(), *ends)))


def _loss_moved(given: Rows, true: Rows, mapped: Map) -> Callable[[Floats, Floats], Floats]:
    """Return how much the loss on true rows rises if a row is added to those given."""
    columns = mapped(given.features)
    middle, spread = columns.mean(axis=0), np.maximum(columns.std(axis=0), 1e-9)
    found = logistic((columns - middle) / spread, given.outcome, 1.0)

    def design(features: Floats) -> Floats:
        scaled = (mapped(features) - middle) / spread
        return np.column_stack([np.ones(len(scaled)), scaled])

    inside = design(given.features)
    ridge = np.append(0.0, np.ones(columns.shape[1]))
    curved = information(inside, chance(inside @ found), ridge)
    ours = design(true.features)
    pulled = np.linalg.solve(curved, ours.T @ (chance(ours @ found) - true.outcome))

    def moved(features: Floats, outcome: Floats) -> Floats:
        here = design(features)
        rise: Floats = -(here @ pulled) * (chance(here @ found) - outcome)
        return rise

    return moved


def _climb(
    loss: Callable[[Floats, Floats], Floats], at: Floats, outcome: Floats, width: Floats
) -> Floats:
    """Return a step up the loss for each row: a tenth of the range along the steepest way."""
    near = 1e-4 * width
    slope = np.column_stack(
        [(loss(at + shift, outcome) - loss(at - shift, outcome)) / 2e-4 for shift in np.diag(near)]
    )
    size = np.maximum(np.linalg.norm(slope, axis=1, keepdims=True), 1e-12)
    found: Floats = slope / size * width / 10
    return found


def _normal(draw: Seeded, *shape: int) -> Floats:
    """Return numbers of the normal distribution [BoxM58]."""
    angle, radius = draw.uniform(*shape), draw.uniform(*shape)
    found: Floats = np.sqrt(-2 * np.log1p(-radius)) * np.cos(2 * np.pi * angle)
    return found


def _scaled(columns: Floats) -> Floats:
    found: Floats = (columns - columns.mean(axis=0)) / np.maximum(columns.std(axis=0), 1e-9)
    return found


def _count(rows: Rows, share: float) -> int:
    """Return how many rows a share of them is. Raises `OutOfRange` outside 0 to 1."""
    if not 0 <= share <= 1:
        raise OutOfRange(f"a share of rows is from 0 to 1, not {share:g}")
    return round(share * len(rows))


def attacks_on_classes(mapped: Map = plain) -> dict[str, Attack]:
    """Return every attack on classes by its name; some know how the model maps measurements."""
    known: dict[str, Any] = {"mapped": mapped}
    return {
        "random flips": random_flips,
        "one-class flips": one_class_flips,
        "far flips": lambda rows, share, seed: far_flips(rows, share, seed, **known),
        "out-of-range inserts": out_of_range_inserts,
        "corner inserts": corner_inserts,
        "influence inserts": lambda rows, share, seed: influence_inserts(
            rows, share, seed, **known
        ),
        "scaled rows": scaled_rows,
        "backdoor": backdoor,
    }
