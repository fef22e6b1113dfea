"""A key in another's place: the chain from the first to the last, and what breaks it."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from quorate.algebra.edwards25519 import Point
from quorate.errors import VerificationFailed
from quorate.threshold import frost
from quorate.threshold.keys import KeyShare
from quorate.threshold.succession import (
    SignedSuccession,
    Succession,
    acceptance_input,
    succession_input,
    verify_chain,
    verify_fork,
    verify_succession,
)
from tests.threshold.dealt import deal
from tests.threshold.hands import sign

KEYS = [deal(3, 2)[0] for _ in range(4)]
GROUPS = [shares[0].public.group for shares in KEYS]


def succeed(old: Sequence[KeyShare], new: Sequence[KeyShare], number: int) -> SignedSuccession:
    said = Succession(
        old[0].public.group, new[0].public.group, number, "removed: west", "2027-03-01T10:00:00Z"
    )
    return SignedSuccession(
        said, sign(old[:2], succession_input(said)), sign(new[1:], acceptance_input(said))
    )


CHAIN = [succeed(KEYS[i], KEYS[i + 1], i + 1) for i in range(3)]


def test_a_chain_leads_from_the_first_key_to_the_last() -> None:
    assert verify_chain(GROUPS[0], []) == GROUPS[0]
    assert verify_chain(GROUPS[0], CHAIN) == GROUPS[3]


@pytest.mark.parametrize(
    "bad",
    [
        CHAIN[1:],
        [CHAIN[0], CHAIN[2]],
        CHAIN[::-1],
        [CHAIN[0], CHAIN[0]],
        [replace(CHAIN[0], by_old=CHAIN[1].by_old)],
        [replace(CHAIN[0], by_new=CHAIN[0].by_old)],
        [replace(CHAIN[0], statement=replace(CHAIN[0].statement, reason="for fun"))],
        [CHAIN[0], succeed(KEYS[1], KEYS[0], 2)],
        [succeed(KEYS[0], KEYS[0], 1)],
        [succeed(KEYS[0], KEYS[1], 2)],
    ],
    ids=lambda bad: str(len(bad)),
)
def test_whatever_breaks_a_chain_is_refused(bad: list[SignedSuccession]) -> None:
    with pytest.raises(VerificationFailed):
        verify_chain(GROUPS[0], bad)


def test_nobody_gives_a_group_a_key_that_is_not_its_own() -> None:
    """A successor that has not accepted: its group never said it speaks for this one."""
    honest = CHAIN[0]
    said = replace(honest.statement, new=GROUPS[2])
    forged = SignedSuccession(said, sign(KEYS[0][:2], succession_input(said)), honest.by_new)
    with pytest.raises(VerificationFailed):
        verify_succession(forged)


def test_control_without_acceptance_a_group_is_given_anothers_key() -> None:
    said = replace(CHAIN[0].statement, new=GROUPS[2])
    by_old = sign(KEYS[0][:2], succession_input(said))
    frost.verify(Point(said.old), succession_input(said), by_old)


def test_two_successors_of_one_key_are_proof() -> None:
    other = succeed(KEYS[0], KEYS[2], 1)
    verify_fork(CHAIN[0], other)
    for one, two in ((CHAIN[0], CHAIN[0]), (CHAIN[0], CHAIN[1])):
        with pytest.raises(VerificationFailed, match="do not contradict"):
            verify_fork(one, two)
