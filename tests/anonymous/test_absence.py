"""A member is unheard in a run only where each of the others has signed that it was."""

import secrets
from dataclasses import replace

import pytest

from quorate.anonymous.absence import (
    Silent,
    Unheard,
    Word,
    others_of,
    say,
    verify_unheard,
    verify_word,
)
from quorate.errors import VerificationFailed
from tests.anonymous.group import members

GROUP = members(5)
RUN = GROUP.run()
NAMES = tuple(member.name for member in RUN.members)
SILENT = NAMES[3]


def word(by: int, about: str = SILENT) -> Word:
    return say(GROUP.keys[by], Silent(RUN.digest(), about, NAMES[by]))


def unheard() -> Unheard:
    return Unheard(RUN, SILENT, tuple(word(by).signature for by in (0, 1, 2, 4)))


def test_who_is_unheard_is_so_by_each_other_members_word() -> None:
    verify_unheard(unheard())
    assert [w.silent.by for w in unheard().words()] == list(others_of(RUN, SILENT))


def test_one_word_less_or_another_members_is_not_enough() -> None:
    good = unheard().signatures
    for signatures in (
        good[:-1],
        (*good, good[0]),
        (good[0], good[0], *good[2:]),
        (*good[:-1], secrets.token_bytes(64)),
        (*good[:-1], word(4, NAMES[2]).signature),
        (*good[:-1], word(3).signature),
    ):
        with pytest.raises(VerificationFailed):
            verify_unheard(replace(unheard(), signatures=signatures))


def test_words_are_of_one_run_of_this_group_and_of_somebody_else() -> None:
    other = GROUP.run(number=2)
    for bad in (
        replace(unheard(), run=other),
        replace(unheard(), member="nobody"),
        replace(unheard(), run=replace(RUN, group=bytes(31) + b"x")),  # signed for another
    ):
        with pytest.raises(VerificationFailed):
            verify_unheard(bad)
    for wrong in (word(3), replace(word(0), silent=Silent(RUN.digest(), SILENT, "nobody"))):
        with pytest.raises(VerificationFailed):
            verify_word(wrong, RUN)
    with pytest.raises(VerificationFailed):
        verify_word(word(0), other)
