"""Four queries of TPC-H over secret rows (`tpch_rows`), against DuckDB over the same rows.

What a row says of itself (a product of its columns, whether a comment has two words) is
computed by its owner. What decides whether a row counts, or to what it belongs, is secret.
Sums of more than 2^42 are of two columns, v = high * 2^20 + low. From [TPCH].
"""

from collections.abc import Callable
from functools import partial

import duckdb
import numpy as np

from bench.secret_tables import Given, Ints, Query, Run
from bench.tpch_rows import rows_of
from quorate.algebra.ring import Words
from quorate.mpc import comparison
from quorate.mpc.boolean import BitShare, both, invert, to_ring
from quorate.mpc.decomposition import from_bits
from quorate.mpc.replicated import Committee, Share, local, matmul, mul, public
from quorate.mpc.tables import groups
from quorate.mpc.tables.clinical import largest
from quorate.mpc.tables.equality import joined
from quorate.mpc.tables.few import sums_of_few
from quorate.mpc.tables.joins import Joined, by_key, join, with_ones
from quorate.mpc.tables.keys import Column, Layout, column_of, in_bits, written
from quorate.mpc.tables.sorting import sort
from quorate.mpc.tables.table import Table, beside, column, columns, settled, take, taken

CUSTOMER, KEY = Layout((Column(24),)), by_key((Column(24),))
PACKED_BITS, COUNT_BITS, CODE_BITS, RESULT_BITS = 36, 8, 3, 20
DEAREST = Layout((Column(PACKED_BITS, descending=True), Column(PACKED_BITS)))
COUNTED = Layout((Column(COUNT_BITS),))
LOW_BITS, DATE_BITS = 20, 12
TOP, MOST_COUNTS = 10, 64
BUILDING = 1
LAST, ORDERED_BEFORE, FROM, UNTIL = 2436, 1169, 731, 1096
"""Days since 1992-01-01: 1998-09-02, 1995-03-15, 1994-01-01, 1995-01-01."""

CONSTANTS = {
    "last": LAST,
    "from": FROM,
    "until": UNTIL,
    "building": BUILDING,
    "ordered_before": ORDERED_BEFORE,
    "top": TOP,
}
"""As the queries' texts have them."""

NOTHING, NO_WORDS = np.zeros((0, 1), np.uint64), np.zeros(0, np.uint64)

PRICING = """
SELECT count(quantity), coalesce(sum(quantity), 0), coalesce(sum(price), 0),
    coalesce(sum(discounted >> 20), 0), coalesce(sum(discounted % 1048576), 0),
    coalesce(sum(charged >> 20), 0), coalesce(sum(charged % 1048576), 0),
    coalesce(sum(discount), 0)
FROM range(8) AS every(code)
LEFT JOIN (FROM lines WHERE shipped <= $last) USING (code) GROUP BY code ORDER BY code"""
FORECAST = """
SELECT sum((price * discount) >> 20), sum((price * discount) % 1048576)
FROM lines WHERE shipped >= $from AND shipped < $until
    AND discount BETWEEN 5 AND 7 AND quantity < 24"""
SHIPPING = """
SELECT sum(discounted) AS revenue, order_key * 4096 + ordered FROM customers
JOIN orders USING (customer_key) JOIN lines USING (order_key)
WHERE segment = $building AND ordered < $ordered_before AND shipped > $ordered_before
GROUP BY order_key, ordered ORDER BY revenue DESC, order_key * 4096 + ordered LIMIT $top"""
DISTRIBUTION = """
SELECT count(*) AS customers, n FROM (
    SELECT customer_key, count(*) FILTER (plain = 1) AS n
    FROM customers LEFT JOIN orders USING (customer_key) GROUP BY customer_key)
GROUP BY n ORDER BY customers DESC, n DESC"""


def queries(factors: tuple[int, ...]) -> list[Query]:
    """Return the four queries at each scale factor, in millionths."""
    return [one for factor in factors for one in _at(factor)]


