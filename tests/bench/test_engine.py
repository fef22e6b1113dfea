"""The benchmarks notice a wrong result and a wrong declaration; three processes do give figures."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from bench import malicious
from bench.engine import workloads
from bench.engine.timing import Timed, summary, time_one, time_workloads
from bench.engine.workloads import Workload
from bench.malicious import Pair
from quorate.mpc import cost
from tests.mpc.committee import everyones


def timed(load: Workload) -> list[Timed]:
    return everyones(lambda committee: time_one(committee, load, repeats=1))


@pytest.mark.parametrize(
    "of",
    [
        workloads.products,
        workloads.comparisons,
        workloads.equalities,
        workloads.fixed_products,
        workloads.truncations,
        workloads.dot,
        workloads.total,
        workloads.matrices,
    ],
)
def test_every_operation_is_right_and_costs_what_it_declares(of: Callable[[int], Workload]) -> None:
    load = of(100)
    assert summary(load, timed(load)).warm_s > 0


def verified(load: Workload) -> list[Timed]:
    return everyones(lambda committee: time_one(committee, load, repeats=1), "malicious")


@pytest.mark.parametrize("pair", malicious.pairs(100, 11), ids=lambda pair: pair.checked.name)
def test_every_operation_is_right_and_costs_what_it_declares_where_it_is_verified(
    pair: Pair,
) -> None:
    assert summary(pair.checked, verified(pair.checked)).warm_s > 0


def test_a_wrong_result_is_noticed() -> None:
    with pytest.raises(AssertionError, match="100 products is wrong"):
        timed(replace(workloads.products(100), plain=np.add))


def test_a_wrong_declaration_is_noticed() -> None:
    load = replace(workloads.products(100), cost=cost.mul(101))
    with pytest.raises(AssertionError, match="100 products is not as declared"):
        summary(load, timed(load))


def test_three_processes_over_plain_sockets_and_over_tls() -> None:
    load = workloads.comparisons(100)
    for encrypted in (False, True):
        (spent,) = time_workloads([load], encrypted=encrypted, repeats=1)
        assert 0 < spent.warm_s < 60
        assert spent.peak_bytes > 1 << 20
