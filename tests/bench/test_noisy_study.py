"""The benchmark of a noisy study among nodes measures a right one: it asserts every cell."""

import json
import subprocess
import sys

import pytest

PROGRAM = """
import json
from dataclasses import astuple
from bench.noisy_study import measure
print(json.dumps([astuple(one) for one in measure(1, side=5)]))
"""


@pytest.mark.slow
def test_three_nodes_release_noisy_cells_of_both_kinds() -> None:
    """In a process of its own, as the nodes that it starts outlive the objects they begin as."""
    ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, check=True)
    found = json.loads(ran.stdout)
    assert [name for name, *_ in found] == ["Laplace, epsilon 1, run 1", "Gaussian, rho 0.5, run 1"]
    for _, noise_s, run_s, request_s in found:
        assert 0 < noise_s < run_s < request_s
