"""Tables of noise: the law to within the stated distance, and draws that follow it."""

from collections.abc import Sequence
from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest

from quorate.dp import tables
from quorate.dp.tables import Integers, Table
from quorate.errors import OutOfRange
from tests.dp.keyed import keyed, told
from tests.dp.laws import (
    DIGITS,
    decimal,
    laplace,
    negative_binomial,
    probabilities,
    unlike,
    urn,
)
from tests.dp.laws import gaussian as gaussian_law

SCALES = [Fraction(1, 3), Fraction(2), Fraction(82, 5)]


def apart(found: Sequence[Fraction], true: Sequence[Decimal]) -> Decimal:
    """Half the sum of all differences, and all of the true law that the table leaves out."""
    reach = max(len(found), len(true))
    padded = [*map(decimal, found)] + [Decimal(0)] * (reach - len(found))
    whole = [*true] + [Decimal(0)] * (reach - len(true))
    zero = Decimal(0)
    off = sum((abs(a - b) for a, b in zip(padded, whole, strict=True)), zero)
    return (off + 1 - sum(true, zero)) / 2


@pytest.mark.parametrize("parts", [1, 2, 3, 7])
@pytest.mark.parametrize("scale", SCALES)
def test_negative_binomial_is_as_near_its_law_as_it_says(scale: Fraction, parts: int) -> None:
    table = tables.negative_binomial(scale, parts)
    with localcontext() as context:
        context.prec = DIGITS
        true = negative_binomial(scale, parts, table.high.size + 40)
        assert apart(probabilities(table), true) <= decimal(table.distance)
    assert table.distance < Fraction(1, 1 << 110)


@pytest.mark.parametrize("variance", [Fraction(1, 4), Fraction(16), Fraction(1001, 3)])
def test_gaussian_is_as_near_its_law_as_it_says(variance: Fraction) -> None:
    table = tables.gaussian(variance)
    reach = -table.lowest + 40
    with localcontext() as context:
        context.prec = DIGITS
        weights = [(-(x**2) / (2 * decimal(variance))).exp() for x in range(-reach, reach + 1)]
        true = [weight / sum(weights) for weight in weights]
        found = [Fraction(0)] * 40 + probabilities(table)
        assert apart(found, true) <= decimal(table.distance)


@pytest.mark.parametrize("parts", [2, 3])
def test_shares_add_up_to_a_geometric_number(parts: int) -> None:
    one = probabilities(tables.negative_binomial(Fraction(2), parts))
    whole = [Fraction(1)]
    for _ in range(parts):
        whole = convolved(whole, one)
    with localcontext() as context:
        context.prec = DIGITS
        true = negative_binomial(Fraction(2), 1, len(whole))
        assert apart(whole, true) < Decimal(2) ** -110


def test_four_gaussians_of_a_quarter_add_up_to_a_gaussian() -> None:
    """Not exactly: at a variance of 16 each, what differs is beyond 128 bits."""
    quarter, whole = tables.gaussian(Fraction(16)), tables.gaussian(Fraction(32))
    both = convolved(probabilities(quarter), probabilities(quarter))
    start = 2 * quarter.lowest - whole.lowest
    found = both[-start:] if start < 0 else [Fraction(0)] * start + both
    with localcontext() as context:
        context.prec = DIGITS
        true = [decimal(p) for p in probabilities(whole)]
        assert apart(found, true) < Decimal(2) ** -100


