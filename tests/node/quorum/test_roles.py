"""Keys by roles among real nodes: made, used to sign and to open, and shown as unreviewed."""

import asyncio

import pytest

from quorate.errors import Refused
from quorate.node.quorum.keys import Wanted
from quorate.node.quorum.renewals import OtherHands
from quorate.quorum.key import Key, verify_key
from quorate.quorum.key_plan import Roles
from quorate.quorum.lifecycle import RequestState
from quorate.quorum.order import verify_order
from quorate.threshold.access import UNREVIEWED
from quorate.threshold.keys import Purpose
from quorate.threshold.policy import Role
from tests.node.quorum.clinic import (
    PASSPHRASE,
    Clinic,
    approve,
    decline,
    propose,
    signed_everywhere,
    state_at,
)
from tests.node.quorum.records import FILE_KEY, ask, file_key, sealed, unlocked_everywhere
from tests.node.quorum.test_generation import accept, ready
from tests.node.quorum.test_renewals import FIVE, handed_over
from tests.node.three import connected, make_homes

WARD = Roles(
    "(2 of oncology) and (1 of pharmacy)",
    (
        Role("oncology", ("doctor", "nurse", "laboratory")),
        Role("pharmacy", ("pharmacist", "reception")),
    ),
)


async def made(nodes: Clinic, purpose: Purpose) -> Key:
    """Have five members make a key of which two of oncology act with one of pharmacy."""
    for node in nodes.values():
        await node.quorum.unlock(PASSPHRASE)
    entry, _ = await nodes["doctor"].quorum.keys.propose(
        Wanted("therapy", FIVE, "", purpose, policy=WARD), "chemotherapy"
    )
    for name in FIVE[1:]:
        await accept(nodes[name], entry.plan.digest())
    return await ready(nodes, entry.plan.digest())


def test_three_of_one_role_do_not_sign_and_two_with_one_of_the_other_do() -> None:
    async def main() -> None:
        async with connected(*make_homes(FIVE)) as hospitals:
            nodes = {node.home.name: node for node in hospitals}
            key = await made(nodes, "sign")
            verify_key(key, hospitals[0].desk.group)
            assert key.public.caution == UNREVIEWED
            order = await propose(nodes["doctor"], key)
            digest = order.request.digest()
            for name in ("nurse", "laboratory"):
                await approve(nodes[name], digest)
            assert state_at(nodes["doctor"], digest) is RequestState.OPEN
            await approve(nodes["reception"], digest)
            await signed_everywhere(nodes, digest)
            records, orders = hospitals[0].quorum.records, hospitals[0].quorum.orders
            verify_order(orders.order(records.request(digest)), hospitals[0].desk.group)
            second = await propose(nodes["doctor"], key)
            for name in ("pharmacist", "reception"):  # nobody of pharmacy is left
                await decline(nodes[name], second.request.digest())
            assert state_at(nodes["nurse"], second.request.digest()) is RequestState.DECLINED

    asyncio.run(main())


def test_a_record_opens_by_roles_and_after_the_policy_gave_way_to_a_number() -> None:
    async def main() -> None:
        async with connected(*make_homes(FIVE)) as hospitals:
            nodes = {node.home.name: node for node in hospitals}
            key = await made(nodes, "unlock")
            entry = await ask(nodes["doctor"], key, sealed(key))
            for name in ("laboratory", "pharmacist"):
                await approve(nodes[name], entry.request.digest())
            await unlocked_everywhere(nodes, entry.request.digest())
            assert file_key(nodes["doctor"], entry.request.digest()) == FILE_KEY
            new = await handed_over(nodes, key, OtherHands(FIVE, "2 of 5"))
            assert new.public.group == key.public.group
            entry = await ask(nodes["nurse"], new, sealed(key))
            await approve(nodes["laboratory"], entry.request.digest())
            await unlocked_everywhere(nodes, entry.request.digest())
            assert file_key(nodes["nurse"], entry.request.digest()) == FILE_KEY

    asyncio.run(main())


def test_one_person_in_two_roles_and_a_plain_key_by_roles_are_refused() -> None:
    async def main() -> None:
        async with connected(*make_homes(FIVE)) as hospitals:
            keys = hospitals[0].quorum.keys
            await hospitals[0].quorum.unlock(PASSPHRASE)
            twice = Roles(WARD.policy, (WARD.roles[0], Role("pharmacy", ("doctor", "reception"))))
            with pytest.raises(Refused, match="doctor would be at two places"):
                await keys.propose(Wanted("therapy", FIVE, "", "sign", policy=twice), "x")
            with pytest.raises(Refused, match="a plain key has no policy"):
                await keys.propose(Wanted("therapy", FIVE, "", "plain", policy=WARD), "x")

    asyncio.run(main())
