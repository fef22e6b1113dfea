"""Other people's noise and accounting beside ours. Each part needs a package of theirs."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from quorate.dp import geometric, tables
from quorate.dp.accounting import NANO, charge, epsilon_of, total
from quorate.dp.mechanisms import gaussian, laplace
from tests.dp.keyed import keyed
from tests.dp.laws import gaussian as gaussian_law
from tests.dp.laws import laplace as laplace_law
from tests.dp.laws import unlike

COUNT = 20_000


@pytest.fixture(scope="module")
def opendp() -> Any:
    found = pytest.importorskip("opendp.prelude", reason="opendp is not installed: the extra dp")
    found.enable_features("contrib")
    return found


@pytest.fixture(scope="module")
def dp_accounting() -> Any:
    return pytest.importorskip("dp_accounting", reason="dp-accounting is not installed")


def space(opendp: Any) -> tuple[Any, Any]:
    return opendp.vector_domain(opendp.atom_domain(T=int)), opendp.l1_distance(T=int)


@pytest.mark.parametrize("scale", [Fraction(2), Fraction(82)])
def test_opendps_laplace_noise_and_ours_have_one_law(opendp: Any, scale: Fraction) -> None:
    theirs = opendp.m.make_laplace(*space(opendp), scale=float(scale))
    ours = geometric.discrete_laplace(scale, COUNT, keyed(f"opendp {scale}"))
    for found in (np.array(theirs([0] * COUNT)), ours):
        assert not unlike(found, laplace_law(scale), rate=1e-7)
    assert theirs.map(1) == pytest.approx(float(laplace(1, 1 / scale).epsilon))


def test_opendps_gaussian_noise_and_ours_have_one_law(opendp: Any) -> None:
    domain = opendp.vector_domain(opendp.atom_domain(T=int))
    theirs = opendp.m.make_gaussian(domain, opendp.l2_distance(T=float), scale=10.0)
    ours = tables.gaussian(Fraction(100)).draw(COUNT, keyed("opendp gaussian"))
    for found in (np.array(theirs([0] * COUNT)), ours):
        assert not unlike(found, gaussian_law(Fraction(100)), rate=1e-7)
    assert theirs.map(1.0) == pytest.approx(float(gaussian(1, Fraction(1, 200)).rho))


@pytest.mark.parametrize("rho", [Fraction(1, 1000), Fraction(1, 2), Fraction(5)])
def test_our_epsilon_is_opendps_within_a_hundredth(opendp: Any, rho: Fraction) -> None:
    domain = opendp.vector_domain(opendp.atom_domain(T=int))
    scale = float(1 / (2 * rho)) ** 0.5
    noise = opendp.m.make_gaussian(domain, opendp.l2_distance(T=float), scale=scale)
    curve = opendp.c.make_zCDP_to_approxDP(noise).map(1.0)
    ours = epsilon_of(int(rho * NANO), Fraction(1, 10**6)) / NANO
    assert ours == pytest.approx(curve.epsilon(delta=1e-6), rel=0.01)


@pytest.mark.parametrize(("releases", "epsilon"), [(1, "1/2"), (10, "1/10"), (100, "1/10")])
def test_we_never_state_less_than_the_tightest_accountant(
    dp_accounting: Any, releases: int, epsilon: str
) -> None:
    """Theirs follows the whole distribution of the privacy loss, finely cut."""
    from dp_accounting.pld import privacy_loss_distribution as pld

    one = laplace(1, Fraction(epsilon))
    loss = pld.from_discrete_laplace_mechanism(float(1 / one.scale)).self_compose(releases)
    theirs = loss.get_epsilon_for_delta(1e-6)
    spent = total([charge(one, Fraction(0))] * releases)
    assert spent.nano_epsilon is not None
    ours = min(spent.nano_epsilon, epsilon_of(spent.nano_rho, Fraction(1, 10**6))) / NANO
    assert theirs * 0.98 <= ours


@pytest.mark.parametrize("releases", [1, 100])
def test_gaussian_noise_costs_what_the_tightest_accountant_says_or_more(
    dp_accounting: Any, releases: int
) -> None:
    from dp_accounting.pld import privacy_loss_distribution as pld

    one = gaussian(1, Fraction(1, 200))
    loss = pld.from_gaussian_mechanism(10.0).self_compose(releases)
    spent = total([charge(one, Fraction(0))] * releases)
    ours = epsilon_of(spent.nano_rho, Fraction(1, 10**6)) / NANO
    theirs = loss.get_epsilon_for_delta(1e-6)
    assert theirs <= ours <= 1.2 * theirs
