"""A member is held to what it dealt: an audit opens it, and other rows do not open."""

import os
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from quorate import wire
from quorate.errors import MalformedMessage, Party, VerificationFailed
from quorate.mpc import owners
from quorate.studies.committee import Revealed
from quorate.studies.dealings import Held, Kept, Opening, opening_outside, trace
from tests.parties import run_parties
from tests.studies.test_committee import deciding, plan_among, shared_out, totals_of

MEMBERS = 4
OUTSIDE = 3
VECTORS = shared_out(totals_of([9] * 6), MEMBERS)


@cache
def ran() -> tuple[Revealed, ...]:
    outcomes = run_parties(deciding(plan_among(MEMBERS).study, VECTORS), MEMBERS)
    found = tuple(outcomes[party] for party in range(MEMBERS))
    assert all(isinstance(one, Revealed) for one in found), found
    return tuple(one for one in found if isinstance(one, Revealed))


def records() -> list[Kept]:
    return [one.dealings.kept for one in ran() if one.dealings.kept is not None]


def other_rows(opening: Opening) -> Opening:
    """Open as if the first number had been one more."""
    first = np.frombuffer(opening.parts[2], "<u8").copy()
    first[0] += 1
    return replace(opening, parts=(*opening.parts[:2], first.tobytes()))


@pytest.mark.parametrize("owner", range(MEMBERS))
def test_what_a_member_dealt_is_traced_to_its_numbers(owner: Party) -> None:
    assert trace(ran()[owner].dealings.opening, records()).tolist() == VECTORS[owner].tolist()


@pytest.mark.parametrize("owner", range(MEMBERS))
def test_other_numbers_than_those_dealt_do_not_open(owner: Party) -> None:
    with pytest.raises(VerificationFailed, match="not what seat"):
        trace(other_rows(ran()[owner].dealings.opening), records())


def test_the_same_numbers_dealt_anew_do_not_open() -> None:
    again = opening_outside(
        ran()[0].session_id, OUTSIDE, VECTORS[OUTSIDE], (os.urandom(32), os.urandom(32))
    )
    with pytest.raises(VerificationFailed):
        trace(again, records())


def altered(liar: Party, opening: Opening) -> list[Kept]:
    """Let one of the committee say that it was dealt what its friend opens now."""
    hashes = [owners.hash_of(np.frombuffer(part, "<u8")) for part in opening.parts]
    lie = Held(hashes[liar], hashes[(liar + 1) % 3])
    return [
        replace(one, dealt=(*one.dealt[: opening.owner], lie, *one.dealt[opening.owner + 1 :]))
        if one.seat == liar
        else one
        for one in records()
    ]


@pytest.mark.parametrize("liar", range(3))
def test_one_of_the_committee_cannot_help_a_member_to_other_numbers(liar: Party) -> None:
    opening = other_rows(ran()[OUTSIDE].dealings.opening)
    with pytest.raises(VerificationFailed):
        trace(opening, altered(liar, opening))


def test_control_where_records_are_made_of_what_is_opened_other_numbers_are_traced() -> None:
    opening = other_rows(ran()[OUTSIDE].dealings.opening)
    hashes = [owners.hash_of(np.frombuffer(part, "<u8")) for part in opening.parts]
    late = [
        replace(one, dealt=(Held(hashes[one.seat], hashes[(one.seat + 1) % 3]),) * MEMBERS)
        for one in records()
    ]
    assert trace(opening, late).tolist() != VECTORS[OUTSIDE].tolist()


@pytest.mark.parametrize("owner", [0, OUTSIDE])
def test_all_others_of_the_committee_are_asked_once_about_one_run(owner: Party) -> None:
    opening, all_three = ran()[owner].dealings.opening, records()
    with pytest.raises(VerificationFailed):
        trace(opening, all_three[:2])
    with pytest.raises(VerificationFailed):
        trace(opening, [*all_three, all_three[2]])
    with pytest.raises(VerificationFailed):
        trace(opening, [*all_three[:2], replace(all_three[2], session=b"another")])


def test_one_of_the_committee_opens_without_a_word_of_its_own() -> None:
    assert trace(ran()[0].dealings.opening, records()[1:]).tolist() == VECTORS[0].tolist()


def test_what_no_run_leaves_is_refused() -> None:
    opening, all_three = ran()[OUTSIDE].dealings.opening, records()
    for parts in (opening.parts[:2], (b"", b"", b"12345678"), (b"1", b"1", b"1")):
        with pytest.raises(MalformedMessage):
            trace(replace(opening, parts=parts), all_three)
    with pytest.raises(MalformedMessage):
        trace(replace(opening, owner=MEMBERS), all_three)
    with pytest.raises(MalformedMessage):
        trace(opening, [replace(all_three[0], seat=-1), *all_three[1:]])


def test_records_and_openings_are_written_and_read_again() -> None:
    for one in records():
        assert wire.decode(wire.encode(one), Kept) == one
    assert wire.decode(wire.encode(ran()[0].dealings.opening), Opening) == ran()[0].dealings.opening


def test_no_record_holds_a_part_or_hash_that_its_keeper_could_not_have() -> None:
    for one in records():
        lacking = (one.seat + 2) % 3
        for owner, held in enumerate(one.dealt):
            if owner == one.seat:
                continue
            parts = ran()[owner].dealings.opening.parts
            unknown = owners.hash_of(np.frombuffer(parts[lacking], "<u8"))
            zeros = owners.hash_of(np.zeros_like(VECTORS[owner]))
            assert unknown == zeros or unknown not in (held.own, held.next)


def test_two_records_of_the_same_hashes_have_different_digests() -> None:
    one = records()[0]
    assert one.digest() != replace(one, salt=bytes(32)).digest()
