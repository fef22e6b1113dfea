"""`quorate demo trust`: one bundle, one word of each member, every model of trust side by side."""

import re

import pytest

from tests.e2e.nodes import quorate


@pytest.mark.slow
def test_every_model_of_trust_is_set_beside_the_others() -> None:
    said = quorate("demo", "trust")
    assert said.returncode == 0, said.stderr
    for shown in (
        r"data     north: synthetic, south: synthetic, west: synthetic",
        r"server +third-party +patients +442 rows +0 +\d+\.\d\d +648 +9$",
        r"mean_age +48\.5181 years +0$",
        r"secure +mpc +patients +442 rows +0 +\d+\.\d\d +614 +6$",
        r"local +local-noise +patients +442 rows",
        r"enclave +enclave +patients +442 rows +0 ",
        r"enclave_noised +enclave +patients +4\d\d rows",
        r"enclave: SIMULATED.*: north can read all of these rows",
        r"server: north sees every row of every member: age, of each row",
        r"secure: nobody sees a row",
        r"3 exact arms agree to the last digit",
    ):
        assert re.search(shown, said.stdout, re.MULTILINE), shown
