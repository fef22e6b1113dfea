"""An order verifies alone, and nothing of it can be changed or made up."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.errors import Error, MalformedMessage, VerificationFailed
from quorate.quorum.answer import sign_answer
from quorate.quorum.key import Key, sign_key, verify_key
from quorate.quorum.key_plan import check_plan
from quorate.quorum.order import Order, order_from_json, order_to_json, verify_order
from quorate.quorum.request import sign_request
from quorate.studies.group import Group
from tests.quorum.dealt import (
    ROLES,
    altered_expiry,
    deal,
    identity,
    medication_key,
    plan_of,
    requested,
    signature,
    signed_order,
    ward,
    word,
)

KEY, SHARES = medication_key()
ORDER = signed_order(KEY, SHARES, ("doctor", "nurse"))
OTHER_KEY, OTHER_SHARES = medication_key()


def test_an_order_of_two_of_three_verifies_with_the_roster_and_without() -> None:
    verify_order(ORDER)
    verify_order(ORDER, ward())
    assert order_from_json(order_to_json(ORDER)) == ORDER


def by_all_three(order: Order) -> Order:
    return replace(order, answers=tuple(word(order.request, name) for name in ROLES))


def test_more_approvals_than_needed_are_welcome() -> None:
    verify_order(by_all_three(ORDER), ward())


def with_answers(*names: str) -> Order:
    return replace(ORDER, answers=tuple(word(ORDER.request, name) for name in names))


def resigned(order: Order) -> Order:
    """Return `order` with the group's own signature of its request, whatever that says."""
    return replace(
        order,
        requested=sign_request(identity(order.request.requester), order.request),
        signature=signature(KEY, SHARES[:2], order.request.message()),
    )


OTHER_REQUEST = requested(KEY, document='{"dose": 1000}')
WRONG: dict[str, Callable[[], Order]] = {
    "another document": lambda: replace(ORDER, document=ORDER.document.replace("active", "stop")),
    "another request": lambda: replace(ORDER, request=OTHER_REQUEST, document='{"dose": 1000}'),
    "a later expiry": lambda: replace(
        ORDER, request=altered_expiry(ORDER.request, timedelta(days=1))
    ),
    "another reason": lambda: replace(ORDER, request=replace(ORDER.request, reason="because")),
    "another requester": lambda: replace(
        ORDER, request=replace(ORDER.request, requester="nurse"), requester=KEY.plan.holders[2]
    ),
    "a requester that did not ask": lambda: replace(ORDER, requested=bytes(64)),
    "a requester with another key": lambda: replace(
        ORDER, requester=replace(ORDER.requester, public_key=bytes(32))
    ),
    "another key's signature": lambda: replace(
        ORDER, signature=signature(OTHER_KEY, OTHER_SHARES[:2], ORDER.request.message())
    ),
    "another key": lambda: replace(ORDER, key=OTHER_KEY),
    "a signature of something else": lambda: replace(
        ORDER, signature=signature(KEY, SHARES[:2], b"something else")
    ),
    "fewer approvals than the rule wants": lambda: with_answers("doctor"),
    "no approvals": with_answers,
    "one approval twice": lambda: with_answers("doctor", "doctor"),
    "approvals in another order": lambda: with_answers("nurse", "doctor"),
    "an approval of who holds no share": lambda: with_answers("doctor", "laboratory"),
    "an approval of another request": lambda: replace(
        ORDER, answers=(word(ORDER.request, "doctor"), word(OTHER_REQUEST, "nurse"))
    ),
    "a decline": lambda: replace(
        ORDER, answers=(word(ORDER.request, "doctor"), word(ORDER.request, "nurse", "decline"))
    ),
    "a forged approval": lambda: replace(
        ORDER,
        answers=(
            word(ORDER.request, "doctor"),
            sign_answer(identity("doctor"), word(ORDER.request, "nurse").answer),
        ),
    ),
    "an approval after the hour": lambda: replace(
        ORDER,
        answers=(
            ORDER.answers[0],
            sign_answer(
                identity("nurse"), replace(ORDER.answers[1].answer, time="2031-01-01T00:00:00Z")
            ),
        ),
    ),
    "a request for another key": lambda: resigned(
        replace(ORDER, request=replace(ORDER.request, key=bytes(32)))
    ),
    "a request without end": lambda: resigned(
        replace(ORDER, request=altered_expiry(ORDER.request, timedelta(days=1000)))
    ),
    "an unlock request": lambda: resigned(
        replace(ORDER, request=replace(ORDER.request, type="unlock"))
    ),
    "an unknown format": lambda: replace(ORDER, format=2),
}


