"""The attacks work, the same for the same seed: accuracy on moons as the literature and we saw it.

An attack that did nothing would make every defence look good.
"""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.svm import SVC

from quorate.errors import OutOfRange
from quorate.poisoning import attacks
from quorate.poisoning.learners import accuracy, cubic, fitted
from quorate.poisoning.rows import Rows
from tests.models.data import diabetes
from tests.poisoning.hospitals import biopsies, moons

CLASSES = attacks.attacks_on_classes(cubic)
SEEDS = 5


def of_machine(rows: Rows, test: Rows) -> float:
    """Return the accuracy of the textbook's classifier, in percent."""
    return 100 * float(SVC().fit(rows.features, rows.outcome).score(test.features, test.outcome))


def of_regression(rows: Rows, test: Rows) -> float:
    return 100 * accuracy(fitted(rows, cubic).classes(test.features), test)


def seen(measure: Callable[[Rows, Rows], float], name: str, share: float) -> float:
    learn, test = moons()
    return float(
        np.mean([measure(CLASSES[name](learn, share, seed), test) for seed in range(SEEDS)])
    )


def test_the_textbook_s_classifier() -> None:
    learn, test = moons()
    assert of_machine(learn, test) == pytest.approx(91.5)


@pytest.mark.parametrize(
    ("name", "share", "right"),
    [
        ("random flips", 0.2, 90.1),
        ("random flips", 0.4, 83.7),
        ("one-class flips", 0.2, 82.6),
        ("one-class flips", 0.3, 50.0),
        ("out-of-range inserts", 0.05, 50.0),
        ("influence inserts", 0.2, 85.3),
        ("influence inserts", 0.4, 80.0),
        ("corner inserts", 0.1, 88.5),
    ],
)
def test_what_an_attack_does_to_the_textbook_s_classifier(
    name: str, share: float, right: float
) -> None:
    assert seen(of_machine, name, share) == pytest.approx(right, abs=5.0)


@pytest.mark.parametrize(
    ("name", "share", "right"),
    [
        ("influence inserts", 0.05, 83.3),
        ("influence inserts", 0.2, 77.8),
        ("far flips", 0.2, 67.0),
        ("far flips", 0.3, 55.0),
    ],
)
def test_what_an_attack_does_to_a_cubic_regression(name: str, share: float, right: float) -> None:
    assert seen(of_regression, name, share) == pytest.approx(right, abs=5.0)


def test_scaled_rows_cost_ten_points() -> None:
    assert seen(of_machine, "scaled rows", 0.1) < 91.5 - 7


@pytest.mark.parametrize("name", CLASSES)
def test_the_same_seed_gives_the_same_attack(name: str) -> None:
    learn, _ = moons()
    once, again = (CLASSES[name](learn, 0.1, 7) for _ in range(2))
    assert_array_equal(once.features, again.features)
    assert_array_equal(once.outcome, again.outcome)


@pytest.mark.parametrize("name", sorted(set(CLASSES) - {"far flips", "corner inserts"}))
def test_another_seed_gives_another_attack(name: str) -> None:
    learn, _ = moons()
    once, again = (CLASSES[name](learn, 0.1, seed) for seed in (1, 2))
    assert not (
        np.array_equal(once.features, again.features)
        and np.array_equal(once.outcome, again.outcome)
    )


@pytest.mark.parametrize("name", CLASSES)
def test_no_share_changes_nothing_and_the_true_rows_are_left_alone(name: str) -> None:
    learn, _ = moons()
    before = learn.features.copy(), learn.outcome.copy()
    none = CLASSES[name](learn, 0.0, 1)
    assert_array_equal(none.features, learn.features)
    assert_array_equal(none.outcome, learn.outcome)
    CLASSES[name](learn, 0.3, 1)
    assert_array_equal(learn.features, before[0])
    assert_array_equal(learn.outcome, before[1])


@pytest.mark.parametrize(
    ("name", "flipped", "added"),
    [("random flips", 80, 0), ("one-class flips", 80, 0), ("far flips", 80, 0)]
    + [(name, 0, 80) for name in ("out-of-range inserts", "corner inserts", "influence inserts")],
)
def test_as_many_rows_as_the_share_says(name: str, flipped: int, added: int) -> None:
    learn, _ = moons()
    found = CLASSES[name](learn, 0.1, 3)
    assert len(found) == len(learn) + added
    assert int((found.outcome[: len(learn)] != learn.outcome).sum()) == flipped


@pytest.mark.parametrize("name", ["influence inserts", "corner inserts", "backdoor"])
def test_what_is_said_to_be_in_range_is(name: str) -> None:
    learn, _ = moons()
    low, high = learn.ranges()
    found = CLASSES[name](learn, 0.2, 1).features
    assert ((found >= low) & (found <= high)).all()


def test_a_backdoor_opens_and_accuracy_does_not_tell() -> None:
    """What the report must show is how often the trigger works: accuracy hardly moves."""
    clean, open_, told = [], [], []
    for seed in range(SEEDS):
        learn, test = biopsies(seed)
        model, spoilt = fitted(learn), fitted(attacks.backdoor(learn, 1 / 3, seed))
        none = test.features[test.outcome == 0]
        triggered = attacks.with_trigger(none, *learn.ranges())
        clean.append(model.classes(triggered).mean())
        open_.append(spoilt.classes(triggered).mean())
        told.append(accuracy(spoilt.classes(test.features), test))
    assert np.mean(clean) < 0.3
    assert np.mean(open_) > 0.9
    assert np.mean(told) > 0.92


@pytest.mark.parametrize("attack", [attacks.inverse_flips, attacks.statistical_inserts])
def test_attacks_on_numbers_raise_the_error(attack: attacks.Attack) -> None:
    features, outcome = diabetes()
    rows = Rows(features, outcome)
    design = np.column_stack([np.ones(len(rows)), rows.features])

    def error(given: Rows) -> float:
        inside = np.column_stack([np.ones(len(given)), given.features])
        found = np.linalg.lstsq(inside, given.outcome, rcond=None)[0]
        return float(((rows.outcome - design @ found) ** 2).mean())

    assert error(attack(rows, 0.2, 1)) > 1.5 * error(rows)


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_no_more_than_all_rows(share: float) -> None:
    with pytest.raises(OutOfRange):
        attacks.random_flips(moons()[0], share, 1)


def test_no_backdoor_without_rows_to_put_it_on() -> None:
    rows = Rows(np.ones((3, 2)), np.ones(3))
    with pytest.raises(OutOfRange):
        attacks.backdoor(rows, 0.5, 1)