def _at(factor: int) -> list[Query]:
    customers, orders, lines = _sizes(factor)
    two, three = customers + orders, customers + orders + lines
    shipping = partial(_shipping, factor)
    distribution = partial(_distribution, factor)
    return [
        _query(factor, "Q1", lines, _lines_by_code, _pricing, (PRICING, 1 << CODE_BITS)),
        _query(factor, "Q3", three, _three_tables, shipping, (SHIPPING, TOP)),
        _query(factor, "Q6", lines, _lines_to_forecast, _forecast, (FORECAST, 1)),
        _query(factor, "Q13", two, _two_tables, distribution, (DISTRIBUTION, _counts(customers))),
    ]


def _counts(customers: int) -> int:
    """Return how many different numbers of orders there may be."""
    return min(MOST_COUNTS, customers)


def _query(
    factor: int,
    name: str,
    rows: int,
    given: Callable[[int], Given],
    run: Run,
    asked: tuple[str, int],
) -> Query:
    title = f"{name}, scale factor {factor / 1_000_000:g}, {rows:,} rows"
    return Query(title, rows, partial(given, factor), run, partial(_answer, factor, *asked))


def _sizes(factor: int) -> tuple[int, int, int]:
    rows = rows_of(factor)
    return len(rows.customers["segment"]), len(rows.orders["plain"]), len(rows.lines["code"])


def _answer(factor: int, sql: str, lines: int, _: Given) -> Words:
    """Return what DuckDB says, and zeros behind its last row, so that there are so many lines."""
    rows = rows_of(factor)
    with duckdb.connect() as connection:
        for name in ("customers", "orders", "lines"):
            connection.register(name, getattr(rows, name))
        wanted = {name: value for name, value in CONSTANTS.items() if f"${name}" in sql}
        found = connection.execute(sql, wanted).fetchall()
    filled = np.zeros((lines, len(found[0])), np.int64)
    filled[: len(found)] = found
    return filled.reshape(-1).view(np.uint64)


# Q1: prices by the two marks of a line, of which there are six pairs.


def _lines_by_code(factor: int) -> Given:
    lines = rows_of(factor).lines
    sums = (
        *(np.ones_like(lines["code"]), lines["quantity"], lines["price"]),
        *(*_split(lines["discounted"]), *_split(lines["charged"]), lines["discount"]),
    )
    return Given(NOTHING, _side_by_side(lines["shipped"], *sums), lines["code"].view(np.uint64))


async def _pricing(committee: Committee, rows: Table, codes: Share) -> Share:
    shipped, sums = column(rows.numbers, 0), columns(rows.numbers, slice(1, None))
    in_time = await _not_negative(committee, _less(_public(committee, shipped, LAST), shipped))
    found = await sums_of_few(committee, codes, CODE_BITS, in_time, sums)
    return local(np.ravel, found)


# Q6: what lines of a year with a middling discount would have brought.


def _lines_to_forecast(factor: int) -> Given:
    lines = rows_of(factor).lines
    high, low = _split(lines["price"] * lines["discount"])
    numbers = _side_by_side(lines["shipped"], lines["discount"], lines["quantity"], high, low)
    return Given(NOTHING, numbers, NO_WORDS)


async def _forecast(committee: Committee, rows: Table, _: Share) -> Share:
    shipped, discount, quantity = (column(rows.numbers, i) for i in range(3))
    between = [(shipped, FROM, UNTIL - 1), (discount, 5, 7), (quantity, 0, 23)]
    above = [_less(value, _public(committee, value, least)) for value, least, _ in between]
    below = [_less(_public(committee, value, most), value) for value, _, most in between]
    met = await _not_negative(committee, *above, *below)
    size = shipped.own.size
    met = await both(committee, *(_at_places(met, slice(i * size, (i + 3) * size)) for i in (0, 3)))
    one, two, three = (_at_places(met, slice(i * size, (i + 1) * size)) for i in range(3))
    met = await both(committee, await both(committee, one, two), three)
    mark = local(lambda part: part.reshape(1, -1), await to_ring(committee, met))
    return local(np.ravel, await matmul(committee, mark, columns(rows.numbers, slice(3, None))))


