"""The benchmark of a noisy study among nodes measures a right one: it asserts every cell."""

import pytest

from bench.noisy_study import BUDGETS, measure


@pytest.mark.slow
def test_three_nodes_release_noisy_cells_of_both_kinds() -> None:
    found = measure(1, side=5)
    assert [one.name for one in found] == [f"{noise}, run 1" for noise in BUDGETS]
    for one in found:
        assert 0 < one.noise_s < one.run_s < one.request_s
