"""What an owner lets be spent, and refusals in numbers that depend on no data."""

from dataclasses import dataclass

from quorate.dp.accounting import MOST, NANO, NOTHING, Charge
from quorate.errors import Refused


@dataclass(frozen=True, slots=True)
class Cap:
    """The most that the owner lets be spent, in one way of counting or both."""

    nano_epsilon: int | None = None
    nano_rho: int | None = None
    before: Charge = NOTHING
    """What was spent before the period in which this may be: it does not count."""

    def __post_init__(self) -> None:
        if self.nano_epsilon is None and self.nano_rho is None:
            raise Refused("a budget without a limit is none", hint="set epsilon, rho or both")


def check_cap(asked: Charge, before: Charge, cap: Cap) -> Charge:
    """Return what is spent then, or raise `Refused`, with numbers that depend on no data."""
    spent = before.plus(asked)
    if max(spent.nano_epsilon or 0, spent.nano_rho, spent.atto_distance) >= MOST:
        raise Refused("the ledger counts no further", hint="ask for less")
    if cap.nano_epsilon is not None:
        if spent.nano_epsilon is None or asked.nano_epsilon is None:
            raise Refused(
                "this noise has no epsilon of its own, and the budget is counted in epsilon",
                hint="use Laplace noise, or have the owner count in rho",
            )
        spent_now = spent.nano_epsilon - (cap.before.nano_epsilon or 0)
        _check_one("epsilon", asked.nano_epsilon, spent_now, cap.nano_epsilon)
    if cap.nano_rho is not None:
        _check_one("rho", asked.nano_rho, spent.nano_rho - cap.before.nano_rho, cap.nano_rho)
    return spent


def _check_one(what: str, asked: int, spent: int, most: int) -> None:
    if spent > most:
        before = spent - asked
        cost, gone, left = (decimal_of(n) for n in (asked, before, max(most - before, 0)))
        raise Refused(
            f"this costs {what} {cost}; {gone} of {decimal_of(most)} is spent, {left} is left",
            hint="ask for less, or have the owner raise the budget",
        )


def decimal_of(nano: int) -> str:
    """Return 10^-9 of this as people write it, exactly."""
    return f"{nano // NANO}.{nano % NANO:09}".rstrip("0").rstrip(".")
