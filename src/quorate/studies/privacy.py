"""What a study says of noise: who is protected, by which bounds, and what each release may cost.

    [privacy]
    bounds = "study protocol, section 3"     # who says the columns' bounds, without the data
    rows = 1                                 # at most so many rows of one patient at one member
    patient = "id"                           # optional: the column that tells patients apart
    neighbours = "add or remove"             # or "replace"
    noise = "jointly"                        # or "in shares", "each record"; or, of whoever is
                                             # trusted with rows, "third party", "enclave"

    [releases.age]
    sql = "select avg(age) as mean_age from patients"
    privacy = { epsilon = 1.0 }              # or { rho = 0.5 }, or { epsilon = 1.0, delta = 1e-6 }

A study under privacy has a budget for every release: one exact value beside noisy ones would be
outside every guarantee. Amounts are whole: epsilon and rho in 10^-9, delta in 10^-18.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Literal, cast

from quorate.dp.accounting import ATTO, MOST, NANO, epsilon_of
from quorate.dp.caps import decimal_of
from quorate.dp.mechanisms import Neighbours, Unit
from quorate.studies.schema import check_text, refuse, shown

UNIT = "patient per member"
Noise = Literal["jointly", "in shares", "each record", "third party", "enclave"]
JOINTLY: Noise = "jointly"
IN_SHARES: Noise = "in shares"
EACH_RECORD: Noise = "each record"
THIRD: Noise = "third party"
ENCLOSED: Noise = "enclave"
NOISES = (JOINTLY, IN_SHARES, EACH_RECORD, THIRD, ENCLOSED)
IN_ONE_PLACE = (THIRD, ENCLOSED)
"""One noise is drawn, by who is sent the rows."""

MAX_ROWS_EACH = 1000
MAX_EPSILON = 50
"""What a release may ask for; above it nothing is protected."""

_HINT = "write for instance privacy = { epsilon = 1.0 }"
_KEYS = {"bounds", "rows", "patient", "neighbours", "noise", "unit"}


@dataclass(frozen=True, slots=True)
class Budget:
    """What one release may cost: a pure epsilon, a rho, or an epsilon that holds at a delta."""

    nano_epsilon: int  # 0 where there is a rho
    atto_delta: int  # 0 where epsilon is pure
    nano_rho: int  # 0 where there is an epsilon

    @property
    def is_pure(self) -> bool:
        """Return whether Laplace noise pays for it; a rho is Gaussian noise's."""
        return not self.nano_rho and not self.atto_delta

    @property
    def epsilon(self) -> Fraction:
        return Fraction(self.nano_epsilon, NANO)

    @property
    def rho(self) -> Fraction:
        """Return the concentrated budget of noise that is not pure."""
        return Fraction(self.nano_rho or _rho_within(self.nano_epsilon, self.atto_delta), NANO)

    @property
    def text(self) -> str:
        """Return the budget for people."""
        if self.nano_rho:
            return f"rho {decimal_of(self.nano_rho)}"
        delta = f", delta {float(Fraction(self.atto_delta, ATTO)):g}" if self.atto_delta else ""
        return f"epsilon {decimal_of(self.nano_epsilon)}{delta}"


@dataclass(frozen=True, slots=True)
class Privacy:
    """What holds for all releases of a study under privacy."""

    unit: str
    rows: int  # of one patient at one member
    patient: str  # the column that tells patients apart; empty where members see to `rows`
    neighbours: Neighbours
    source: str  # who says the bounds, without the data
    noise: Noise
    budgets: tuple[Budget, ...]  # of each release, in order

    @property
    def is_in_one_place(self) -> bool:
        return self.noise in IN_ONE_PLACE

    @property
    def protects(self) -> Unit:
        return Unit(self.rows, self.neighbours)


def read_privacy(
    section: object, budgets: dict[str, object], noise: Noise = JOINTLY
) -> Privacy | None:
    """Return what `[privacy]` and the releases' budgets say, by release; None for no noise.

    `noise` is who draws it where the section does not say.
    """
    given = {name: budget for name, budget in budgets.items() if budget is not None}
    if section is None and not given:
        return None
    if not isinstance(section, dict):
        refuse("privacy", "missing", 'add [privacy] with bounds = "who says the bounds"')
    if missing := [name for name in budgets if name not in given]:
        refuse(f"releases.{missing[0]}", "has no budget, and others have", _HINT)
    said = cast("dict[str, object]", section)
    if unknown := sorted(said.keys() - _KEYS):
        refuse("privacy", f"unknown key {shown(unknown[0])}", f"known are {', '.join(_KEYS)}")
    return Privacy(
        unit=_text(said, "unit", UNIT),
        rows=_whole(said, "rows"),
        patient=_text(said, "patient", ""),
        neighbours=cast("Neighbours", _text(said, "neighbours", "add or remove")),
        source=_text(said, "bounds", ""),
        noise=cast("Noise", _text(said, "noise", noise)),
        budgets=tuple(_budget(f"releases.{name}.privacy", b) for name, b in given.items()),
    )


