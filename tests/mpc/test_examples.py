"""The examples of programs on secrets do what they say."""

import importlib.util
import secrets

import numpy as np
from numpy.testing import assert_array_equal

from quorate.mpc.engine import Secure
from tests.docs.project import PROJECT
from tests.mpc.committee import everyones


def test_the_longest_stays_of_all_hospitals() -> None:
    path = PROJECT / "examples" / "top_k.py"
    spec = importlib.util.spec_from_file_location("top_k", path)
    assert spec is not None
    assert spec.loader is not None
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    days = np.frombuffer(secrets.token_bytes(3 * example.PATIENTS), np.uint8).astype(np.int64)
    hospitals = days.reshape(3, example.PATIENTS)
    hospitals[0, 3] = hospitals[2, 5] = 255  # equals: both belong to the longest

    for output in everyones(
        lambda committee: example.longest_stays(Secure(committee), hospitals[committee.me], 3)
    ):
        assert_array_equal(output, np.sort(days)[::-1][:3])
