"""What the node's HTTP API says of budgets, in the manner of `node.views`."""

from typing import Annotated

from pydantic import Field

from quorate.node.views import View

Nano = Annotated[int, Field(ge=0, lt=1 << 62)]
Name = Annotated[str, Field(min_length=1, max_length=63, pattern="^[A-Za-z0-9_.-]+$")]


class BudgetBody(View):
    """What the owner lets be spent in a period, in 10^-9; None is no limit in this way to count."""

    nano_epsilon: Nano | None = None
    nano_rho: Nano | None = None
    period: Name


class BudgetView(View):
    """One table's budget: in the present period, and what all periods cost together."""

    dataset: str
    period: str
    nano_epsilon: int | None
    nano_rho: int | None
    nano_epsilon_left: int | None
    nano_rho_left: int | None
    nano_epsilon_spent: int | None  # in all periods; None where some noise has no epsilon
    nano_rho_spent: int


class LedgerEntryView(View):
    """One step of one release."""

    number: int
    time: str
    state: str
    release: str  # the beginning of its name
    mechanism: str
    nano_epsilon: int | None
    nano_rho: int
    digest: str
