"""Reports that some members open together, among nodes; who they are is not to be found out."""

import secrets

import pytest

from quorate import wire
from quorate.anonymous.cards import Card, SignedCard, sign_card, verify_card
from quorate.anonymous.messages import Identity, Run
from quorate.anonymous.recipients import Found, Recipient, RecipientKey, Sealed, find
from quorate.errors import MalformedMessage, NotFound, Refused, VerificationFailed
from quorate.node.anonymous import opening, writer
from quorate.node.anonymous.book import Waiting
from quorate.node.anonymous.messages import Given, Wanted
from quorate.node.anonymous.records import Held
from quorate.node.anonymous.reports import Reports
from quorate.node.anonymous.runs import Runs
from tests.node.anonymous.circle import BORING, SIX, Circle, agreed, hold, in_a_circle, settled
from tests.node.anonymous.test_no_trace import traces

SECRET = "dan doubled the dose"  # noqa: S105 - what a report says


async def brought(circle: Circle, by: str, to: tuple[str, ...], least: int) -> bytes:
    """Have a sealed report written and brought to all nodes; return its thread."""
    await settled(circle)
    reports = circle[by].reports
    sealing = reports.cards.sealing(to, least)
    (waiting,) = reports.writer.write(SECRET, (), sealing=sealing)
    for _ in waiting.cells:
        await hold(circle)
    return waiting.thread


def text_of(reports: Reports) -> str | None:
    (post,) = reports.shelf().posts
    seen = reports.openings.seen(post)
    return None if seen is None else seen.text


def test_two_of_three_recipients_open_it_and_the_accused_sees_noise() -> None:
    async def body(circle: Circle) -> None:
        thread = await brought(circle, "cleo", ("ada", "ben", "eve"), 2)
        ada, ben, dan = (circle[name].reports for name in ("ada", "ben", "dan"))
        await ada.openings.approve(thread)
        assert text_of(ada) is None
        (post,) = ada.shelf().posts
        seen = ada.openings.seen(post)
        assert seen is not None
        assert (seen.recipients, seen.min_recipients) == (("ada", "ben", "eve"), 2)
        assert seen.approved == ("ada",)
        await ben.openings.approve(thread)
        assert text_of(ben) == SECRET
        await ada.openings.look_again(thread)
        assert text_of(ada) == SECRET
        assert text_of(circle["eve"].reports) is None  # it has not approved
        with pytest.raises(NotFound, match="sealed to this member"):
            await dan.openings.approve(thread)
        assert dan.openings.seen(post) is None
        assert SECRET.encode() not in post.body

    in_a_circle(body)


@pytest.mark.slow
def test_a_sealed_thread_is_answered_and_claimed_as_any_other() -> None:
    async def body(circle: Circle) -> None:
        thread = await brought(circle, "cleo", ("ada", "ben"), 1)
        dan, cleo = circle["dan"].reports, circle["cleo"].reports
        dan.writer.write(BORING, (), to=thread)
        await hold(circle)
        assert [p.body for p in cleo.shelf().posts if p.to == thread] == [BORING.encode()]
        assert await cleo.claim(thread) == ()

    in_a_circle(body)


async def asked(circle: Circle, by: str, of: str, thread: bytes) -> Given:
    peers, party = circle[by].desk.peers, circle[by].desk.group.party(of)
    return await peers.ask(party, "report share", Wanted(thread, 0), Given, timeout_s=3)


@pytest.mark.slow
def test_who_asks_learns_nothing_of_who_is_a_recipient() -> None:
    async def body(circle: Circle) -> None:
        thread = await brought(circle, "cleo", ("ada", "ben"), 2)
        await circle["ada"].reports.openings.approve(thread)
        recipient = await asked(circle, "dan", "ada", thread)
        other = await asked(circle, "dan", "eve", thread)
        assert wire.encode(recipient) == wire.encode(other) == wire.encode(Given(None))
        assert await asked(circle, "ada", "ben", thread) == Given(None)  # it has not approved
        assert (await asked(circle, "ben", "ada", thread)).share is not None

    in_a_circle(body)


