"""`quorate budget`: what studies under privacy may spend on this member's data, and have spent."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quorate.cli.options import FormatOption, NodeOption, connect
from quorate.cli.output import aligned, show
from quorate.dp.accounting import NANO
from quorate.dp.caps import decimal_of
from quorate.errors import Usage

if TYPE_CHECKING:
    from quorate.node.budgets.client import BudgetClient
    from quorate.node.budgets.views import BudgetView, LedgerEntryView

app = typer.Typer(help="What studies under privacy may spend on this member's data.")

Table = Annotated[str, typer.Argument(metavar="TABLE", help="The table's name.")]


@app.command("show")
def show_command(
    table: Annotated[
        str | None, typer.Argument(metavar="TABLE", help="One table; if not given, all.")
    ] = None,
    node: NodeOption = None,
    form: FormatOption = "text",
) -> None:
    """Show what may be spent on the data of each table, and what is left."""
    with _budgets_of(node) as client:
        budgets = client.all() if table is None else (client.show(table),)
    none = ["no budgets; set one with: quorate budget set TABLE --epsilon 4"]
    show(budgets, _lines(budgets) or none, form)


@app.command("set")
def set_command(
    table: Table,
    epsilon: Annotated[
        str | None, typer.Option(help="The most that may be spent, such as 4.", metavar="AMOUNT")
    ] = None,
    rho: Annotated[
        str | None, typer.Option(help="The same for concentrated privacy.", metavar="AMOUNT")
    ] = None,
    period: Annotated[
        str, typer.Option(help="Its name; another than before begins a new period.")
    ] = "first",
    node: NodeOption = None,
    form: FormatOption = "text",
) -> None:
    """Say how much may be spent on a table's data; under a new period's name, so much anew."""
    from quorate.node.budgets.views import BudgetBody

    body = BudgetBody(
        nano_epsilon=_nano("--epsilon", epsilon), nano_rho=_nano("--rho", rho), period=period
    )
    with _budgets_of(node) as client:
        budget = client.set(table, body)
    show(budget, _lines([budget]), form)


@app.command("history")
def history(table: Table, node: NodeOption = None, form: FormatOption = "text") -> None:
    """Show the ledger of a table's data, each step of each release, newest last."""
    with _budgets_of(node) as client:
        entries = client.history(table)
    none = [f"nothing was released from {table} under privacy"]
    show(entries, _history(entries) or none, form)


@contextmanager
def _budgets_of(node: Path | None) -> Generator["BudgetClient"]:
    from quorate.node.budgets.client import BudgetClient

    with connect(node) as client:
        yield BudgetClient(client)


def _nano(option: str, text: str | None) -> int | None:
    if text is None:
        return None
    try:
        amount = Decimal(text) * NANO
    except InvalidOperation:
        raise Usage(f"{option} is not a number: {text}", hint=f"{option} 4") from None
    if not amount.is_finite() or amount != int(amount) or not 0 <= amount < 1 << 62:
        raise Usage(f"{option} has up to 9 decimals and is not negative", hint=f"{option} 4")
    return int(amount)


def _lines(budgets: Sequence["BudgetView"]) -> list[str]:
    rows: list[tuple[str, ...]] = []
    for one in budgets:
        for what, most, left in (
            ("epsilon", one.nano_epsilon, one.nano_epsilon_left),
            ("rho", one.nano_rho, one.nano_rho_left),
        ):
            if most is not None:
                amounts = f"{_decimal(left)} of {_decimal(most)} left"
                rows.append((one.dataset, f"period {one.period}", what, amounts))
        spent = f"epsilon {_decimal(one.nano_epsilon_spent)}, rho {_decimal(one.nano_rho_spent)}"
        rows.append((one.dataset, "all periods", "spent", spent))
    return aligned(rows)


def _history(entries: Sequence["LedgerEntryView"]) -> list[str]:
    rows = [
        (
            str(one.number),
            one.time,
            one.state,
            one.release,
            f"epsilon {_decimal(one.nano_epsilon)}",
            f"rho {_decimal(one.nano_rho)}",
            one.mechanism,
        )
        for one in entries
    ]
    return aligned(rows)


def _decimal(nano: int | None) -> str:
    """Return an amount as people write it; a noise without an epsilon has none."""
    return "none" if nano is None else decimal_of(nano)