def convolved(x: Sequence[Fraction], y: Sequence[Fraction]) -> list[Fraction]:
    """Return the law of the sum: as digits of one large integer product."""
    width = 128 * 4
    scale = 1 << 200

    def number(law: Sequence[Fraction]) -> int:
        return int.from_bytes(
            b"".join(int(p * scale).to_bytes(width // 8, "little") for p in law), "little"
        )

    product = number(x) * number(y)
    size = len(x) + len(y) - 1
    digits = product.to_bytes(width // 8 * (size + 1), "little")
    parts = (digits[i * width // 8 : (i + 1) * width // 8] for i in range(size))
    return [Fraction(int.from_bytes(part, "little"), scale**2) for part in parts]


@pytest.mark.parametrize("parts", [2, 3, 5])
@pytest.mark.parametrize("scale", [Fraction(2), Fraction(82, 5), Fraction(82)])
def test_draws_of_shares_add_up_to_laplace_noise(scale: Fraction, parts: int) -> None:
    table, randomness = tables.negative_binomial(scale, parts), keyed(f"shares {scale} {parts}")
    total = np.zeros(100_000, np.int64)
    for _ in range(parts):
        total += table.draw(total.size, randomness) - table.draw(total.size, randomness)
    assert not unlike(total, laplace(scale))
    assert unlike(total, laplace(scale * Fraction(9, 10)))


@pytest.mark.parametrize("variance", [Fraction(1, 4), Fraction(100)])
def test_draws_of_gaussian_noise_follow_its_law(variance: Fraction) -> None:
    drawn = tables.gaussian(variance).draw(100_000, keyed(f"gaussian {variance}"))
    assert not unlike(drawn, gaussian_law(variance))
    assert unlike(drawn, gaussian_law(variance * Fraction(9, 10)))


def test_the_urn_gives_the_same_numbers() -> None:
    scale, parts, randomness = Fraction(3), 3, keyed("urn")
    drawn = np.array([urn(scale, parts, randomness) for _ in range(4_000)])
    law = [float(p) for p in negative_binomial(scale, parts, 400)]
    assert not unlike(drawn, lambda x: law[x] if x >= 0 else 0.0)
    assert unlike(drawn, laplace(scale))


def test_a_tie_of_the_upper_word_is_decided_by_the_lower() -> None:
    table = tables.negative_binomial(Fraction(2), 2)
    for k in (0, 1, 40):
        high, low = int(table.high[k]), int(table.low[k])
        for lower, value in ((low - 1, k), (low, k + 1), (low + 1, k + 1)):
            assert drawn_from(table, high, lower) == value


def test_where_many_upper_words_are_the_same_the_lower_finds_its_place() -> None:
    table = tables.negative_binomial(Fraction(2), 2)
    last = int(table.high[-1])
    first = int(np.searchsorted(table.high, last, "left"))
    assert table.high.size - first > 10
    for k in (first, first + 5, table.high.size - 1):
        assert drawn_from(table, last, int(table.low[k])) == k + 1
    assert drawn_from(table, last, 0) == first


def drawn_from(table: Table, *words: int) -> int:
    drawn: Integers = table.draw(1, told(*words))
    return int(drawn[0])


@pytest.mark.parametrize("scale", [Fraction(0), Fraction(-1), Fraction(10**6)])
def test_scales_that_make_no_table_are_refused(scale: Fraction) -> None:
    with pytest.raises(OutOfRange):
        tables.negative_binomial(scale, 2)


def test_probabilities_are_not_in_reprs() -> None:
    assert "high" not in repr(tables.gaussian(Fraction(1)))


@pytest.mark.parametrize("parts", [1, 2, 7])
@pytest.mark.parametrize("scale", [*SCALES, Fraction(1024)])
def test_how_long_a_table_will_be_is_known_before_it_is_made(scale: Fraction, parts: int) -> None:
    most = tables.most_entries(scale, is_squared=False)
    table = tables.negative_binomial(scale, parts)
    assert table.high.size <= most <= 1.2 * table.high.size + 10
    assert table.distance <= tables.most_distance(scale, is_squared=False)


@pytest.mark.parametrize("variance", [Fraction(1, 4), Fraction(16), Fraction(10_000)])
def test_so_it_is_of_gaussian_noise(variance: Fraction) -> None:
    most = tables.most_entries(variance, is_squared=True)
    table = tables.gaussian(variance)
    assert table.high.size <= most <= 1.1 * table.high.size + 10
    assert table.distance <= tables.most_distance(variance, is_squared=True)
