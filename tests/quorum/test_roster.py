"""Rosters that change: what holds, and every way in which a liar would have one hold."""

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from quorate import wire
from quorate.errors import Abort, MalformedMessage, Refused, VerificationFailed
from quorate.quorum.history import History, split, verify_history
from quorate.quorum.invitation import token_from_text, token_to_text
from quorate.quorum.roster import (
    Change,
    Decided,
    SignedVote,
    convicted,
    is_blocked,
    needed,
    sign_change,
    successor,
    verify_vote,
)
from quorate.studies.group import Approvers, group_from_json, group_to_json
from quorate.threshold.rule import majority
from tests.quorum.rosters import Ward, listed, ward

FIVE = ("north", "south", "west", "east", "mid")


def test_a_group_grows_shrinks_and_rotates_and_all_of_it_verifies_from_the_first_roster() -> None:
    it = ward(*FIVE)
    newcomer, fresh = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    it.holds(it.join("coast", newcomer, "west", it.token("south")), ["north", "south", "west"])
    it.keys["coast"] = newcomer
    rotated = it.change("rotate", listed("north", fresh, "other"), "north", new_key=fresh)
    it.holds(rotated, ["north", "south", "west", "coast"])
    it.keys["north"] = fresh
    it.holds(it.removal("mid", "coast"), ["north", "south", "east", "coast"])
    assert it.now.names == ("north", "south", "west", "east", "coast")
    assert (it.now.epoch, it.now.members[0].address) == (3, "other.example:7400")
    assert verify_history(it.history.first, it.history.steps) == it.history
    assert wire.decode(wire.encode(it.history), History) == it.history
    assert group_from_json(group_to_json(it.now)) == it.now


def test_a_roster_that_returns_to_the_same_members_is_another_roster() -> None:
    it = ward(*FIVE)
    for host in ("other", "north"):
        moved = it.change(
            "rotate", listed("north", it.keys["north"], host), "north", new_key=it.keys["north"]
        )
        it.holds(moved, FIVE)
    assert it.now.members == it.history.first.members
    assert it.now.digest() != it.history.first.digest()


@pytest.mark.parametrize(("rule", "most"), [("majority", 3), ("two thirds", 4), ("all", 5)])
def test_as_many_must_approve_as_the_group_says(rule: Approvers, most: int) -> None:
    it = ward(*FIVE)
    it.history = History((replace(it.now, changed_by=rule),))
    fresh = Ed25519PrivateKey.generate()
    change = it.change("rotate", listed("north", fresh), "north", new_key=fresh)
    assert needed(it.now, change) == most
    with pytest.raises(VerificationFailed, match=f"{most - 1} members approved"):
        it.history.extended(it.decided(change, FIVE[: most - 1]))
    it.holds(change, FIVE[:most])


def test_who_is_removed_has_no_word_in_it() -> None:
    it = ward("north", "south", "west")
    change = it.removal("west", "west")
    with pytest.raises(VerificationFailed, match="1 members approved"):
        it.history.extended(it.decided(change, ["south", "west"]))
    it.holds(change, ["north", "south"])
    with pytest.raises(MalformedMessage, match="2 to"):
        successor(it.now, it.removal("south", "north"))


# Attackers


def test_a_forged_roster_is_refused() -> None:
    it = ward(*FIVE)
    thief = Ward({name: Ed25519PrivateKey.generate() for name in FIVE})
    change = it.removal("mid", "north")
    forged = Decided(
        change,
        sign_change(thief.keys["north"], change),
        tuple(thief.vote(name, change) for name in FIVE[:4]),
    )
    with pytest.raises(VerificationFailed, match="not signed by its proposer"):
        it.history.extended(forged)
    own = it.decided(change, FIVE[:4])
    with pytest.raises(VerificationFailed, match="in the name of north is not signed"):
        it.history.extended(replace(forged, signature=own.signature))


def test_control_without_the_signatures_the_forged_roster_would_follow() -> None:
    it = ward(*FIVE)
    assert successor(it.now, it.removal("mid", "north")).names == FIVE[:4]


def test_votes_for_another_change_make_none_hold() -> None:
    it = ward(*FIVE)
    wanted, other = it.removal("mid", "north"), it.removal("east", "north")
    decided = replace(it.decided(wanted, FIVE[:3]), approvals=it.decided(other, FIVE[:3]).approvals)
    with pytest.raises(VerificationFailed, match="did not approve this change"):
        it.history.extended(decided)


