"""A member that was away gets texts and evidence from the others, and believes none of them."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from quorate import wire
from quorate.algebra import edwards25519 as ed
from quorate.anonymous import cell
from quorate.anonymous.decision import Delivered
from quorate.errors import Error, Party, Refused
from quorate.node.anonymous import missed
from quorate.node.anonymous.certificates import filing_of, verify_filing
from quorate.node.anonymous.messages import Brought, Listing, Since, Told, Which
from quorate.node.anonymous.missed import Missed
from quorate.node.anonymous.others import check_others_run
from quorate.transport.channel import LinkChannel
from quorate.transport.session import Buffer
from tests.node.anonymous.circle import (
    BORING,
    CHEAT,
    FIVE,
    SIX,
    Circle,
    agreed,
    back,
    bodies,
    hold,
    in_a_circle,
)
from tests.node.three import Hospital, until

FORGED = b"I did it"
Lie = Callable[[Brought], Brought]


def told_all(node: Hospital) -> list[str]:
    return [line for line in node.details().splitlines() if "heard of later" in line]


def test_who_was_away_gets_the_texts_and_can_prove_them() -> None:
    async def body(circle: Circle) -> None:
        thread = circle["cleo"].reports.writer.write(BORING, ())[0].thread
        held = await hold(circle)
        assert [m.name for m in held.run.members] == list(FIVE)
        async with back(circle) as fay:
            await until(lambda: bodies(fay) == [BORING], 20)
            filed = verify_filing(filing_of(fay.reports, thread), fay.desk.group)
            assert filed.members == (FIVE,)
            assert told_all(fay) == ["of 5 members, 1 texts, heard of later"]
            assert fay.reports.records.standing() == circle["ada"].reports.records.standing()
            await fay.reports.missed.catch_up(1)  # asked again, it takes nothing twice
            assert len(told_all(fay)) == 1
            await agreed(circle)
            again = await hold(circle, "fay")
            assert again.failure == ""
            assert len(again.run.members) == 6

    in_a_circle(body, SIX, late=1)


@pytest.mark.slow
@pytest.mark.usefixtures("fay_cheats")
def test_who_was_away_gets_the_evidence_and_judges_it() -> None:
    async def body(circle: Circle) -> None:
        held = await hold(circle)
        assert len(held.run.members) == 6
        async with back(circle) as gus:
            await until(lambda: gus.reports.records.culprits(0) == {CHEAT}, 20)
            spoilt = gus.reports.records.run(held.run.digest())
            assert (spoilt.run, spoilt.decision, spoilt.past) == (held.run, "absent", None)
            assert any("fay spoilt run" in line for line in gus.details().splitlines())

    in_a_circle(body, (*SIX, "gus"), late=1)


def _forged(brought: Brought) -> Brought:
    """Return a run with a text that nobody in it wrote, under a joint key of the liar's own."""
    run, secret = brought.past.run, ed.random_scalar(lambda n: b"\7" * n)
    sid = run.digest()
    cells = [
        cell.seal(text, ed.base_mul(secret), sid, run.cell_bytes, lambda n: b"\7" * n)
        for text in (FORGED, *[b""] * (run.n - 1))
    ]
    return replace(brought, cells=tuple(cells), joint_secret=secret)


def _without_a_text(brought: Brought) -> Brought:
    return replace(brought, cells=(bytes(len(brought.cells[0])),) * len(brought.cells))


def _of_another_run(brought: Brought) -> Brought:
    run = replace(brought.past.run, number=brought.past.run.number + 1)
    return replace(brought, past=replace(brought.past, run=run))


def _with_a_vote_less(brought: Brought) -> Brought:
    return replace(brought, past=replace(brought.past, votes=brought.past.votes[:-1]))


def _with_another_key(brought: Brought) -> Brought:
    return replace(brought, joint_secret=bytes(31) + b"\xff")


@pytest.fixture
def lied(monkeypatch: pytest.MonkeyPatch, lie: Lie) -> list[Brought]:
    """Have all lie of what runs brought; return the lies as they are told."""
    honest, told = Missed.on_brought, list[Brought]()

    async def on_brought(self: Missed, party: Party, body: bytes) -> bytes:
        told.append(lie(wire.decode(await honest(self, party, body), Brought)))
        return wire.encode(told[-1])

    monkeypatch.setattr(Missed, "on_brought", on_brought)
    return told


