"""What a committee that checks pays, step by step: as declared, as counted, and as claimed."""

from collections.abc import Awaitable, Callable

import numpy as np
import pytest

from quorate.algebra.ring import Words
from quorate.mpc import boolean, comparison, decomposition, price, replicated, truncation
from quorate.mpc.boolean import BitShare, both_words
from quorate.mpc.buckets import BATCH, toss
from quorate.mpc.carries import claim_sum, deal_known
from quorate.mpc.choice import cost_of_buckets
from quorate.mpc.cost import FREE, Cost
from quorate.mpc.gates import is_negative, is_zero
from quorate.mpc.price import Checked, Claims
from quorate.mpc.projections import PAIRS
from quorate.mpc.replicated import Committee, Share, reveal
from quorate.mpc.shifts import divide
from quorate.mpc.verification import verify
from quorate.mpc.zeros import compare
from tests.mpc.committee import cost_of, declared, noise

Function = Callable[..., Awaitable[object]]
F = 16


def lowest(x: Share) -> BitShare:
    return BitShare(*((part & np.uint64(1)).astype(np.bool_) for part in (x.own, x.next)))


def square(x: Share) -> Share:
    return Share(x.own.reshape(13, 13), x.next.reshape(13, 13))


STEPS: dict[str, tuple[Function, Callable[[int], Checked]]] = {
    "product": (lambda c, x: replicated.mul(c, x, x), price.mul),
    "and": (lambda c, x: boolean.both(c, lowest(x), lowest(x)), price.both),
    "sign": (comparison.is_negative, price.is_negative),
    "zero": (comparison.is_zero, price.is_zero),
    "to ring": (lambda c, x: boolean.to_ring(c, lowest(x)), price.to_ring),
    "to bits": (lambda c, x: decomposition.to_bits(c, x, 8), lambda m: price.to_bits(m, 8)),
    "division": (lambda c, x: truncation.truncate(c, x, F), price.truncate),
    "fixed product": (
        lambda c, x: truncation.mul_fixed(c, x, x, F),
        lambda m: price.mul(m).then(price.truncate(m)),
    ),
}


def claimed_by(function: Function, *words: Words) -> Claims:
    """Return what is on the record after a step."""
    found: list[Claims] = []

    async def run(committee: Committee, *given: Share) -> None:
        await function(committee, *given)
        assert committee.record is not None
        found.append(price.recorded(committee.record.entries))
        assert committee.record.words == found[-1].words

    cost_of(run, *words, security="malicious")
    assert len(set(found)) == 1
    return found[0]


@pytest.mark.parametrize("m", [1, 65, 1000])
@pytest.mark.parametrize("name", STEPS)
def test_a_step_costs_and_claims_what_it_says(name: str, m: int) -> None:
    function, priced = STEPS[name]
    x = noise(m)
    assert cost_of(function, x, security="malicious") == priced(m).cost
    assert claimed_by(function, x) == priced(m).claims


@pytest.mark.parametrize("name", STEPS)
def test_nothing_is_sent_or_claimed_of_nothing(name: str) -> None:
    function, _ = STEPS[name]
    assert cost_of(function, noise(0), security="malicious") == FREE
    assert claimed_by(function, noise(0)) == Claims()


def test_a_matrix_product_costs_its_result_and_is_claimed() -> None:
    def product(committee: Committee, x: Share, y: Share) -> Awaitable[Share]:
        return replicated.matmul(committee, square(x), square(y))

    x = noise(169)
    assert cost_of(product, x, x, security="malicious") == price.matmul(13, 13, 13).cost
    assert claimed_by(product, x, x) == price.matmul(13, 13, 13).claims


@pytest.mark.parametrize("m", [1, 64, 65, 40_000])
def test_docstrings_say_it(m: int) -> None:
    assert price.is_negative(m).cost == declared(is_negative, m=m)
    assert price.is_zero(m).cost == declared(is_zero, m=m)
    assert price.truncate(m).cost == declared(divide, m=m)
    assert price.mul(m).cost == declared(both_words, m=m)


@pytest.mark.parametrize("name", ["product", "sign", "zero", "division"])
@pytest.mark.parametrize("m", [1, 700])
def test_verifying_costs_what_was_said(name: str, m: int) -> None:
    function, priced = STEPS[name]

    async def verified(committee: Committee, x: Share) -> None:
        await function(committee, x)
        await verify(committee)

    step = priced(m)
    found = cost_of(verified, noise(m), security="malicious")
    assert found == step.cost.then(price.verification(step.claims))


def test_verifying_matrices_and_words_together_costs_what_was_said() -> None:
    async def verified(committee: Committee, x: Share) -> None:
        await replicated.matmul(committee, square(x), square(x))
        await replicated.mul(committee, x, x)
        await comparison.is_zero(committee, x)
        await verify(committee)

    steps = price.matmul(13, 13, 13).then(price.mul(169)).then(price.is_zero(169))
    found = cost_of(verified, noise(169), security="malicious")
    assert found == steps.cost.then(price.verification(steps.claims))


@pytest.mark.parametrize("to", [[0], [1, 2], [0, 1, 2]])
def test_a_reveal_costs_its_tags_too(to: list[int]) -> None:
    async def revealed(committee: Committee, x: Share) -> object:
        return await reveal(committee, x, to)

    found = cost_of(revealed, noise(9), security="malicious")
    assert found.bytes_sent == price.reveal(9, to, "malicious", is_bits=False).bytes_sent


def test_parts_of_verifying_cost_what_their_docstrings_say() -> None:
    async def compared(committee: Committee, _: Share) -> None:
        await compare(committee, [])

    async def dealt(committee: Committee, x: Share) -> None:
        await deal_known(committee, x.own[:4], x.own[4:])

    async def summed(committee: Committee, x: Share) -> None:
        zero = Share(x.own * 0, x.own * 0)
        await claim_sum(committee, zero, zero)

    async def tossed(committee: Committee, _: Share) -> None:
        await toss(committee)

    def measured(function: Function) -> Cost:
        return cost_of(function, noise(9), security="malicious")

    assert measured(compared) == declared(compare, m=0)
    assert measured(dealt) == declared(deal_known, m=9)
    assert measured(summed) == declared(claim_sum, m=9)
    assert measured(tossed) == declared(toss, m=0)


def test_a_million_products_are_verified_with_six_words_each() -> None:
    million = price.verification(Claims(products=BATCH))
    assert million.rounds == 5
    assert million.bytes_sent[0] / (8 * BATCH) == pytest.approx(6, abs=0.001)


def test_a_million_comparisons_cost_32_bytes_each_where_they_are_proved_and_221_where_not() -> None:
    """The ANDs of a comparison are 3.95 words; a triple to each is sent and opened, twice."""
    step = price.is_negative(1_000_000)
    proved = step.cost.then(price.verification(step.claims))
    assert step.cost.bytes_sent == (31_625_000,) * 3
    assert proved.bytes_sent == (31_670_296,) * 3
    assert proved.rounds == 8 + 30
    met = step.cost.then(cost_of_buckets(step.claims.ands))
    assert met.bytes_sent == (221_376_376,) * 3
    assert met.rounds == 8 + 3 * 5


def test_a_matrix_product_is_verified_with_145_inner_products() -> None:
    whole = price.verification(price.matmul(1000, 1000, 1000).claims)
    terms = 145 * 1000
    assert PAIRS == 145
    assert whole.bytes_sent[0] < 8 * 11 * terms
    assert whole.rounds == 8
