"""Rows of TPC-H's tables, made up by its rules, the same at all parties. From [TPCH]."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from bench.secret_tables import Ints, drawn

RECEIVED_BY = 1263  # 1995-06-17


@dataclass(frozen=True, slots=True)
class Rows:
    """The tables at one scale factor, by column."""

    customers: dict[str, Ints]
    orders: dict[str, Ints]
    lines: dict[str, Ints]


@cache
def rows_of(factor: int) -> Rows:
    """Return the tables at scale factor `factor` / 1,000,000, the same at all parties."""
    customers, orders = max(factor * 150_000 // 1_000_000, 3), max(factor * 15 // 10, 10)
    first = {"customer_key": np.arange(customers) + 1, "segment": _drawn(customers, 5, "segment")}
    who = _drawn(orders, customers * 2 // 3, "who")
    second = {
        "order_key": np.arange(orders) + 1,
        "customer_key": who + who // 2 + 1,  # one in three has no order
        "ordered": _drawn(orders, 2406, "ordered"),
        "plain": (_drawn(orders, 100, "comment") > 0).astype(np.int64),
    }
    return Rows(first, second, _lines(second))


def _lines(orders: dict[str, Ints]) -> dict[str, Ints]:
    """Return one to seven lines of each order."""
    of = np.repeat(
        np.arange(len(orders["order_key"])), 1 + _drawn(len(orders["order_key"]), 7, "of")
    )
    size = len(of)
    shipped = orders["ordered"][of] + 1 + _drawn(size, 121, "shipped")
    received = shipped + 1 + _drawn(size, 30, "received")
    quantity, discount = 1 + _drawn(size, 50, "quantity"), _drawn(size, 11, "discount")
    price = quantity * (90_000 + _drawn(size, 110_000, "price"))
    flag = np.where(received <= RECEIVED_BY, _drawn(size, 2, "flag"), 2)
    discounted = price * (100 - discount)
    return {
        "order_key": orders["order_key"][of],
        "shipped": shipped,
        "quantity": quantity,
        "price": price,
        "discount": discount,
        "discounted": discounted,
        "charged": discounted * (100 + _drawn(size, 9, "tax")),
        "code": 2 * flag + (shipped > RECEIVED_BY),
    }


def _drawn(rows: int, past: int, name: str) -> Ints:
    return drawn(rows, past, f"tpch {name}")
