"""`quorate demo enclave`: a program off by a byte is refused, the right one runs, all is marked."""

import re

import pytest

from tests.e2e.nodes import quorate


@pytest.mark.slow
def test_the_demo_refuses_a_byte_and_says_where_its_result_was_made() -> None:
    said = quorate("demo", "enclave")
    assert said.returncode == 0, said.stderr
    for shown in (
        r"south refuses: .*not one byte may differ",
        r"SIMULATED - NO CONFIDENTIALITY",
        r"mean_age +48\.5181 years",
        r"done in \d+\.\d s; the nodes and the enclave are stopped",
    ):
        assert re.search(shown, said.stdout, re.MULTILINE), shown
