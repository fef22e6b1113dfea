"""The benchmark of enclaves runs, in processes of their own, and is right."""

from datetime import timedelta

import pytest

from bench.enclave import plan_inside, time_both
from quorate.node.enclosure import Seed
from quorate.studies.running import at_once
from quorate.studies.times import utc_text
from tests.mpc.committee import everyones
from tests.studies.trio import NOW


@pytest.mark.slow
def test_a_run_in_the_process_of_an_enclave_is_right() -> None:
    seed = Seed(bytes(32), utc_text(NOW - timedelta(days=1)))
    of = plan_inside(seed)
    taken = everyones(
        lambda committee: time_both(committee.session.at("run"), of, seed, 600, 1, at_once)
    )
    assert [len(one.inside) for one in taken] == [1, 1, 1]
