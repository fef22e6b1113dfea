"""A key that gives way to another among real nodes, and what a removed holder cannot do."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from quorate.cli import verify_succession
from quorate.errors import MalformedMessage, NotFound, Refused, VerificationFailed
from quorate.node.quorum.keys import Wanted
from quorate.quorum.key import Key
from quorate.quorum.lifecycle import KeyState
from quorate.quorum.succeeding import statement_from_text, succession_from_json, succession_to_json
from quorate.threshold.succession import SignedSuccession, verify_chain
from tests.node.quorum.clinic import (
    PASSPHRASE,
    Clinic,
    approve,
    give_key,
    propose,
    signed_everywhere,
)
from tests.node.quorum.test_generation import accept, ready
from tests.node.quorum.test_renewals import FIVE
from tests.node.three import connected, make_homes
from tests.quorum.dealt import ROLES

WEEK = timedelta(days=7)


async def without_the_nurse(nodes: Clinic) -> tuple[Key, Key]:
    """Return the key of three, and a new one of who stays, the laboratory in the nurse's place."""
    for node in nodes.values():
        await node.quorum.unlock(PASSPHRASE)
    old = await give_key(nodes, ROLES, 2)
    staying = ("doctor", "pharmacist", "laboratory")
    entry, _ = await nodes["doctor"].quorum.keys.propose(
        Wanted("medication-2", staying, "majority", "sign"), "the nurse is removed for cause"
    )
    for name in staying[1:]:
        await accept(nodes[name], entry.plan.digest())
    return old, await ready(nodes, entry.plan.digest())


def test_the_old_key_names_its_successor_and_the_file_verifies() -> None:
    async def main() -> None:
        async with connected(*make_homes(FIVE)) as hospitals:
            nodes = {node.home.name: node for node in hospitals}
            old, new = await without_the_nurse(nodes)
            successions = nodes["doctor"].quorum.successions
            asked = await successions.propose(old, new, "the nurse sold a share", WEEK)
            with pytest.raises(NotFound, match="no successor that both keys signed"):
                successions.of(old)
            for entry in asked:
                await approve(nodes["pharmacist"], entry.request.digest())
                await signed_everywhere(nodes, entry.request.digest())
            for node in nodes.values():
                signed = node.quorum.successions.of(old)
                assert verify_chain(old.public.group, [signed]) == new.public.group
                state = node.quorum.records.key(old.plan.digest()).state
                assert state is KeyState.SUCCEEDED
                assert "key succeeded" in node.events()
            text = succession_to_json(signed)
            report = verify_succession.report_on(text)
            assert "both keys' signatures verify" in "\n".join(verify_succession.lines_of(report))
            with pytest.raises(VerificationFailed):
                verify_succession.report_on(text.replace("sold", "lost"))
            with pytest.raises(MalformedMessage):
                succession_from_json(text.replace("succession 1", "succession 9"))
            with pytest.raises(Refused, match="named another key as its successor"):
                await propose(nodes["nurse"], old)
            order = await propose(nodes["doctor"], new)
            await approve(nodes["laboratory"], order.request.digest())
            await signed_everywhere(nodes, order.request.digest())

    asyncio.run(main())


def test_what_the_old_key_signs_is_no_acceptance_and_a_key_that_unlocks_has_no_successor() -> None:
    async def main() -> None:
        async with connected(*make_homes(FIVE)) as hospitals:
            nodes = {node.home.name: node for node in hospitals}
            old, new = await without_the_nurse(nodes)
            successions = nodes["doctor"].quorum.successions
            (by_old, _) = await successions.propose(old, new, "the nurse sold a share", WEEK)
            await approve(nodes["pharmacist"], by_old.request.digest())
            await signed_everywhere(nodes, by_old.request.digest())
            with pytest.raises(NotFound):
                successions.of(old)  # the new key has not accepted
            order = nodes["doctor"].quorum.orders
            record = nodes["doctor"].quorum.records.request(by_old.request.digest())
            signed = order.order(record)
            statement = statement_from_text(signed.document, old)
            with pytest.raises(VerificationFailed):
                verify_chain(
                    old.public.group,
                    [SignedSuccession(statement, signed.signature, signed.signature)],
                )
            sealing = replace(old, plan=replace(old.plan, purpose="unlock"))
            with pytest.raises(Refused, match="only a key that signs"):
                await successions.propose(sealing, new, "x", WEEK)

    asyncio.run(main())
