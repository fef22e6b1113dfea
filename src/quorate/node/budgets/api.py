"""The routes of budgets: this node's own staff, on the node's socket."""

from fastapi import FastAPI

from quorate.dp.chain import Entry, digest_of
from quorate.errors import NotFound
from quorate.node.budgets.rows import OwnersCap
from quorate.node.budgets.views import BudgetBody, BudgetView, LedgerEntryView
from quorate.node.desk import Desk


def add_budgets(app: FastAPI, desk: Desk) -> None:
    """Add all routes of budgets."""

    @app.get("/budgets")
    async def budgets() -> tuple[BudgetView, ...]:
        return tuple(_view(desk, cap) for cap in desk.budgets.caps())

    @app.post("/budgets/{dataset}")
    async def set_budget(dataset: str, body: BudgetBody) -> BudgetView:
        if dataset not in desk.home.tables:
            raise NotFound(
                f"this node has no table {dataset}",
                hint=f"register it with: quorate data add {dataset} FILE",
            )
        return _view(desk, desk.budgets.set(dataset, body.nano_epsilon, body.nano_rho, body.period))

    @app.get("/budgets/{dataset}")
    async def budget(dataset: str) -> BudgetView:
        return _view(desk, desk.budgets.cap(dataset))

    @app.get("/budgets/{dataset}/history")
    async def history(dataset: str) -> tuple[LedgerEntryView, ...]:
        return tuple(map(_entry_view, desk.budgets.history(dataset)))


def _view(desk: Desk, cap: OwnersCap) -> BudgetView:
    epsilon_left, rho_left = desk.budgets.left(cap.dataset)
    spent = desk.budgets.spent(cap.dataset)
    return BudgetView(
        dataset=cap.dataset,
        period=cap.period,
        nano_epsilon=cap.nano_epsilon,
        nano_rho=cap.nano_rho,
        nano_epsilon_left=epsilon_left,
        nano_rho_left=rho_left,
        nano_epsilon_spent=spent.nano_epsilon,
        nano_rho_spent=spent.nano_rho,
    )


def _entry_view(entry: Entry) -> LedgerEntryView:
    release = entry.release
    return LedgerEntryView(
        number=entry.number,
        time=entry.time,
        state=entry.state.value,
        release=release.name[:16],
        mechanism=release.mechanism,
        nano_epsilon=release.charge.nano_epsilon,
        nano_rho=release.charge.nano_rho,
        digest=digest_of(entry).hex(),
    )
