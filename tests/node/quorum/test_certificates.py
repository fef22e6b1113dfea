"""Certificates of studies under the group's own key, beside its members' signatures."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from quorate.errors import VerificationFailed
from quorate.node.quorum.keys import Wanted
from quorate.studies.release import Release, verify_release
from tests.node.quorum.clinic import PASSPHRASE
from tests.node.three import (
    STUDY,
    Hospital,
    approved_by_all,
    connected,
    error_of,
    make_homes,
    until,
)


def with_the_groups_key(body: Callable[[list[Hospital]], Awaitable[None]]) -> None:
    async def main() -> None:
        async with connected(*make_homes()) as hospitals:
            for node in hospitals:
                await node.quorum.unlock(PASSPHRASE)
            names = hospitals[0].desk.group.names
            entry, _ = await hospitals[0].quorum.keys.propose(
                Wanted("group", names, "majority", "sign"), "certificates"
            )
            for node in hospitals[1:]:
                await node.quorum.keys.answer(entry.plan.digest(), "approve", "agreed")
            await until(lambda: all(n.quorum.keys.groups_own() for n in hospitals), 10)
            await body(hospitals)

    asyncio.run(main())


async def released(hospitals: list[Hospital]) -> Release:
    entry = await approved_by_all(hospitals)
    digest = entry.plan.digest()
    progress = await hospitals[0].run(digest)
    assert progress[-1].done, progress[-1]
    release = hospitals[0].desk.store.study(digest).release
    assert release is not None
    return release


def test_a_certificate_carries_one_signature_of_the_group() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        release = await released(hospitals)
        key = hospitals[0].quorum.keys.groups_own()
        assert key is not None
        assert release.certificate.group_key == key.public.group
        verify_release(release, group=hospitals[0].desk.group)
        false = {
            "no signature": replace(release, group_signature=b""),
            "another": replace(release, group_signature=release.signatures[0].signature),
            "altered": replace(
                release,
                group_signature=bytes([release.group_signature[0] ^ 1])
                + release.group_signature[1:],
            ),
            "no key": replace(release, certificate=replace(release.certificate, group_key=b"")),
        }
        for one in false.values():
            with pytest.raises(VerificationFailed):
                verify_release(one)

    with_the_groups_key(body)


def test_one_locked_node_does_not_stop_the_group_and_two_do() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        hospitals[1].quorum.custody.opened = None
        release = await released(hospitals)
        assert len(release.group_signature) == 64
        hospitals[2].quorum.custody.opened = None
        entry = await approved_by_all(hospitals, STUDY.replace("Average age", "Again"))
        error = error_of(await hospitals[0].run(entry.plan.digest()))
        assert "only 1 members can use their shares" in str(error)
        assert "unlock" in error.hint

    with_the_groups_key(body)
