"""How many must act together, in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.errors import Refused
from quorate.threshold.rule import Rule, parse_rule


@pytest.mark.parametrize(
    ("text", "holders", "due"),
    [
        ("3 of 5", 5, 3),
        (" 3  OF 5 ", 5, 3),
        ("2of2", 2, 2),
        ("67 of 100", 100, 67),
        ("majority", 2, 2),
        ("majority", 5, 3),
        ("Majority", 6, 4),
        ("half", 3, 2),
        ("half", 6, 3),
    ],
)
def test_a_rule_means(text: str, holders: int, due: int) -> None:
    assert parse_rule(text, holders) == Rule(due, holders)


@pytest.mark.parametrize(
    ("text", "holders", "message"),
    [
        ("", 5, "not how many"),
        ("most", 5, "not how many"),
        ("3 of 5 of 7", 5, "not how many"),
        ("-3 of 5", 5, "not how many"),
        ("٣ of 5", 5, "not how many"),
        ("3 of 5", 6, "3 of 5 counts 5 holders, but there are 6"),
        ("6 of 5", 5, "can never act"),
        ("1 of 5", 5, "one holder could act alone"),
        ("0 of 5", 5, "one holder could act alone"),
        ("half", 2, "one holder could act alone"),
        ("majority", 1, "a key has 2 to"),
        ("majority", 0, "a key has 2 to"),
        ("70000 of 70000", 70000, "a key has 2 to"),
    ],
)
def test_what_is_no_rule_is_refused(text: str, holders: int, message: str) -> None:
    with pytest.raises(Refused, match=message) as refused:
        parse_rule(text, holders)
    assert refused.value.hint


@given(st.integers(2, 200), st.data())
def test_the_warning_is_there_exactly_when_two_disjoint_groups_can_act(
    holders: int, data: st.DataObject
) -> None:
    rule = Rule(data.draw(st.integers(2, holders)), holders)
    assert bool(rule.warning) == (holders - rule.min_signers >= rule.min_signers)


def test_half_warns_where_there_are_two_halves() -> None:
    assert "two groups of 3 that share no member" in parse_rule("half", 6).warning
    assert not parse_rule("half", 5).warning
    assert not parse_rule("majority", 6).warning
