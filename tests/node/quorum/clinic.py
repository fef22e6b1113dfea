"""Members whose nodes hold a key: real folders, databases, sockets and TLS, one process."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

from quorate.algebra import edwards25519 as ed
from quorate.node.home import Home
from quorate.node.quorum.messages import Unlock
from quorate.node.quorum.records import RequestEntry
from quorate.quorum.answer import SignedAnswer
from quorate.quorum.key import Key
from quorate.quorum.key_plan import Witnesses
from quorate.quorum.lifecycle import RequestState
from quorate.threshold.answers import SealedAnswer
from quorate.threshold.keys import KeyShare, Purpose
from quorate.wire import ABSENT, Absent
from tests.node.three import Hospital, connected, make_homes, until
from tests.quorum.dealt import DOCUMENT, ROLES, deal, plan_of

PASSPHRASE = "correct horse battery"  # noqa: S105 - of a test
Clinic = dict[str, Hospital]


async def give_key(
    nodes: Clinic,
    holders: tuple[str, ...],
    min_signers: int,
    purpose: Purpose = "sign",
    witnesses: Witnesses | Absent = ABSENT,
) -> Key:
    """Deal a key to the nodes of its holders, and tell all nodes of it."""
    group = next(iter(nodes.values())).desk.group
    plan = plan_of(group, holders, min_signers, purpose)
    plan = replace(plan, group=group.digest(), witnesses=witnesses)
    key, shares = deal(plan, [nodes[name].home.identity for name in plan.names])
    for name, share in zip(plan.names, shares, strict=True):
        await keep(nodes[name], share)
    for node in nodes.values():
        node.quorum.keys.take_key(key)
    return key


async def keep(node: Hospital, share: KeyShare) -> None:
    if node.quorum.custody.state != "open":
        await node.quorum.custody.unlock(PASSPHRASE)
    node.quorum.custody.keep_share(share)


@contextlib.asynccontextmanager
async def up_with_key(
    *homes: Home, purpose: Purpose = "sign"
) -> AsyncGenerator[tuple[Clinic, Key]]:
    """These members' nodes, connected, with a key of which two of three roles must act."""
    async with connected(*homes) as hospitals:
        nodes = {node.home.name: node for node in hospitals}
        yield nodes, await give_key(nodes, ROLES, 2, purpose)


def in_a_clinic(
    body: Callable[[Clinic, Key], Awaitable[None]],
    names: tuple[str, ...] = ROLES,
    purpose: Purpose = "sign",
) -> None:
    """Run `body` among the connected nodes of these members, who have a key."""

    async def main() -> None:
        async with up_with_key(*make_homes(names), purpose=purpose) as (nodes, key):
            await body(nodes, key)

    asyncio.run(main())


async def propose(node: Hospital, key: Key, hours: float = 24) -> RequestEntry:
    entry, _ = await node.quorum.requests.propose(
        "order", key, DOCUMENT.encode(), "pain after surgery", timedelta(hours=hours)
    )
    return entry


async def tamper(node: Hospital, key: Key) -> None:
    """Give a node another number for a share: what it makes of that is wrong."""
    custody = node.quorum.custody
    share = custody.share(key.key_id())
    wrong = replace(share, secret=ed.scalar_add(share.secret, ed.ONE))
    custody.keep(f"share {key.key_id().hex()}", wrong)


async def approve(node: Hospital, digest: bytes, reason: str = "checked the dose") -> RequestEntry:
    entry, _ = await node.quorum.requests.answer(digest, "approve", reason)
    return entry


async def decline(node: Hospital, digest: bytes, reason: str = "allergy") -> RequestEntry:
    entry, _ = await node.quorum.requests.answer(digest, "decline", reason)
    return entry


def state_at(node: Hospital, digest: bytes) -> RequestState | None:
    records = node.quorum.records
    return records.request(digest).state if records.has_request(digest) else None


async def signed_everywhere(nodes: Clinic, digest: bytes) -> None:
    """Wait until every node holds the signed order."""
    await until(lambda: all(state_at(n, digest) is RequestState.SIGNED for n in nodes.values()), 15)


async def ask_share(
    asker: Hospital, asked: Hospital, digest: bytes, words: tuple[SignedAnswer, ...] = ()
) -> SealedAnswer:
    question = Unlock(digest, words)
    return await asker.desk.peers.ask(asked.desk.me, "unlock", question, SealedAnswer, timeout_s=3)
