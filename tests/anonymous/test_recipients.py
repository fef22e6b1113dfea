"""Some members open a body together; who they are, only they can tell."""

import secrets
from dataclasses import replace
from itertools import combinations

import pytest

from quorate import wire
from quorate.anonymous.recipients import Recipient, RecipientKey, Sealed, Share, find, seal, unseal
from quorate.errors import MalformedMessage, NotFound, Refused, VerificationFailed

THREAD = secrets.token_bytes(32)
BODY = b"the dose was doubled, and the chart changed afterwards"
KEYS = {name: RecipientKey(secrets.token_bytes(32)) for name in ("ada", "ben", "cyd", "dan", "eve")}
ALL = tuple(Recipient(name, key.public_key()) for name, key in KEYS.items())


def sealed_to(names: str, min_recipients: int) -> Sealed:
    chosen = [recipient for recipient in ALL if recipient.name in names.split()]
    return seal(BODY, THREAD, chosen, min_recipients, secrets.token_bytes)


def test_any_two_of_three_open_it() -> None:
    sealed = sealed_to("ada cyd eve", 2)
    found = [find(sealed, THREAD, KEYS[name]) for name in ("ada", "cyd", "eve")]
    for some in combinations(found, 2):
        assert unseal(sealed, THREAD, some[0].note, [f.share for f in some]) == BODY
    assert unseal(sealed, THREAD, found[0].note, [f.share for f in found]) == BODY
    assert {h.name for h in found[0].note.holders} == {"ada", "cyd", "eve"}


def test_one_alone_and_the_accused_open_nothing() -> None:
    sealed = sealed_to("ada cyd eve", 2)
    found = find(sealed, THREAD, KEYS["ada"])
    with pytest.raises(Refused, match="takes 2"):
        unseal(sealed, THREAD, found.note, [found.share, found.share])
    for name in ("ben", "dan"):
        with pytest.raises(NotFound):
            find(sealed, THREAD, KEYS[name])
    assert BODY not in wire.encode(sealed)


def test_who_is_left_out_changes_nothing_that_others_see() -> None:
    """Sizes and numbers are the same for two and for four recipients, and whoever they are."""
    shapes = {
        tuple(map(len, (*sealed.slots, sealed.note, sealed.box)))
        for sealed in (
            sealed_to("ada ben cyd eve", 2),
            sealed_to("ben dan", 2),
            sealed_to("eve", 1),
        )
    }
    assert len(shapes) == 1
    assert len(sealed_to("ada ben cyd dan eve", 3).slots) == 8


def test_slots_stand_in_an_order_that_is_drawn() -> None:
    places = {find(sealed_to("ada ben cyd", 2), THREAD, KEYS["ada"]).share.slot for _ in range(60)}
    assert places == {0, 1, 2, 3}  # one is missing by chance once in 10^7


def test_a_wrong_share_is_named() -> None:
    sealed = sealed_to("ada cyd eve", 2)
    ada, cyd = (find(sealed, THREAD, KEYS[name]) for name in ("ada", "cyd"))
    wrong = replace(cyd.share, secret=secrets.token_bytes(31) + b"\0")
    with pytest.raises(VerificationFailed, match="the share of cyd"):
        unseal(sealed, THREAD, ada.note, [ada.share, wrong])
    with pytest.raises(VerificationFailed, match="no recipient"):
        unseal(sealed, THREAD, ada.note, [ada.share, Share(99, bytes(32))])


def test_a_sealed_body_belongs_to_its_thread() -> None:
    sealed = sealed_to("ada cyd", 1)
    with pytest.raises(NotFound):
        find(sealed, bytes(32), KEYS["ada"])
    found = find(sealed, THREAD, KEYS["ada"])
    with pytest.raises(VerificationFailed):
        unseal(sealed, bytes(32), found.note, [found.share])


@pytest.mark.parametrize(("names", "least"), [("ada ben", 3), ("ada", 0), ("", 1)])
def test_rules_nobody_can_keep_are_refused(names: str, least: int) -> None:
    with pytest.raises(Refused):
        sealed_to(names, least)


def test_a_recipient_twice_or_without_a_key_is_refused() -> None:
    with pytest.raises(Refused):
        seal(BODY, THREAD, [ALL[0], ALL[0]], 2, secrets.token_bytes)
    for key in (b"", bytes(1215), b"\xff" * 1216):
        with pytest.raises(MalformedMessage):
            seal(BODY, THREAD, [Recipient("ada", key)], 1, secrets.token_bytes)


def test_noise_instead_of_slots_is_sealed_to_nobody() -> None:
    sealed = sealed_to("ada cyd", 1)
    noise = replace(sealed, slots=tuple(secrets.token_bytes(len(s)) for s in sealed.slots))
    for spoilt in (noise, replace(sealed, slots=(b"", b"x")), replace(sealed, note=b"")):
        with pytest.raises(NotFound):
            find(spoilt, THREAD, KEYS["ada"])


def test_keys_and_shares_are_not_shown() -> None:
    found = find(sealed_to("ada", 1), THREAD, KEYS["ada"])
    assert repr(found.share.secret) not in repr(found)
    assert repr(KEYS["ada"].seed) not in repr(KEYS["ada"])


@pytest.mark.parametrize("least", [-1, 0, 1])
def test_a_note_that_cannot_be_kept_opens_nothing(least: int) -> None:
    sealed = sealed_to("ada ben", 2)
    found = find(sealed, THREAD, KEYS["ada"])
    with pytest.raises(VerificationFailed, match="author"):
        unseal(sealed, THREAD, replace(found.note, min_recipients=least), [found.share])