def check_privacy(privacy: Privacy, releases: int) -> None:
    """Refuse what no study can say, wherever it came from. Raises `MalformedStudy`."""
    if privacy.unit != UNIT:
        refuse("privacy.unit", f'is not "{UNIT}"', "no other unit can be protected")
    if not 1 <= privacy.rows <= MAX_ROWS_EACH:
        refuse("privacy.rows", f"must be between 1 and {MAX_ROWS_EACH}")
    if privacy.patient:
        check_text("privacy.patient", privacy.patient, 100)
    if privacy.neighbours not in {"add or remove", "replace"}:
        refuse("privacy.neighbours", 'is neither "add or remove" nor "replace"')
    if privacy.noise not in NOISES:
        why = "bounded noise protects nobody: see quorate noise --illustration uniform:2"
        refuse("privacy.noise", f"is none of {', '.join(NOISES)}", why)
    if not privacy.source.strip():
        refuse(
            "privacy.bounds",
            "missing: bounds that nobody says without the data tell of the data",
            'add for instance bounds = "study protocol, section 3"',
        )
    check_text("privacy.bounds", privacy.source, 200)
    if len(privacy.budgets) != releases:
        refuse("privacy", "has not one budget for each release")
    for budget in privacy.budgets:
        _check_budget(budget)


def _check_budget(budget: Budget) -> None:
    epsilon, delta, rho = budget.nano_epsilon, budget.atto_delta, budget.nano_rho
    if min(epsilon, delta, rho) < 0 or (epsilon > 0) == (rho > 0) or (rho and delta):
        refuse("privacy", "a budget is an epsilon, an epsilon and a delta, or a rho", _HINT)
    if max(epsilon, rho) > MAX_EPSILON * NANO:
        refuse("privacy", f"a budget above {MAX_EPSILON} protects nobody", _HINT)
    if delta * 1000 > ATTO:
        refuse("privacy", "a delta above 0.001 gives patients away whole", "delta = 1e-6")
    if delta and not _rho_within(epsilon, delta):
        refuse("privacy", "an epsilon this small has no noise at this delta", _HINT)


@lru_cache(maxsize=64)
def _rho_within(nano_epsilon: int, atto_delta: int) -> int:
    """Return the largest rho, in 10^-9, whose epsilon at this delta is no larger: by bisection."""
    delta = Fraction(atto_delta, ATTO)
    low, high = 0, nano_epsilon
    while low < high:
        middle = (low + high + 1) // 2
        if epsilon_of(middle, delta) <= nano_epsilon:
            low = middle
        else:
            high = middle - 1
    return low


def _budget(place: str, value: object) -> Budget:
    if not isinstance(value, dict):
        refuse(place, "not a budget", _HINT)
    said = cast("dict[str, object]", value)
    if not said or not said.keys() <= {"epsilon", "delta", "rho"}:
        refuse(place, "a budget is an epsilon, an epsilon and a delta, or a rho", _HINT)
    return Budget(
        _units(f"{place}.epsilon", said.get("epsilon", 0), NANO),
        _units(f"{place}.delta", said.get("delta", 0), ATTO),
        _units(f"{place}.rho", said.get("rho", 0), NANO),
    )


def _units(place: str, value: object, per_one: int) -> int:
    """Return an amount in its smallest units. A study is read with decimals, not with floats."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        refuse(place, "not a number", _HINT)
    if isinstance(value, Decimal) and not value.is_finite():
        refuse(place, "not a number", _HINT)
    amount = Fraction(value) * per_one
    if amount.denominator != 1 or not 0 <= amount < MOST:
        refuse(place, f"not between 0 and {MAX_EPSILON} in whole steps of 1/{per_one}", _HINT)
    return int(amount)


def _text(section: dict[str, object], key: str, otherwise: str) -> str:
    value = section.get(key, otherwise)
    if not isinstance(value, str):
        refuse(f"privacy.{key}", "not text")
    return value


def _whole(section: dict[str, object], key: str) -> int:
    value = section.get(key, 1)
    if not isinstance(value, int) or isinstance(value, bool):
        refuse(f"privacy.{key}", "not a whole number")
    return value
