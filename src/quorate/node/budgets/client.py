"""Talks to a node about budgets: one method for each route."""

from dataclasses import dataclass
from urllib.parse import quote

from quorate.node.budgets.views import BudgetBody, BudgetView, LedgerEntryView
from quorate.node.client import Client


@dataclass(frozen=True, slots=True)
class BudgetClient:
    """What one may ask of a node over `client`. Every method raises what the node raised."""

    client: Client

    def all(self) -> tuple[BudgetView, ...]:
        return self.client.get("/budgets", tuple[BudgetView, ...])

    def show(self, dataset: str) -> BudgetView:
        return self.client.get(_route(dataset), BudgetView)

    def set(self, dataset: str, body: BudgetBody) -> BudgetView:
        return self.client.post(_route(dataset), BudgetView, body)

    def history(self, dataset: str) -> tuple[LedgerEntryView, ...]:
        return self.client.get(f"{_route(dataset)}/history", tuple[LedgerEntryView, ...])


def _route(dataset: str) -> str:
    return f"/budgets/{quote(dataset, safe='')}"
