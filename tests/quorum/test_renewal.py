"""A roster that changes: who holds the key next, how many must act, and who deals."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from quorate.errors import Refused
from quorate.quorum.key_plan import KeyPlan
from quorate.quorum.renewal import Renewal, follow
from quorate.studies.group import Group
from tests.quorum.dealt import WARD, identity, plan_of, ward

OLD = ward()
GROWN = ward((*WARD, "surgery", "archive"))


def key_of_all(min_signers: int = 3) -> KeyPlan:
    return plan_of(OLD, WARD, min_signers)


def changed(
    words: str, new: Group, plan: KeyPlan | None = None, for_cause: Sequence[str] = ()
) -> Renewal:
    found = follow(plan or key_of_all(), words, OLD, new, for_cause)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("words", "rule"), [("majority", "4 of 7"), ("half", "4 of 7"), ("3 of 5", "3 of 7")]
)
def test_a_rule_in_words_follows_the_roster_and_one_in_numbers_stays(words: str, rule: str) -> None:
    found = changed(words, GROWN)
    assert str(found.rule) == rule
    assert found.joining == ("surgery", "archive")
    assert found.leaving == ()
    assert found.dealers == (1, 2, 3)


def test_a_roster_that_changes_nothing_for_the_key_changes_nothing() -> None:
    assert follow(key_of_all(), "majority", OLD, OLD) is None
    some = plan_of(OLD, WARD[:3], 2)
    assert follow(some, "majority", OLD, GROWN) is None


def test_a_key_of_some_stays_with_those_who_stay() -> None:
    some = plan_of(OLD, WARD[:4], 3)
    found = changed("majority", ward((WARD[0], *WARD[2:], "surgery")), some)
    assert [holder.name for holder in found.holders] == [WARD[0], WARD[2], WARD[3]]
    assert (str(found.rule), found.leaving, found.joining) == ("2 of 3", (WARD[1],), ())
    assert found.dealers == (1, 3, 4)


def test_who_leaves_deals_only_where_too_few_stay() -> None:
    found = changed("majority", ward((*WARD[3:], "surgery")))
    assert found.dealers == (1, 4, 5)
    assert found.leaving == WARD[:3]


def test_who_is_removed_for_cause_does_not_deal() -> None:
    left = ward(WARD[1:])
    assert 1 not in changed("majority", left, for_cause=[WARD[0]]).dealers
    with pytest.raises(Refused, match="2 holders may deal, and 3 of 5 must") as refused:
        changed("majority", left, for_cause=WARD[:3])
    assert "new key" in refused.value.hint


def test_a_member_with_another_identity_is_another_holder() -> None:
    key = identity("somebody else").public_key().public_bytes_raw()
    members = (replace(OLD.members[0], public_key=key), *OLD.members[1:])
    found = changed("majority", Group("ward", members))
    assert found.joining == found.leaving == (WARD[0],)
    assert found.dealers == (2, 3, 4)


def test_a_number_that_too_few_are_left_for_is_refused() -> None:
    with pytest.raises(Refused, match="can never act"):
        changed("3 of 5", ward(WARD[:2]))