# Q3: the ten orders of builders, not yet shipped, that bring the most.


def _three_tables(factor: int) -> Given:
    """Return all rows: by customer those of customers and orders, by order those of lines."""
    rows = rows_of(factor)
    customers, orders, lines = rows.customers, rows.orders, rows.lines
    own, theirs, last = (len(one) for one in (customers["segment"], orders["plain"], lines["code"]))
    keys = np.concatenate(
        (customers["customer_key"], orders["customer_key"], lines["order_key"]),
    )
    side = np.repeat([0, 1, 1], [own, theirs, last])
    order_keys = np.concatenate((np.zeros(own, np.int64), orders["order_key"], np.zeros(last, int)))
    bits = np.concatenate((KEY.packed([keys, side]), order_keys.view(np.uint64)[:, None]), axis=1)
    condition = np.concatenate((customers["segment"], orders["ordered"], lines["shipped"]))
    packed = orders["order_key"] * (1 << DATE_BITS) + orders["ordered"]
    brings = np.concatenate((np.zeros(own, np.int64), packed, lines["discounted"]))
    return Given(bits, _side_by_side(condition, brings), NO_WORDS)


async def _shipping(factor: int, committee: Committee, rows: Table, _: Share) -> Share:
    own, theirs, last = _sizes(factor)
    met = await _conditions(committee, column(rows.numbers, 0), own, theirs)
    brings = columns(rows.numbers, slice(1, 2))
    of_customers, of_orders = slice(own), slice(own, own + theirs)
    of_lines = slice(own + theirs, None)
    unique = Table(taken(rows.bits, of_customers), with_ones(committee, taken(met, of_customers)))
    numbers = with_ones(committee, beside(taken(met, of_orders), taken(brings, of_orders)))
    orders = await join(committee, unique, Table(taken(rows.bits, of_orders), numbers), KEY)
    passes, packed = column(orders.numbers, 0), column(orders.numbers, 1)
    passes = await mul(committee, passes, column(orders.copied, 0))
    zeros = public(committee, np.zeros(own + theirs, np.uint64))
    by_order = written(committee, KEY, [column(orders.bits, KEY.lanes), zeros])
    # Where an order does not pass, lines find a 0 where they would find a row.
    unique = Table(by_order, beside(passes, packed))
    ones = public(committee, np.ones((last, 1), np.uint64))
    numbers = beside(taken(met, of_lines), taken(brings, of_lines), ones)
    bits = columns(taken(rows.bits, of_lines), slice(KEY.lanes))
    found = await join(committee, unique, Table(bits, numbers), KEY)
    return await _dearest(committee, found, theirs)


async def _conditions(committee: Committee, values: Share, own: int, theirs: int) -> Share:
    """Return 1 where a customer builds, an order came before the day, a line was sent after it."""
    segments, ordered, shipped = (
        taken(values, here)
        for here in (slice(own), slice(own, own + theirs), slice(own + theirs, None))
    )
    builds = _less(segments, _public(committee, segments, BUILDING))
    is_builder = await comparison.is_zero(committee, settled(builds))
    day = ORDERED_BEFORE
    met = await _not_negative(
        committee,
        _less(_public(committee, ordered, day - 1), ordered),
        _less(shipped, _public(committee, shipped, day + 1)),
    )
    mark = await to_ring(committee, joined(is_builder, met))
    return local(lambda part: part[:, None], mark)


