"""A run in which all follow the protocol."""

import pytest

from quorate.anonymous.decision import Delivered
from tests.anonymous.group import hold, members


@pytest.mark.parametrize("n", [3, 5])
def test_everybody_reads_what_was_said_and_nobody_is_named(n: int) -> None:
    group = members(n)
    texts = [b"This course is boring", b"", b"Agreed", *(b"" for _ in range(3, n))]
    for outcome in hold(group, group.run(), texts).values():
        assert isinstance(outcome, Delivered), outcome
        assert set(outcome.texts) == {b"This course is boring", b"Agreed"}