@pytest.mark.slow
def test_control_a_recipient_that_answers_anybody_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def anybody(name: str, found: Found) -> bool:
        return bool(name and found)

    monkeypatch.setattr(opening, "is_recipient", anybody)

    async def body(circle: Circle) -> None:
        thread = await brought(circle, "cleo", ("ada", "ben"), 2)
        await circle["ada"].reports.openings.approve(thread)
        recipient = await asked(circle, "dan", "ada", thread)
        other = await asked(circle, "dan", "eve", thread)
        assert recipient.share is not None
        assert other.share is None

    in_a_circle(body)


@pytest.mark.slow
def test_recipients_and_others_leave_the_same_on_the_disk() -> None:
    async def body(circle: Circle) -> None:
        thread = await brought(circle, "cleo", ("ada", "ben"), 2)
        for name in ("ada", "ben"):
            await circle[name].reports.openings.approve(thread)
        assert text_of(circle["ben"].reports) == SECRET
        assert traces(circle["ben"]) == traces(circle["eve"]) == traces(circle["cleo"])

    in_a_circle(body)


def another_card(circle: Circle, name: str) -> tuple[RecipientKey, SignedCard]:
    """Return a newer key of a member than the others know."""
    home, key = circle[name].home, RecipientKey(secrets.token_bytes(32))
    old = next(c for c in circle[name].reports.cards.all() if c.name == name)
    recipient = Recipient(name, key.public_key())
    card = Card(old.card.group, old.card.number + 1, recipient)
    return key, sign_card(home.identity, card)


async def _marked(circle: Circle) -> tuple[RecipientKey, Waiting]:
    """Have fay give cleo alone another key, and cleo write to it."""
    await settled(circle)
    key, card = another_card(circle, "fay")
    cleo = circle["cleo"].reports
    cleo.cards.take(card)
    (waiting,) = cleo.writer.write(SECRET, (), sealing=cleo.cards.sealing(("fay",), 1))
    return key, waiting


def _texts(held: Held) -> int:
    assert held.shape is not None, held.failure
    return held.shape.texts


def test_a_key_given_to_one_member_alone_marks_nobody() -> None:
    async def body(circle: Circle) -> None:
        await _marked(circle)
        first = await hold(circle)  # whoever convenes hears of the key when it asks again
        assert {n.reports.cards.digest() for n in circle.values()} == {first.run.cards}
        assert len(first.run.members) == 6
        assert _texts(first) == 0  # only cleo can have sealed to it before
        assert _texts(await hold(circle)) == 1

    in_a_circle(body, SIX)


def test_control_what_leaves_in_the_run_that_spreads_a_key_is_of_who_had_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def at_once(self: Runs, run: Run) -> bytes:
        names = tuple(member.name for member in run.members)
        return self.writer.next_text(self.crowd(names), run.cards)

    monkeypatch.setattr(Runs, "_next_text", at_once)

    async def body(circle: Circle) -> None:
        await _marked(circle)
        assert _texts(await hold(circle)) == 1

    in_a_circle(body, SIX)


