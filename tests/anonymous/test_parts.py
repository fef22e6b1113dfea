"""Each part alone is noise; all together are the message."""

import importlib.util
import secrets

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.anonymous import combine, split
from quorate.errors import MalformedMessage, OutOfRange
from tests.docs.project import PROJECT
from tests.mpc.uniformity import not_uniform


@given(st.binary(max_size=100), st.integers(2, 9))
def test_parts_add_up_to_the_message(message: bytes, n: int) -> None:
    parts = split(message, n)
    assert len(parts) == n
    assert {len(part) for part in parts} == {len(message)}
    assert combine(parts) == message


@pytest.mark.parametrize("without", range(4))
def test_all_parts_but_one_are_uniform(without: int) -> None:
    parts = split(bytes(1 << 16), 4)
    seen = parts[:without] + parts[without + 1 :]
    for words in (*seen, combine(seen)):
        assert not not_uniform(np.frombuffer(words, np.uint64))


def test_no_message_is_handed_out_whole() -> None:
    for n in (-1, 0, 1):
        with pytest.raises(OutOfRange):
            split(b"text", n)


@pytest.mark.parametrize("parts", [[], [b"a", b""], [b"a", b"bc", b"d"]])
def test_what_are_no_parts_of_one_message_is_refused(parts: list[bytes]) -> None:
    with pytest.raises(MalformedMessage):
        combine(parts)


def test_parts_come_from_the_randomness_that_is_given() -> None:
    drawn: list[bytes] = []

    def randomness(size: int) -> bytes:
        drawn.append(secrets.token_bytes(size))
        return drawn[-1]

    parts = split(b"This course is boring", 5, randomness)
    assert parts[:4] == drawn


def test_the_example_says_what_it_was_told() -> None:
    path = PROJECT / "examples" / "anonymous_parts.py"
    spec = importlib.util.spec_from_file_location("anonymous_parts", path)
    assert spec is not None
    assert spec.loader is not None
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    parts, whole = example.five_parts("This course is boring")
    assert whole == "This course is boring"
    assert len(parts) == 5
    assert not any(b"boring" in part for part in parts)
