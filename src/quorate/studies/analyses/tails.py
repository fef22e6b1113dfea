"""Probabilities and quantiles of the usual distributions: SciPy's, of the extra `stats`."""

from collections.abc import Iterator
from importlib import import_module
from types import ModuleType

from quorate.errors import Unavailable
from quorate.studies.analyses.asked import Derived

LEVEL = 0.95
"""Of every confidence interval."""


def chi_squared(value: float, freedom: float) -> float:
    return float(_scipy().chi2.sf(value, freedom))


def two_sided_normal(z: float) -> float:
    return float(2 * _scipy().norm.sf(abs(z)))


def two_sided_t(t: float, freedom: float) -> float:
    return float(2 * _scipy().t.sf(abs(t), freedom))


def normal_quantile() -> float:
    """Return how many standard errors an interval of LEVEL reaches to either side."""
    return float(_scipy().norm.isf((1 - LEVEL) / 2))


def t_quantile(freedom: float) -> float:
    return float(_scipy().t.isf((1 - LEVEL) / 2, freedom))


def poisson_interval(events: float) -> tuple[float, float]:
    """Return the exact interval of a mean of which `events` were counted [Gar36]."""
    tail = (1 - LEVEL) / 2
    low = _scipy().chi2.ppf(tail, 2 * events) / 2 if events else 0.0
    return float(low), float(_scipy().chi2.isf(tail, 2 * events + 2) / 2)


def table(
    name: str, estimate: float, error: float, freedom: float | None = None
) -> Iterator[Derived]:
    """Yield what follows from an estimate and its standard error: t or z, p, and an interval."""
    is_t = freedom is not None
    statistic = estimate / error if error else 0.0
    p = two_sided_t(statistic, freedom) if freedom is not None else two_sided_normal(statistic)
    reach = error * (t_quantile(freedom) if freedom is not None else normal_quantile())
    yield Derived("standard error", (name,), "", error)
    yield Derived("t" if is_t else "z", (name,), "", statistic)
    yield Derived("p", (name,), "", p)
    yield Derived("low", (name,), "", estimate - reach)
    yield Derived("high", (name,), "", estimate + reach)


def _scipy() -> ModuleType:
    try:
        return import_module("scipy.stats")  # here, as a node does without
    except ImportError:
        raise Unavailable(
            "p-values and intervals need SciPy", hint="pip install 'quorate[stats]'"
        ) from None