def test_control_without_agreement_on_keys_the_one_that_opens_tells_who_wrote(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unchecked(self: Runs, run: object, shown: object) -> None:
        del self, run, shown

    monkeypatch.setattr(Runs, "_check_cards", unchecked)
    monkeypatch.setattr(writer, "is_agreed", lambda *_: True)

    async def body(circle: Circle) -> None:
        key, waiting = await _marked(circle)
        for _ in waiting.cells:
            await hold(circle)
        (post,) = circle["fay"].reports.shelf().posts
        sealed = wire.decode(post.body, Sealed)
        assert find(sealed, post.thread, key).note.min_recipients == 1
        with pytest.raises(NotFound):  # under the key that the others know it does not open
            find(sealed, post.thread, circle["fay"].reports.cards.key())

    in_a_circle(body, SIX)


def test_a_report_sealed_to_a_key_of_the_past_does_not_leave() -> None:
    async def body(circle: Circle) -> None:
        await agreed(circle)
        cleo = circle["cleo"].reports
        cleo.writer.write(SECRET, (), sealing=cleo.cards.sealing(("fay",), 1))
        _, card = another_card(circle, "fay")
        for node in circle.values():
            node.reports.cards.take(card)
        held = await hold(circle)
        assert held.shape is not None
        assert held.shape.texts == 0

    in_a_circle(body, SIX)


def _has_a_new_key(circle: Circle, name: str) -> None:
    """Have a member make another key, and all know it; its own node keeps the new one."""
    key, card = another_card(circle, name)
    circle[name].quorum.custody.keep("recipient", key.seed)
    for node in circle.values():
        node.reports.cards.take(card)


def test_what_waits_for_a_key_that_is_gone_is_sealed_anew_and_read() -> None:
    async def body(circle: Circle) -> None:
        await settled(circle)
        cleo, eve = circle["cleo"].reports, circle["eve"].reports
        with pytest.raises(NotFound, match="nothing waits"):
            cleo.reseal()
        sealing = cleo.cards.sealing(("ben", "eve"), 1)
        (before,) = cleo.writer.write(SECRET, (), sealing=sealing)
        _has_a_new_key(circle, "eve")
        held = await hold(circle)
        assert held.shape is not None
        assert held.shape.texts == 0  # it would wait for ever
        (after,) = cleo.reseal()
        assert (after.thread, after.number) == (before.thread, before.number)
        assert cleo.writer.book().waiting == (after,)
        for _ in after.cells:  # in the run before, all heard of the key
            await hold(circle)
        assert cleo.writer.book().kept == ()
        await eve.openings.approve(after.thread)
        assert text_of(eve) == SECRET

    in_a_circle(body)


@pytest.mark.slow
def test_what_is_sealed_anew_when_a_part_has_left_has_a_new_number() -> None:
    async def body(circle: Circle) -> None:
        await settled(circle)
        cleo, ben = circle["cleo"].reports, circle["ben"].reports
        (before,) = cleo.writer.write(SECRET, (), sealing=cleo.cards.sealing(("ben",), 1))
        await hold(circle)
        _has_a_new_key(circle, "ben")
        await hold(circle)
        (after,) = cleo.reseal()
        assert (after.thread, after.number) == (before.thread, 1)
        for _ in after.cells:
            await hold(circle)
        await ben.openings.approve(after.thread)
        assert text_of(ben) == SECRET
        (left,) = circle["dan"].reports.shelf().unfinished
        assert (left.number, left.arrived, left.count) == (0, 1, len(before.cells))

    in_a_circle(body)


def test_cards_that_are_not_the_members_are_refused() -> None:
    async def body(circle: Circle) -> None:
        await agreed(circle)
        ada = circle["ada"].reports.cards
        key, card = another_card(circle, "ben")
        identities = [Identity(m.name, m.public_key) for m in ada.desk.group.members]
        verify_card(card, card.card.group, identities)
        del key
        forged = sign_card(circle["dan"].home.identity, card.card)
        far = Card(card.card.group, 1 << 60, card.card.recipient)
        short = Card(card.card.group, card.card.number, Recipient("ben", bytes(5)))
        of_ben = circle["ben"].home.identity
        for bad, error in (
            (forged, VerificationFailed),
            (
                sign_card(of_ben, Card(bytes(32), card.card.number, far.recipient)),
                VerificationFailed,
            ),
            (sign_card(of_ben, far), Refused),
            (sign_card(of_ben, short), MalformedMessage),
        ):
            with pytest.raises(error):
                ada.take(bad)
        ada.take(card)
        before = ada.digest()
        for old in circle["eve"].reports.cards.all():
            ada.take(old)
        assert ada.digest() == before

    in_a_circle(body)


def test_of_two_cards_of_one_number_all_keep_the_same() -> None:
    async def body(circle: Circle) -> None:
        await agreed(circle)
        (_, one), (_, two) = another_card(circle, "ben"), another_card(circle, "ben")
        ada, eve = circle["ada"].reports.cards, circle["eve"].reports.cards
        for cards, order in ((ada, (one, two)), (eve, (two, one))):
            for card in order:
                cards.take(card)
        assert ada.digest() == eve.digest()

    in_a_circle(body)


def test_nobody_seals_to_who_has_no_key_or_by_a_rule_nobody_keeps() -> None:
    async def body(circle: Circle) -> None:
        await agreed(circle)
        ada = circle["ada"].reports
        with pytest.raises(NotFound):
            ada.cards.sealing(("nobody",), 1)
        with pytest.raises(Refused):
            ada.writer.write(SECRET, (), sealing=ada.cards.sealing(("ben",), 2))
        assert ada.writer.book().waiting == ()

    in_a_circle(body)
