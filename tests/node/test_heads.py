"""Members hold the ends of each other's audit logs: who rewrites its own is found out."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate import wire
from quorate.errors import Refused, VerificationFailed
from quorate.node.audit import START, AuditEntry
from quorate.node.messages import Head, SignedHead
from tests.node.three import Hospital, approved_by_all, connected, make_homes, until


def signed(key: Ed25519PrivateKey, head: Head) -> bytes:
    return wire.encode(SignedHead(head, key.sign(wire.signing_input("head", head))))


def held(holder: Hospital, of: Hospital) -> Head | None:
    encoded = holder.desk.store.head(of.home.name)
    return None if encoded is None else wire.decode(encoded, SignedHead).head


async def all_hold_all(hospitals: list[Hospital]) -> None:
    await until(lambda: all(held(a, b) for a in hospitals for b in hospitals if a is not b))


def with_a_past(body: Callable[[list[Hospital]], Awaitable[None]]) -> None:
    """Let three members run a study, and meet again so that all hold all heads."""

    async def main() -> None:
        homes = make_homes()
        async with connected(*homes) as hospitals:
            entry = await approved_by_all(hospitals)
            await hospitals[0].run(entry.plan.digest())
        async with connected(*homes) as hospitals:
            await all_hold_all(hospitals)
            await body(hospitals)

    asyncio.run(main())


def rewrite(hospital: Hospital, *, changed: int) -> None:
    """Forge the log of one member: entry `changed` never happened, and the chain is whole."""
    chain = hospital.desk.audit.verified()
    store, previous = hospital.desk.store, START
    with store.transaction() as db:
        db.exec_driver_sql("DELETE FROM audit")
        for item in chain:
            event = "nothing" if item.entry.number == changed else item.entry.event
            entry = replace(item.entry, event=event, previous=previous)
            previous = wire.digest("audit", entry)
            store.append_audit(entry.number, wire.encode(entry), previous)
    assert hospital.desk.audit.verified()[changed - 1].entry.event == "nothing"


def test_an_honest_log_has_witnesses() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        north = hospitals[0]
        witnesses = await north.heads.witnesses(north.desk.audit.verified())
        assert [w.member for w in witnesses] == ["south", "west"]
        assert all(w.agrees and w.number > 0 for w in witnesses)

    with_a_past(body)


def test_a_log_that_was_rewritten_has_witnesses_against_it() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        north = hospitals[0]
        rewrite(north, changed=1)
        witnesses = await north.heads.witnesses(north.desk.audit.verified())
        assert not any(w.agrees for w in witnesses)
        assert all(w.number > 0 for w in witnesses)

    with_a_past(body)


def test_control_without_witnesses_the_rewritten_chain_looks_whole() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        rewrite(hospitals[0], changed=1)
        hospitals[0].desk.audit.verified()

    with_a_past(body)


def test_who_tells_another_head_for_the_same_entry_is_proven_to_have_rewritten() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        north, south, _ = hospitals
        before = held(south, north)
        assert before is not None
        other = signed(north.home.identity, replace(before, digest=bytes(32)))
        with pytest.raises(Refused, match="north rewrote its audit log"):
            await south.heads.on_head(0, other)
        assert held(south, north) == before
        assert "log contradiction" in south.events()

    with_a_past(body)


def test_who_tells_an_earlier_head_has_lost_entries() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        north, south, _ = hospitals
        before = held(south, north)
        assert before is not None
        with pytest.raises(Refused, match="north lost entries"):
            await south.heads.on_head(0, signed(north.home.identity, replace(before, number=1)))
        assert held(south, north) == before

    with_a_past(body)


def test_nobody_tells_a_head_in_anothers_name() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        north, south, west = hospitals
        head = Head("north", 999, bytes(32))
        for forged in (
            signed(west.home.identity, head),
            signed(west.home.identity, replace(head, member="west")),
            signed(north.home.identity, replace(head, member="west")),
            signed(north.home.identity, replace(head, number=0)),
        ):
            with pytest.raises(VerificationFailed):
                await south.heads.on_head(0, forged)
        assert held(south, north) != head

    with_a_past(body)


def test_what_is_held_is_noted_in_the_holders_own_log() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        south = hospitals[1]
        entries: list[AuditEntry] = [item.entry for item in south.desk.audit.verified()]
        assert any(e.event == "head held" and e.details.startswith("north: ") for e in entries)

    with_a_past(body)