@pytest.mark.parametrize("how", WRONG)
def test_what_was_altered_or_made_up_does_not_verify(how: str) -> None:
    for group in (None, ward()):
        with pytest.raises(VerificationFailed):
            verify_order(WRONG[how](), group)


def test_holders_nobody_knows_do_not_pass_for_members() -> None:
    verify_order(ORDER)
    strangers = Group("ward", tuple(replace(m, public_key=b"s" * 32) for m in ward().members))
    with pytest.raises(VerificationFailed):
        verify_order(ORDER, strangers)


def one_operator() -> Key:
    """Return a key that all holders certified, though one operator runs two of their nodes."""
    plan = replace(
        KEY.plan,
        holders=(replace(KEY.plan.holders[0], operator="nurse"), *KEY.plan.holders[1:]),
    )
    signatures = tuple(sign_key(identity(name), plan, KEY.public) for name in ROLES)
    return Key(plan, KEY.public, signatures)


BAD_KEYS: dict[str, Callable[[], Key]] = {
    "a certificate missing": lambda: replace(KEY, signatures=KEY.signatures[:2]),
    "a certificate of another key": lambda: replace(KEY, signatures=OTHER_KEY.signatures),
    "two certificates swapped": lambda: replace(
        KEY, signatures=(KEY.signatures[1], KEY.signatures[0], KEY.signatures[2])
    ),
    "another rule than planned": lambda: replace(KEY, plan=replace(KEY.plan, min_signers=3)),
    "another purpose than planned": lambda: replace(KEY, plan=replace(KEY.plan, purpose="unlock")),
    "one operator for two shares": one_operator,
}


@pytest.mark.parametrize("how", BAD_KEYS)
def test_a_key_counts_only_as_all_its_holders_certified_it(how: str) -> None:
    verify_key(KEY, ward())
    for group in (None, ward()):
        with pytest.raises(VerificationFailed):
            verify_key(BAD_KEYS[how](), group)


def test_a_key_refuses_two_shares_under_one_operator() -> None:
    group = ward()
    nurse = replace(group.members[2], operator="doctor")
    shared = Group("ward", (*group.members[:2], nurse, *group.members[3:]))
    check_plan(plan_of(group, ROLES, 2), group)
    with pytest.raises(Error, match="two of the key's holders have one operator"):
        check_plan(plan_of(shared, ROLES, 2), shared)
    check_plan(plan_of(shared, ("doctor", "pharmacist", "laboratory"), 2), shared)


def test_an_unlocking_key_signs_no_order() -> None:
    plan = plan_of(ward(), ROLES, 2, "unlock")
    key, _ = deal(plan, [identity(name) for name in ROLES])
    with pytest.raises(Error, match="unlocks"):
        signed_order(key, deal(plan, [identity(name) for name in ROLES])[1], ROLES[:2])


@given(st.data())
def test_no_edit_of_the_file_verifies(data: st.DataObject) -> None:
    text = order_to_json(ORDER)
    at = data.draw(st.integers(0, len(text) - 1))
    put = data.draw(st.characters(codec="ascii", exclude_characters=text[at]))
    try:
        order = order_from_json(text[:at] + put + text[at + 1 :])
    except MalformedMessage:
        return
    if order == ORDER:
        assert text[at].isspace()  # layout is free
        assert put.isspace()
        return
    with pytest.raises(VerificationFailed):
        verify_order(order, ward())