def test_one_vote_given_many_times_is_one() -> None:
    it = ward(*FIVE)
    change = it.removal("mid", "north")
    one = it.decided(change, ["north"])
    with pytest.raises(VerificationFailed, match="repeated"):
        it.history.extended(replace(one, approvals=one.approvals * 3))


def test_a_replayed_epoch_is_refused() -> None:
    it = ward(*FIVE)
    fresh = Ed25519PrivateKey.generate()
    change = it.change("rotate", listed("north", fresh), "north", new_key=fresh)
    replayed = it.decided(change, FIVE)
    it.history = it.history.extended(replayed)
    with pytest.raises(Refused, match="holds already"):
        it.history.extended(replayed)


def test_control_an_epoch_not_bound_to_its_roster_is_replayed() -> None:
    """Votes name the roster: without that, an old removal would hold again, years after."""
    it = ward(*FIVE)
    old = it.removal("mid", "north")
    it.holds(old, FIVE[:3])
    it.keys["mid"] = Ed25519PrivateKey.generate()
    it.holds(it.join("mid", it.keys["mid"], "west", it.token("south")), FIVE[:3])
    unbound = replace(old, roster=it.now.digest(), member=it.now.members[-1])
    assert "mid" not in successor(it.now, unbound).names
    with pytest.raises(Refused, match="holds already"):
        it.history.extended(it.decided(old, FIVE[:3]))


def test_a_split_view_names_who_made_it() -> None:
    it = ward(*FIVE)
    one = it.decided(it.removal("mid", "north"), ["north", "south", "west"])
    other = it.decided(it.removal("north", "east"), ["west", "east", "mid"])
    here, there = it.history.extended(one), it.history.extended(other)
    assert here.now != there.now
    for history, told in ((here, other), (there, one)):
        with pytest.raises(Abort, match="west approved both") as caught:
            history.extended(told)
        assert caught.value.culprits == {it.now.party("west")}


def test_control_a_rule_of_less_than_half_splits_and_nobody_can_be_named() -> None:
    it = ward(*FIVE)
    one = it.decided(it.removal("mid", "north"), ["north", "south"])
    other = it.decided(it.removal("north", "east"), ["west", "east"])
    assert convicted(it.now, (*one.approvals, *other.approvals)) == ()
    assert successor(it.now, one.change) != successor(it.now, other.change)


def test_two_changes_at_once_block_each_other_and_then_all_are_free() -> None:
    it = ward("north", "south", "west", "east")
    one, other = it.removal("east", "north"), it.removal("north", "east")
    declines = (it.vote("north", other, "decline"), it.vote("south", other, "decline"))
    against = (it.vote("west", one, "decline"), it.vote("east", one, "decline"))
    assert is_blocked(it.now, one.digest(), against)
    assert is_blocked(it.now, other.digest(), declines)
    third = it.removal("west", "south")
    early = [it.vote("north", one), it.vote("south", one), it.vote("east", other)]
    late = (
        it.vote("north", third, freed_by=against),
        it.vote("south", third, freed_by=against),
        it.vote("east", third, freed_by=declines),
    )
    signature = sign_change(it.keys["south"], third)
    assert it.history.extended(Decided(third, signature, late)).now.names == (
        "north",
        "south",
        "east",
    )
    assert convicted(it.now, [*early, *late]) == ()


def test_control_approving_both_without_being_free_is_proof() -> None:
    it = ward("north", "south", "west", "east")
    one, third = it.removal("east", "north"), it.removal("west", "south")
    assert convicted(it.now, [it.vote("north", one), it.vote("north", third)]) == ("north",)
    both = [it.vote("south", one), it.vote("south", one, "decline")]
    assert convicted(it.now, both) == ("south",)


def test_declines_that_block_nothing_set_nobody_free() -> None:
    it = ward(*FIVE)
    one, other = it.removal("mid", "north"), it.removal("east", "north")
    few = (it.vote("west", one, "decline"), it.vote("east", one, "decline"))
    with pytest.raises(VerificationFailed, match="blocks nothing"):
        verify_vote(it.now, it.vote("north", other, freed_by=few))
    approvals = tuple(it.vote(name, one) for name in FIVE[:3])
    with pytest.raises(VerificationFailed, match="sets nobody free"):
        verify_vote(it.now, it.vote("north", other, freed_by=approvals))


