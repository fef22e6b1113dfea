"""Noise on records: exact ratios, the stated law, unbiased estimates with the stated variance."""

from decimal import localcontext
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.dp import local
from quorate.dp.local import OneBit, V, Window
from quorate.dp.mechanisms import Bounds, Unit
from quorate.errors import OutOfRange, Refused
from tests.dp.keyed import keyed
from tests.dp.laws import DIGITS, decimal, unlike

AGES = Bounds(Fraction(18), Fraction(100), Fraction(1), "protocol, section 3")
ONE = Fraction(1)
epsilons = st.fractions(min_value=Fraction(1, 50), max_value=local.MOST_EPSILON)


@given(epsilons, st.integers(1, 4))
def test_no_answer_is_likelier_by_more_than_the_guarantee(epsilon: Fraction, rows: int) -> None:
    """All rows of a patient together: the ratio of weights to the power of their number."""
    weight = local.unary_encoding(2, Unit(rows), epsilon).weight
    with localcontext() as context:
        context.prec = DIGITS
        ratio = (decimal(Fraction(weight, V)) ** rows).ln()
        assert decimal(epsilon) * (1 - decimal(Fraction(1, 10**6))) < ratio <= decimal(epsilon)


def test_a_response_has_its_law() -> None:
    response = local.response(4, Unit(), ONE)
    sent = response.perturbed(np.full(100_000, 2), keyed("response"))
    whole = response.weight + 3 * V
    law = {x: (response.weight if x == 2 else V) / whole for x in range(4)}
    assert not unlike(sent, lambda x: law.get(x, 0.0))


def test_unary_encoding_has_its_law() -> None:
    encoding = local.unary_encoding(3, Unit(), ONE)
    sent = encoding.perturbed(np.full(100_000, 1), keyed("unary"))
    q = V / (V + encoding.weight)
    np.testing.assert_allclose(sent.mean(axis=0), [q, 0.5, q], atol=0.007)


@pytest.mark.parametrize("value", [18, 59, 100])
def test_a_window_has_its_law_and_every_number_may_be_sent_for_every_value(value: int) -> None:
    window = local.mean(AGES, Unit(), Fraction(6))
    assert isinstance(window, Window)
    sent = window.perturbed(np.full(200_000, value), keyed(f"window {value}"))
    last = AGES.width + window.reach
    centre = 2 * value - 118

    def law(x: int) -> float:
        near = abs(x - centre) <= window.reach
        return (window.weight if near else V) / window.total if abs(x) <= last else 0.0

    assert sum(map(law, range(-last, last + 1))) == pytest.approx(1)
    assert not unlike(sent, law)
    assert abs(sent).max() <= last


@pytest.mark.parametrize("value", [18, 40, 100])
def test_a_bit_has_its_law(value: int) -> None:
    bit = local.mean(AGES, Unit(), ONE)
    assert isinstance(bit, OneBit)
    sent = bit.perturbed(np.full(100_000, value), keyed(f"bit {value}"))
    keep = bit.weight / (bit.weight + V)
    place = (value - 18) / 82
    assert sent.mean() == pytest.approx(place * keep + (1 - place) * (1 - keep), abs=0.007)


@pytest.mark.parametrize("epsilon", [ONE, Fraction(6)])
@pytest.mark.parametrize("value", [18, 40, 100])
def test_means_are_unbiased_with_the_variance_said(epsilon: Fraction, value: int) -> None:
    mechanism, n = local.mean(AGES, Unit(), epsilon), 200_000
    randomness = keyed(f"mean {epsilon} {value}")
    said = float(mechanism.variance(Fraction(value)))
    sent = mechanism.perturbed(np.full(n, value), randomness)
    assert float(mechanism.estimated(sent)) == pytest.approx(value, abs=5 * (said / n) ** 0.5)
    each = [float(mechanism.estimated(np.array([x]))) for x in (0, 1)]
    spread = float(sent.var()) * (each[1] - each[0]) ** 2
    assert spread == pytest.approx(said, rel=0.03)


@pytest.mark.parametrize("kind", [local.response, local.unary_encoding])
def test_numbers_by_choice_are_unbiased(kind: type) -> None:
    mechanism = kind(3, Unit(), Fraction(2))
    true = np.repeat([0, 1, 2], [70_000, 30_000, 0])
    found = mechanism.estimated(mechanism.perturbed(true, keyed(f"choices {kind.__name__}")))
    np.testing.assert_allclose([float(f) for f in found], [70_000, 30_000, 0], atol=1500)


def test_values_out_of_bounds_are_clamped() -> None:
    for epsilon in (ONE, Fraction(6)):
        mechanism = local.mean(AGES, Unit(), epsilon)
        wild, highest = (
            mechanism.perturbed(np.full(1000, value), keyed("clamped")) for value in (10**15, 100)
        )
        np.testing.assert_array_equal(wild, highest)


@pytest.mark.parametrize("epsilon", [ONE, Fraction(6)])
def test_records_that_nobody_could_have_sent_are_refused(epsilon: Fraction) -> None:
    mechanism, response = local.mean(AGES, Unit(), epsilon), local.response(3, Unit(), epsilon)
    far = 2 if isinstance(mechanism, OneBit) else AGES.width + mechanism.reach + 1
    for one, sent in ((mechanism, [0, far]), (mechanism, []), (response, [3]), (response, [-1])):
        with pytest.raises(OutOfRange):
            one.estimated(np.array(sent, np.int64))
    encoding = local.unary_encoding(3, Unit(), epsilon)
    for wrong in (np.zeros((5, 2), np.bool_), np.zeros(5, np.bool_)):
        with pytest.raises(OutOfRange):
            encoding.estimated(wrong)


@given(st.fractions(min_value=Fraction(1, 20), max_value=10))
def test_the_better_of_two_is_chosen_for_a_mean(epsilon: Fraction) -> None:
    chosen = local.mean(AGES, Unit(), epsilon)
    bit = OneBit(AGES, chosen.weight)
    assert local.worst_variance(chosen) <= local.worst_variance(bit)
    values = [Fraction(v) for v in range(18, 101)]
    assert local.worst_variance(chosen) == max(map(chosen.variance, values))


@pytest.mark.parametrize("epsilon", [Fraction(0), Fraction(-1), Fraction(13), Fraction(1, 1 << 50)])
def test_epsilons_that_mean_nothing_for_a_record_are_refused(epsilon: Fraction) -> None:
    with pytest.raises(Refused):
        local.response(2, Unit(), epsilon)


def test_too_many_or_too_few_choices_are_refused() -> None:
    with pytest.raises(OutOfRange):
        local.response(1 << 25, Unit(), ONE)
    with pytest.raises(OutOfRange):
        local.unary_encoding(1, Unit(), ONE)
    fine = Bounds(Fraction(0), Fraction(1 << 25), ONE, "protocol")
    with pytest.raises(OutOfRange, match="weights"):
        local.mean(fine, Unit(), Fraction(6))
