"""Keys that go on in other hands among real nodes: same public key, and nothing lost on the way."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from quorate.errors import NotFound
from quorate.node.quorum.renewals import OtherHands
from quorate.quorum.key import Key
from quorate.quorum.lifecycle import KeyState
from quorate.quorum.order import verify_order
from quorate.threshold.keys import Purpose
from tests.node.quorum.clinic import (
    PASSPHRASE,
    Clinic,
    approve,
    give_key,
    propose,
    signed_everywhere,
)
from tests.node.three import connected, make_homes, until
from tests.quorum.dealt import ROLES

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
