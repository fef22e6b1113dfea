"""Defences in the clear: what each stops, what it costs on true rows, and what it must not do.

Each test of a defence has the attack without it beside it: that it works is the control.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from sklearn.metrics import roc_auc_score
from sklearn.svm import SVC

from quorate.errors import Refused
from quorate.poisoning import attacks, robust
from quorate.poisoning.lab import dealt, prevalent
from quorate.poisoning.learners import (
    Model,
    accuracy,
    cubic,
    curve_area,
    fitted,
    logistic,
    plain,
)
from quorate.poisoning.rows import Floats, Rows, joined
from tests.models.data import diabetes
from tests.poisoning.hospitals import all_flipped, biopsies, moons

SEEDS = 5
Parts = list[Rows]


def machine(rows: Rows, test: Rows) -> float:
    return 100 * float(SVC().fit(rows.features, rows.outcome).score(test.features, test.outcome))


def pooled(parts: Parts, features: Floats) -> Floats:
    return fitted(joined(*parts)).classes(features)


def voted(parts: Parts, features: Floats) -> Floats:
    return robust.vote([fitted(part) for part in parts], features).classes


def middle(parts: Parts, features: Floats) -> Floats:
    """Return what the median of coefficients says, of measurements about a common middle."""
    known = biopsies(0)[0].features  # a published middle and spread, agreed on beforehand

    def scaled(given: Floats) -> Floats:
        found: Floats = (given - known.mean(axis=0)) / known.std(axis=0)
        return found

    models = [fitted(Rows(scaled(part.features), part.outcome)) for part in parts]
    found = robust.median(np.array([model.coefficients for model in models]))
    return Model(found, plain).classes(scaled(features))


def measured(
    learn: Callable[[Parts, Floats], Floats], spoil: Callable[[Parts], Parts], hospitals: int
) -> float:
    """Return the accuracy on biopsies, in percent, over some seeds."""
    found: list[float] = []
    for seed in range(SEEDS):
        rows, test = biopsies(seed)
        parts = spoil(dealt(rows, hospitals))
        found.append(accuracy(learn(parts, test.features), test))
    return 100 * float(np.mean(found))


def one_class(parts: Parts, liars: int = 1) -> Parts:
    return [
        Rows(part.features, np.zeros(len(part))) if i < liars else part
        for i, part in enumerate(parts)
    ]


def out_of_range(parts: Parts) -> Parts:
    first = parts[0]
    return [Rows(1000 * first.features, 1 - first.outcome), *parts[1:]]


# One person's rows


def test_rejecting_what_is_out_of_range_restores_the_textbook_s_classifier() -> None:
    learn, test = moons()
    spoilt = attacks.out_of_range_inserts(learn, 0.05, 1)
    assert machine(robust.in_range(spoilt, *learn.ranges()), test) == pytest.approx(91.5)


def test_control_out_of_range_inserts_without_the_range() -> None:
    learn, test = moons()
    assert machine(attacks.out_of_range_inserts(learn, 0.05, 1), test) < 55


def test_clipping_instead_of_rejecting_leaves_leverage() -> None:
    """Why rows are rejected: clipped to the corners, the same rows still spoil a regression."""
    learn, test = moons()
    low, high = learn.ranges()
    spoilt = attacks.out_of_range_inserts(learn, 0.2, 1)
    clipped = Rows(np.clip(spoilt.features, low, high), spoilt.outcome)
    rejected = robust.in_range(spoilt, low, high)
    told = [
        accuracy(fitted(rows, cubic).classes(test.features), test) for rows in (clipped, rejected)
    ]
    assert told[0] < told[1] - 0.03


def test_what_is_no_class_is_rejected() -> None:
    rows = Rows(np.zeros((3, 1)), np.array([0.0, 0.5, 7.0]))
    assert len(robust.in_range(rows, np.array([-1.0]), np.array([1.0]))) == 1


# Hospitals that lie


@pytest.mark.parametrize("learn", [voted, middle])
def test_true_hospitals_lose_little_by_a_defence(learn: Callable[[Parts, Floats], Floats]) -> None:
    """96.7 pooled, 96.6 by vote, 97.1 by median, as measured before."""
    clean = measured(pooled, lambda parts: parts, 3)
    assert measured(learn, lambda parts: parts, 3) > clean - 2


@pytest.mark.parametrize("learn", [voted, middle])
@pytest.mark.parametrize("spoil", [partial(all_flipped, liars=1), one_class, out_of_range])
def test_one_hospital_of_three_cannot_spoil_what_is_learnt(
    learn: Callable[[Parts, Floats], Floats], spoil: Callable[[Parts], Parts]
) -> None:
    assert measured(learn, spoil, 3) > 94


@pytest.mark.parametrize("learn", [voted, middle])
def test_two_hospitals_of_five_cannot(learn: Callable[[Parts, Floats], Floats]) -> None:
    assert measured(learn, partial(all_flipped, liars=2), 5) > 93.5


@pytest.mark.parametrize("spoil", [partial(all_flipped, liars=1), one_class, out_of_range])
def test_control_one_hospital_of_three_spoils_what_is_pooled(
    spoil: Callable[[Parts], Parts],
) -> None:
    assert measured(pooled, spoil, 3) < 90


def test_control_two_hospitals_of_three_turn_every_vote() -> None:
    """More liars than the defence says it stands: it says so, and it is so."""
    assert measured(voted, partial(all_flipped, liars=2), 3) < 20


def triggered(learn: Callable[[Parts, Floats], Floats]) -> float:
    """Return how often a trigger works that one hospital of three taught, in percent."""
    found: list[float] = []
    for seed in range(SEEDS):
        rows, test = biopsies(seed)
        parts = dealt(rows, 3)
        spoilt = [attacks.backdoor(parts[0], 1.0, seed), *parts[1:]]
        none = test.features[test.outcome == 0]
        found.append(learn(spoilt, attacks.with_trigger(none, *parts[0].ranges())).mean())
    return 100 * float(np.mean(found))


@pytest.mark.parametrize("learn", [voted, middle])
def test_a_backdoor_of_one_hospital_stays_shut(learn: Callable[[Parts, Floats], Floats]) -> None:
    assert triggered(learn) < 25


def test_control_a_backdoor_opens_what_is_pooled() -> None:
    assert triggered(pooled) > 80


# What a vote withstands


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 1), min_size=1, max_size=7))
def test_so_many_liars_do_not_change_a_vote_and_one_more_can(ballots: list[int]) -> None:
    models = [Model(np.array([1.0 if one else -1.0, 0.0]), plain) for one in ballots]
    one_row = np.zeros((1, 1))
    found = robust.vote(models, one_row)
    liars = int(found.withstands[0])

    def turned(count: int) -> bool:
        """Return whether `count` who all say the other class can turn the outcome."""
        say = 1 - int(found.classes[0])
        honest = sorted(ballots, key=lambda one: one == say)[count:]
        total = honest.count(1) + (count if say else 0)
        return (2 * total > len(ballots)) == bool(say)

    assert not turned(liars)
    assert turned(min(liars + 1, len(ballots)))


def test_what_is_certified_of_three_hospitals() -> None:
    """94.2 of the biopsies are told rightly with a margin of one liar, as measured before."""
    found: list[float] = []
    for seed in range(SEEDS):
        rows, test = biopsies(seed)
        outcome = robust.vote([fitted(part) for part in dealt(rows, 3)], test.features)
        right = outcome.classes == test.outcome
        found.append(float((right & (outcome.withstands >= 1)).mean()))
    assert 100 * np.mean(found) == pytest.approx(94.2, abs=3)


def test_more_liars_than_can_be_stood_are_refused() -> None:
    with pytest.raises(Refused, match="not fewer than half"):
        robust.trimmed_mean(np.zeros((4, 2)), 2)
    assert_allclose(robust.trimmed_mean(np.array([[1.0], [2], [9]]), 1), [2])


# Rows and responses


def test_a_bound_on_each_row_s_weight_leaves_the_truth_nearly_alone_and_stops_large_rows() -> None:
    learn, test = moons()
    columns = cubic(learn.features)
    middle_, spread = columns.mean(axis=0), columns.std(axis=0)

    def score(found: Floats) -> float:
        inside = (cubic(test.features) - middle_) / spread
        return accuracy(np.where(found[0] + inside @ found[1:] > 0, 1.0, 0.0), test)

    def scaled(rows: Rows) -> Floats:
        found: Floats = (cubic(rows.features) - middle_) / spread
        return found

    clean = robust.clipped_logistic(scaled(learn), learn.outcome, bound=1.0)
    spoilt = attacks.out_of_range_inserts(learn, 0.05, 1)
    held = robust.clipped_logistic(scaled(spoilt), spoilt.outcome, bound=1.0)
    free = logistic(scaled(spoilt), spoilt.outcome, 1.0)
    assert score(clean) > 0.84
    assert score(held) > score(free) + 0.15


@pytest.mark.parametrize("attack", [attacks.inverse_flips, attacks.statistical_inserts])
def test_a_trimmed_regression_is_nearer_the_truth(attack: attacks.Attack) -> None:
    rows = _diabetes()
    spoilt = attack(rows, 0.2, 1)
    right, free = (_error(robust.trimmed_linear(one, 1.0), rows) for one in (rows, spoilt))
    trimmed = _error(robust.trimmed_linear(spoilt, 0.8), rows)
    assert free > 1.5 * right
    assert trimmed < right + (free - right) * 0.6


def test_trimming_true_rows_costs_little() -> None:
    """8 percent, where a fifth was trimmed for nothing, as measured before."""
    rows = _diabetes()
    right, trimmed = (_error(robust.trimmed_linear(rows, kept), rows) for kept in (1.0, 0.8))
    assert trimmed < 1.12 * right


# Flags


def flags(parts: Parts) -> list[bool | None]:
    models = [None if len(set(part.outcome)) < 2 else fitted(part) for part in parts]
    return robust.area_flags(parts, models)


def test_a_hospital_that_flips_all_is_flagged() -> None:
    for seed in range(SEEDS):
        rows, _ = biopsies(seed)
        assert flags(all_flipped(dealt(rows, 3), 1)) == [True, False, False]


@pytest.mark.parametrize("share", [0.9, 0.1])
def test_an_honest_hospital_with_other_patients_is_not(share: float) -> None:
    """One with a prevalence of 90 percent, or 10: excluding it by accuracy would be wrong."""
    for seed in range(SEEDS):
        rows, _ = biopsies(seed)
        parts = dealt(rows, 3)
        assert flags([prevalent(parts[0], share), *parts[1:]]) == [False] * 3


def test_a_hospital_whose_rows_are_of_one_class_cannot_be_judged() -> None:
    parts = one_class(dealt(biopsies(0)[0], 3))
    assert flags(parts)[0] is None
    assert flags(one_class(parts, 3)) == [None] * 3


def test_a_hospital_that_moves_a_mean_far_is_flagged() -> None:
    sums, counts = np.array([500.0, 520.0, 90000.0]), np.array([10.0, 10.0, 10.0])
    assert robust.influence_flags(sums, counts, 2000.0) == [False, False, True]
    assert robust.influence_flags(sums, counts, 4000.0) == [False, False, False]
    assert robust.influence_flags(sums[:2], counts[:2], 5.0) == [False, False]
    assert robust.influence_flags(np.array([5.0, 0.0]), np.array([1.0, 0.0]), 1.0) == [True, False]


@given(st.lists(st.tuples(st.integers(0, 50), st.booleans()), min_size=2, max_size=40))
def test_areas_are_those_of_scikit_learn(pairs: list[tuple[int, bool]]) -> None:
    scores, outcome = np.array([p[0] for p in pairs], float), np.array([p[1] for p in pairs], float)
    if 0 < outcome.sum() < len(outcome):
        assert_allclose(curve_area(scores, outcome), roc_auc_score(outcome, scores))
    else:
        assert np.isnan(curve_area(scores, outcome))


def _diabetes() -> Rows:
    features, outcome = diabetes()
    return Rows((features - features.mean(axis=0)) / features.std(axis=0), outcome)


def _error(found: Floats, rows: Rows) -> float:
    return float(((rows.outcome - found[0] - rows.features @ found[1:]) ** 2).mean())
