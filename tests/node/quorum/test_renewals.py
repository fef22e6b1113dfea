"""Keys that go on in other hands among real nodes: same public key, and nothing lost on the way."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from quorate.errors import Abort, NotFound, Refused, Unavailable, VerificationFailed
from quorate.node.quorum.custody import share_name
from quorate.node.quorum.renewals import OtherHands
from quorate.quorum.key import Key, verify_key
from quorate.quorum.lifecycle import KeyState, RequestState
from quorate.quorum.order import verify_order
from quorate.threshold import frost
from quorate.threshold.keys import KeyShare, Purpose
from quorate.threshold.reshare import Certificate
from quorate.wire import ABSENT
from tests.node.quorum.clinic import (
    PASSPHRASE,
    Clinic,
    approve,
    give_key,
    propose,
    signed_everywhere,
)
from tests.node.quorum.records import (
    FILE_KEY,
    ask,
    file_key,
    plain_file,
    sealed,
    unlocked_everywhere,
)
from tests.node.three import connected, make_homes, until
from tests.quorum.dealt import ROLES
from tests.threshold.hands import sign

FIVE = (*ROLES, "laboratory", "reception")


def in_five(
    body: Callable[[Clinic, Key], Awaitable[None]],
    purpose: Purpose = "sign",
    names: tuple[str, ...] = FIVE,
) -> None:
    """Run `body` among connected nodes, three of which hold a key that two of them use."""

    async def main() -> None:
        async with connected(*make_homes(names)) as hospitals:
            nodes = {node.home.name: node for node in hospitals}
            for node in hospitals:
                await node.quorum.unlock(PASSPHRASE)
            await body(nodes, await give_key(nodes, ROLES, 2, purpose))

    asyncio.run(main())


async def handed_over(
    nodes: Clinic, key: Key, to: OtherHands, by: str = "doctor", among: Clinic | None = None
) -> Key:
    """Have every party agree to a key in other hands, and wait until all have it."""
    quorum = nodes[by].quorum
    entry, _ = await quorum.renewals.reshare(
        quorum.records.key(key.plan.digest()), to, "others joined"
    )
    digest = entry.plan.digest()
    for party in entry.plan.parties:
        if party.name != by:
            await nodes[party.name].quorum.keys.answer(digest, "approve", "agreed")
    return await renewed_at(among or nodes, digest)


async def renewed_at(nodes: Clinic, digest: bytes) -> Key:
    def made() -> bool:
        entries = [node.quorum.records.key(digest) for node in nodes.values()]
        return all(entry.state is KeyState.READY for entry in entries)

    await until(made, 20)
    key = next(iter(nodes.values())).quorum.records.key(digest).key
    assert key is not None
    return key


def test_five_members_take_over_a_key_of_three_and_it_is_the_same_key() -> None:
    async def body(nodes: Clinic, key: Key) -> None:
        before = await propose(nodes["doctor"], key)
        await approve(nodes["nurse"], before.request.digest())
        await signed_everywhere(nodes, before.request.digest())
        new = await handed_over(nodes, key, OtherHands(FIVE, "majority"))
        assert new.public.group == key.public.group
        assert (new.plan.min_signers, new.plan.follows) == (3, "majority")
        for node in nodes.values():
            node.quorum.custody.share(new.key_id()).verify()
            with pytest.raises(NotFound):
                node.quorum.custody.share(key.key_id())
            in_use = node.quorum.records.find_key("medication").key
            assert in_use is not None
            assert in_use.public == new.public
            assert node.quorum.records.key(key.plan.digest()).state is KeyState.RENEWED
        order = await propose(nodes["laboratory"], new)
        for name in ("nurse", "reception"):
            await approve(nodes[name], order.request.digest())
        await signed_everywhere(nodes, order.request.digest())
        orders = nodes["doctor"].quorum.orders
        records = nodes["doctor"].quorum.records
        for entry in (before, order):
            signed = orders.order(records.request(entry.request.digest()))
            verify_order(signed)
            assert signed.key.public.group == key.public.group

    in_five(body)


def test_a_record_sealed_before_opens_in_the_new_hands() -> None:
    async def body(nodes: Clinic, key: Key) -> None:
        old = sealed(key)
        new = await handed_over(nodes, key, OtherHands(FIVE, "3 of 5"))
        assert new.public.group == key.public.group
        entry = await ask(nodes["reception"], new, old)
        for name in ("laboratory", "nurse"):
            await approve(nodes[name], entry.request.digest())
        await unlocked_everywhere(nodes, entry.request.digest())
        assert file_key(nodes["reception"], entry.request.digest()) == FILE_KEY

    in_five(body, "unlock")


def test_a_plain_key_changes_hands_too_and_who_leaves_has_nothing() -> None:
    async def body(nodes: Clinic, key: Key) -> None:
        file = plain_file(key)
        to = OtherHands(("nurse", "laboratory", "reception"), "2 of 3")
        new = await handed_over(nodes, key, to)
        for name in ("doctor", "pharmacist"):
            assert not nodes[name].quorum.custody.has_share(key.key_id())
            assert not nodes[name].quorum.custody.has_share(new.key_id())
        entry = await ask(nodes["doctor"], new, file, opener="nurse")
        for name in ("nurse", "laboratory"):
            await approve(nodes[name], entry.request.digest())
        await unlocked_everywhere(nodes, entry.request.digest())
        assert file_key(nodes["doctor"], entry.request.digest()) == FILE_KEY

    in_five(body, "plain")


async def refreshed(nodes: Clinic, key: Key, lost: str = "") -> Key:
    quorum = nodes["doctor"].quorum
    old = quorum.records.key(key.plan.digest())
    entry, _ = await quorum.renewals.refresh(old, "a laptop was stolen", lost)
    for name in ROLES[1:]:
        await nodes[name].quorum.keys.answer(entry.plan.digest(), "approve", "agreed")
    return await renewed_at(nodes, entry.plan.digest())


def stolen(nodes: Clinic, key: Key, *names: str) -> list[KeyShare]:
    return [nodes[name].quorum.custody.share(key.key_id()) for name in names]


def test_shares_stolen_before_a_refresh_are_of_no_use_with_one_stolen_after() -> None:
    async def body(nodes: Clinic, key: Key) -> None:
        (before,) = stolen(nodes, key, "pharmacist")
        new = await refreshed(nodes, key)
        assert new.public.group == key.public.group
        (after,) = stolen(nodes, new, "nurse")
        mixed = replace(before, public=new.public)
        with pytest.raises(Abort):
            sign([mixed, after], b"an order nobody gave")

    in_five(body, names=ROLES)


def test_control_without_a_refresh_the_same_two_shares_sign() -> None:
    async def body(nodes: Clinic, key: Key) -> None:
        (before,) = stolen(nodes, key, "pharmacist")
        (after,) = stolen(nodes, key, "nurse")
        forged = sign([before, after], b"an order nobody gave")
        frost.verify(key.public.group, b"an order nobody gave", forged)

    in_five(body, names=ROLES)


def test_a_lost_share_is_made_again_by_the_others() -> None:
    async def body(nodes: Clinic, key: Key) -> None:
        nodes["nurse"].quorum.records.drop_sealed(share_name(key.key_id()))
        new = await refreshed(nodes, key, lost="nurse")
        assert "nurse" not in [holder.name for holder in new.plan.dealers]
        nodes["nurse"].quorum.custody.share(new.key_id()).verify()
        order = await propose(nodes["doctor"], new)
        await approve(nodes["nurse"], order.request.digest())
        await signed_everywhere(nodes, order.request.digest())

    in_five(body, names=ROLES)


def test_where_keeping_the_new_share_fails_the_old_one_is_still_there() -> None:
    async def body(nodes: Clinic, key: Key) -> None:
        nurse = nodes["nurse"].quorum

        def power_cut(_: bytes) -> None:
            raise Unavailable("the power went")

        hook, nurse.keys.on_handed_over = nurse.keys.on_handed_over, power_cut
        others = {name: nodes[name] for name in ("doctor", "pharmacist")}
        quorum = nodes["doctor"].quorum
        old = quorum.records.key(key.plan.digest())
        entry, _ = await quorum.renewals.refresh(old, "from time to time")
        for name in ROLES[1:]:
            await nodes[name].quorum.keys.answer(entry.plan.digest(), "approve", "agreed")
        new = await renewed_at(others, entry.plan.digest())
        nurse.custody.share(key.key_id()).verify()  # the last transaction was undone as a whole
        assert nurse.records.key(key.plan.digest()).state is KeyState.READY
        nurse.keys.on_handed_over = hook
        nurse.keys.take_key(new)
        nurse.custody.share(new.key_id()).verify()

    in_five(body, names=ROLES)


def test_a_request_of_old_shares_ends_with_them() -> None:
    async def body(nodes: Clinic, key: Key) -> None:
        order = await propose(nodes["doctor"], key)
        new = await refreshed(nodes, key)
        digest = order.request.digest()
        for node in nodes.values():
            entry = node.quorum.records.request(digest)
            assert entry.state is RequestState.EXPIRED
            assert "in other hands" in entry.note
        with pytest.raises(Refused, match="renewed"):
            await propose(nodes["nurse"], key)
        await propose(nodes["nurse"], new)

    in_five(body, names=ROLES)


def test_a_key_handed_over_twice_at_once_is_refused() -> None:
    async def body(nodes: Clinic, key: Key) -> None:
        old = nodes["doctor"].quorum.records.key(key.plan.digest())
        await nodes["doctor"].quorum.renewals.refresh(old, "first")
        with pytest.raises(Refused, match="a key named medication already"):
            await nodes["nurse"].quorum.renewals.refresh(old, "second")

    in_five(body, names=ROLES)


def test_what_is_no_handing_over_of_this_key_is_refused_by_every_node() -> None:
    async def body(nodes: Clinic, key: Key) -> None:
        new = await refreshed(nodes, key)
        assert isinstance(new.handover, Certificate)
        verify_key(new, nodes["doctor"].desk.group)
        ready = new.handover.ready
        bad = {
            "one is not ready": replace(new.handover, ready=(ready[1], *ready[1:])),
            "no test": replace(new.handover, test=bytes(64)),
            "other promises": replace(new.handover, promises=new.handover.promises[::-1]),
        }
        for certificate in bad.values():
            with pytest.raises(VerificationFailed):
                verify_key(replace(new, handover=certificate))

        with pytest.raises(VerificationFailed, match="not handed over as it was planned"):
            verify_key(replace(new, handover=ABSENT))

    in_five(body, names=ROLES)
