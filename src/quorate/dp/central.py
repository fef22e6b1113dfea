"""Noise drawn in one place: with OpenDP where it is installed, else with the project's samplers.

Who holds what: one party the totals and their noise. Whoever is trusted with the totals may as
well draw their noise, exactly by its law. OpenDP [OpenDP] takes scales as floats: they are
rounded up, so that no guarantee is weaker than stated. Unreviewed.
"""

import math
from fractions import Fraction
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from quorate.dp import geometric, tables
from quorate.dp.mechanisms import Gaussian, Laplace, Mechanism
from quorate.dp.tables import Integers
from quorate.errors import OutOfRange
from quorate.mpc.agreement import Randomness


def noised(totals: Integers, mechanism: Mechanism | None, randomness: Randomness) -> Integers:
    """Return totals with independent noise on each. OpenDP takes its randomness from the OS."""
    if mechanism is None:
        return totals
    if find_spec("opendp") is not None:
        return totals + _by_opendp(mechanism, totals.size)
    return totals + by_samplers(mechanism, totals.size, randomness)


def by_samplers(mechanism: Mechanism, count: int, randomness: Randomness) -> Integers:
    """Return `count` draws by the project's own samplers, within `distance` of their law."""
    match mechanism:
        case Laplace(scale=scale):
            return geometric.discrete_laplace(scale, count, randomness)
        case Gaussian(variance=variance):
            return tables.gaussian(variance).draw(count, randomness)


def distance(mechanism: Mechanism) -> Fraction:
    """Return how far one draw is from its law, in total variation, whoever draws it."""
    match mechanism:
        case Laplace(scale=scale):
            return geometric.distance(scale)
        case Gaussian(variance=variance):
            return tables.most_distance(variance, is_squared=True)


def check(mechanism: Mechanism | None) -> None:
    """Raise `OutOfRange` for noise too wide for the samplers, which every plan must run with."""
    match mechanism:
        case Laplace(scale=scale):
            geometric.bits_of_scale(scale, geometric.EXACT)
        case Gaussian(variance=variance):
            if tables.most_entries(variance, is_squared=True) > tables.MAX_ENTRIES // 2:
                raise OutOfRange(
                    "a release needs noise too wide for one table",
                    hint="give it more epsilon, or a pure epsilon",
                )
        case None:
            pass


def load() -> None:
    """Load OpenDP where it is installed, which takes seconds: before a run, and not in it."""
    if find_spec("opendp") is not None:
        import_module("opendp.prelude")


def _by_opendp(mechanism: Mechanism, count: int) -> Integers:
    opendp: Any = import_module("opendp.prelude")  # optional
    opendp.enable_features("contrib")
    whole = opendp.vector_domain(opendp.atom_domain(T=int))
    match mechanism:
        case Laplace(scale=scale):
            draw = opendp.m.make_laplace(
                whole, opendp.l1_distance(T=int), scale=_float_above(scale)
            )
        case Gaussian(variance=variance):
            root = math.nextafter(math.sqrt(_float_above(variance)), math.inf)
            draw = opendp.m.make_gaussian(whole, opendp.l2_distance(T=float), scale=root)
    return np.array(draw([0] * count), np.int64)


def _float_above(number: Fraction) -> float:
    """Return a float that is no smaller."""
    near = float(number)
    return near if Fraction(near) >= number else math.nextafter(near, math.inf)