async def _texts_of_who_was_lied_to(circle: Circle, lied: list[Brought]) -> tuple[bytes, ...]:
    """Return what a member that was away has been made to believe of what it missed."""
    circle["cleo"].reports.writer.write(BORING, ())
    await hold(circle)
    async with back(circle) as fay:
        await until(lambda: bool(lied), 20)
        for party in range(5):  # when these are over, so is what came before
            await fay.reports.missed.catch_up(party)
        assert len(told_all(fay)) == len(fay.reports.records.texts())
        return fay.reports.records.texts()


@pytest.mark.parametrize(
    "lie", [_forged, _without_a_text, _of_another_run, _with_a_vote_less, _with_another_key]
)
def test_what_not_all_of_a_run_signed_is_not_believed(lied: list[Brought]) -> None:
    async def body(circle: Circle) -> None:
        assert await _texts_of_who_was_lied_to(circle, lied) == ()

    in_a_circle(body, SIX, late=1)


@pytest.mark.parametrize("lie", [_forged])
def test_control_without_looking_at_signatures_a_text_nobody_wrote_is_believed(
    lied: list[Brought], monkeypatch: pytest.MonkeyPatch
) -> None:
    def believe(delivered: Delivered, group: bytes, members: object) -> None:
        del delivered, group, members

    monkeypatch.setattr(missed, "verify_delivered", believe)

    async def body(circle: Circle) -> None:
        assert await _texts_of_who_was_lied_to(circle, lied) == (FORGED,)

    in_a_circle(body, SIX, late=1)


def test_what_can_have_been_no_run_is_not_taken() -> None:
    """Some members may sign what they like together: a run of the future, or of few."""

    async def body(circle: Circle) -> None:
        run, desk = (await hold(circle)).run, circle["eve"].desk
        check_others_run(desk, run)
        for wrong in (
            replace(run, number=run.number + 10_000),
            replace(run, members=run.members[:4]),
            replace(run, members=(*run.members[:4], replace(run.members[4], name="fay"))),
            replace(run, group=bytes(32)),
        ):
            with pytest.raises(Refused):
                check_others_run(desk, wrong)

    in_a_circle(body)


def test_lists_without_end_or_order_are_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    pages: list[int] = []

    async def on_missed(self: Missed, _: Party, body: bytes) -> bytes:
        after = wire.decode(body, Since).number
        pages.append(after)
        return wire.encode(Listing((Told(1 << 40, bytes(32), spoilt=False),)))

    monkeypatch.setattr(Missed, "on_missed", on_missed)

    async def body(circle: Circle) -> None:
        pages.clear()
        await circle["ben"].reports.missed.catch_up(0)
        assert pages == [0]

    in_a_circle(body)


def test_what_members_hand_on_is_the_same_at_all_of_a_run() -> None:
    """Nothing in it depends on whose node it comes from, its author's among them."""

    async def body(circle: Circle) -> None:
        circle["cleo"].reports.writer.write(BORING, ())
        held = await hold(circle)
        which = wire.encode(Which(held.run.digest()))
        given = {await n.reports.missed.on_brought(1, which) for n in circle.values()}
        assert len(given) == 1
        for node in circle.values():
            with pytest.raises(Error):
                await node.reports.missed.on_brought(1, wire.encode(Which(bytes(32))))

    in_a_circle(body)


@pytest.mark.slow
def test_who_was_kept_from_a_key_hears_the_texts_from_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A member that gives its key to some only keeps the text from the rest for no longer."""
    send = LinkChannel.send

    async def keep_it(self: LinkChannel, to: Party, label: str, total: int, piece: Buffer) -> None:
        if not (4 not in self.links and to == 1 and label == "/6"):
            await send(self, to, label, total, piece)

    monkeypatch.setattr(LinkChannel, "send", keep_it)

    async def body(circle: Circle) -> None:
        circle["cleo"].reports.writer.write(BORING, ())
        held = await hold(circle)
        ben = circle["ben"]
        assert ben.reports.records.run(held.run.digest()).decision == "key"
        assert bodies(ben) == []
        await ben.reports._hear_the_end()
        assert bodies(ben) == [BORING]
        assert ben.reports.records.run(held.run.digest()).failure == ""

    in_a_circle(body)