async def _dearest(committee: Committee, found: Joined, orders: int) -> Share:
    """Return what the ten orders bring that bring most, and which they are; zeros beyond."""
    brings, is_line = column(found.numbers, 0), column(found.numbers, 1)
    is_order = _less(_public(committee, is_line, 1), is_line)
    left = local(_one_after_another, found.met, is_order)
    right = local(_one_after_another, brings, column(found.copied, 0))
    product = await mul(committee, left, right)
    sums = local(lambda part: np.ascontiguousarray(part.reshape(2, -1).T), product)
    table = Table(columns(found.bits, slice(KEY.lanes)), sums)
    by_order = await groups.sums(committee, table, KEY.mask(0), orders + 1)
    both_sums = local(lambda part: part[:, :2].T.reshape(-1), by_order.numbers)
    words = await in_bits(committee, both_sums, PACKED_BITS)
    bits = written(committee, DEAREST, list(_halves(words)))
    ordered = await sort(committee, Table(bits, columns(by_order.numbers, slice(2))), DEAREST)
    first = take(ordered, slice(TOP)).numbers
    nothing = await comparison.is_zero(committee, settled(column(first, 0)))
    brought = await to_ring(committee, invert(committee, nothing))
    twice = local(lambda part: np.stack((part, part), axis=1), brought)
    return local(np.ravel, await mul(committee, first, twice))


# Q13: how many customers have how many orders of which nothing special is said.


def _two_tables(factor: int) -> Given:
    rows = rows_of(factor)
    customers, orders = rows.customers["customer_key"], rows.orders["customer_key"]
    is_customer = np.repeat([1, 0], [len(customers), len(orders)])
    counts = np.concatenate((np.zeros(len(customers), np.int64), rows.orders["plain"]))
    keys = CUSTOMER.packed([np.concatenate((customers, orders))])
    return Given(keys, _side_by_side(is_customer, counts), NO_WORDS)


async def _distribution(factor: int, committee: Committee, rows: Table, _: Share) -> Share:
    customers = _sizes(factor)[0]
    ordered = await sort(committee, rows, CUSTOMER)
    each = (await groups.sums(committee, ordered, CUSTOMER.mask(0), customers)).numbers
    words = await in_bits(committee, column(each, 1), COUNT_BITS)
    table = Table(written(committee, COUNTED, [words]), columns(each, slice(1)))
    by_count = await sort(committee, table, COUNTED)
    most = _counts(customers)
    having = await groups.sums(committee, by_count, COUNTED.mask(0), most)
    # `largest` has the least code first where counts are equal; here the largest is to be.
    turned = local(
        np.bitwise_xor, column_of(committee, having.bits, COUNTED, 0), _turning(committee, most)
    )
    top = await largest(committee, turned, column(having.numbers, 0), most)
    codes = local(np.bitwise_xor, top.codes, _turning(committee, most))
    found = local(lambda a, b: np.stack((a, b), axis=1).reshape(-1), top.counts, codes)
    return await _as_numbers(committee, found, RESULT_BITS)


def _turning(committee: Committee, rows: int) -> Share:
    return public(committee, np.full(rows, (1 << COUNT_BITS) - 1, np.uint64))


async def _as_numbers(committee: Committee, words: Share, count: int) -> Share:
    """Return numbers of words of bits."""
    places = np.arange(count, dtype=np.uint64)[:, None]
    own, after = (part >> places & np.uint64(1) != 0 for part in (words.own, words.next))
    return await from_bits(committee, BitShare(own, after), signed=False)


# What all four take.


async def _not_negative(committee: Committee, *values: Share) -> BitShare:
    """Return whether numbers are 0 or more, those of all `values` one after the other."""
    every = local(_one_after_another, *values)
    return invert(committee, await comparison.is_negative(committee, settled(every)))


def _less(x: Share, y: Share) -> Share:
    return local(np.subtract, x, y)


def _public(committee: Committee, like: Share, value: int) -> Share:
    return public(committee, np.full(like.shape, value, np.uint64))


def _one_after_another(*parts: Words) -> Words:
    return np.concatenate(parts)


def _halves(x: Share) -> tuple[Share, Share]:
    half = x.own.size // 2
    return taken(x, slice(half)), taken(x, slice(half, None))


def _at_places(x: BitShare, here: slice) -> BitShare:
    return BitShare(x.own[here], x.next[here])


def _split(values: Ints) -> tuple[Ints, Ints]:
    """Return two columns whose sums stay below 2^42: v = high * 2^20 + low."""
    return values >> LOW_BITS, values % (1 << LOW_BITS)


def _side_by_side(*columns_: Ints) -> Words:
    return np.stack(columns_, axis=1).view(np.uint64)