@given(st.data())
def test_nobody_honest_is_ever_convicted_and_two_rosters_always_convict(
    data: st.DataObject,
) -> None:
    """Honest members approve at most one of two changes; liars approve both."""
    it = _SEVEN
    one, other = it.removal("a", "b"), it.removal("c", "d")
    liars = data.draw(st.sets(st.sampled_from(it.now.names)))
    votes: dict[Change, list[SignedVote]] = {one: [], other: []}
    for name in it.now.names:
        chosen = [one, other] if name in liars else [data.draw(st.sampled_from([one, other]))]
        for change in chosen:
            votes[change].append(it.vote(name, change))
    guilty = convicted(it.now, votes[one] + votes[other])
    assert set(guilty) == liars
    if all(len(cast) >= majority(7) for cast in votes.values()):
        assert guilty
        assert split(it.now, votes[one] + votes[other]).culprits


_SEVEN = ward(*"abcdefg")


# Invitations


def test_an_invitation_opens_once() -> None:
    it = ward(*FIVE)
    token, first, second = it.token("south"), *(Ed25519PrivateKey.generate() for _ in range(2))
    it.holds(it.join("coast", first, "south", token), FIVE)
    change = it.join("hill", second, "south", token)
    with pytest.raises(Refused, match="used already"):
        it.history.extended(it.decided(change, FIVE))


def test_control_two_newcomers_with_two_invitations_are_two_members() -> None:
    it = ward(*FIVE)
    for name in ("coast", "hill"):
        it.holds(it.join(name, Ed25519PrivateKey.generate(), "south", it.token("south")), FIVE)
    assert it.now.names[-2:] == ("coast", "hill")


def test_an_invitation_that_is_over_opens_nothing() -> None:
    it = ward(*FIVE)
    token = it.token("south", lasts=timedelta(seconds=1))
    over = replace(
        it.join("coast", Ed25519PrivateKey.generate(), "south", token),
        created="2027-03-01T09:00:01Z",
    )
    with pytest.raises(Refused, match="is over since"):
        it.history.extended(it.decided(over, FIVE))


def test_nobody_is_listed_with_a_key_that_did_not_apply() -> None:
    it = ward(*FIVE)
    token, key = it.token("south"), Ed25519PrivateKey.generate()
    stolen = listed("coast", Ed25519PrivateKey.generate())
    honest = it.join("coast", key, "south", token)
    assert honest.application is not wire.ABSENT
    forged = replace(honest, member=stolen)
    with pytest.raises(Refused, match="another member"):
        it.history.extended(it.decided(replace(forged, application=honest.application), FIVE))
    both = replace(forged, application=replace(honest.application, member=stolen))
    with pytest.raises(VerificationFailed, match="not by who was invited"):
        it.history.extended(it.decided(both, FIVE))


def test_a_key_that_was_given_up_does_not_come_back() -> None:
    it = ward(*FIVE)
    old = it.keys["mid"]
    it.holds(it.removal("mid", "north"), FIVE[:4])
    with pytest.raises(Refused, match="in this group before"):
        it.history.extended(it.decided(it.join("again", old, "south", it.token("south")), FIVE[:4]))


def test_a_rotation_needs_the_new_keys_consent() -> None:
    it = ward(*FIVE)
    fresh, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    change = it.change("rotate", listed("north", fresh), "north", new_key=other)
    with pytest.raises(VerificationFailed, match="does not consent"):
        it.history.extended(it.decided(change, FIVE))


@given(st.integers(0, 60), st.sampled_from("abcdefghijklmnopqrstuvwxyz"))
def test_a_token_that_was_copied_wrong_is_noticed(at: int, letter: str) -> None:
    text = _TOKEN
    at += len("quorate-invitation-")
    if text[at] != letter:
        with pytest.raises(MalformedMessage, match="not a whole one"):
            token_from_text(text[:at] + letter + text[at + 1 :])


def test_a_token_reads_back_and_its_secret_is_not_shown() -> None:
    token = _SEVEN.token("a")
    assert token_from_text(f"  {token_to_text(token)}\n") == token
    assert token.seed.hex() not in repr(token)
    assert repr(token.seed) not in repr(token)


_TOKEN = token_to_text(_SEVEN.token("a"))
