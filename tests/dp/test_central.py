"""Noise drawn in one place has its law, whoever draws it, and is never narrower than stated."""

import os
from fractions import Fraction

import numpy as np
import pytest

from quorate.dp import central
from quorate.dp.mechanisms import Gaussian, Laplace, Mechanism
from quorate.errors import OutOfRange
from tests.dp.keyed import keyed
from tests.dp.laws import gaussian as gaussian_law
from tests.dp.laws import laplace as laplace_law
from tests.dp.laws import unlike

COUNT = 20_000
NOISES: tuple[Mechanism, ...] = (Laplace(1, Fraction(7, 3)), Gaussian(1, Fraction(50, 3)))


@pytest.mark.parametrize("mechanism", NOISES, ids=["laplace", "gaussian"])
def test_both_ways_of_drawing_have_the_stated_law(mechanism: Mechanism) -> None:
    law = (
        laplace_law(mechanism.scale)
        if isinstance(mechanism, Laplace)
        else gaussian_law(mechanism.variance)
    )
    noisy = central.noised(np.full(COUNT, 1000, np.int64), mechanism, os.urandom)
    own = central.by_samplers(mechanism, COUNT, keyed("central"))
    for found in (noisy - 1000, own):
        assert not unlike(found, law, rate=1e-7)


def test_what_no_patient_can_change_has_no_noise() -> None:
    totals = np.array([3, 4])
    assert central.noised(totals, None, os.urandom) is totals


@pytest.mark.parametrize("number", [Fraction(1, 3), Fraction(7, 3), Fraction(10**17 + 1)])
def test_a_scale_is_rounded_up(number: Fraction) -> None:
    assert number <= Fraction(central._float_above(number)) <= number * Fraction(10**15 + 1, 10**15)


def test_noise_too_wide_for_the_samplers_is_refused_whoever_would_draw_it() -> None:
    central.check(None)
    central.check(Gaussian(1, Fraction(100)))
    for wide in (Laplace(1, Fraction(1 << 60)), Gaussian(1, Fraction(1 << 60))):
        with pytest.raises(OutOfRange):
            central.check(wide)
