"""All that one node does with keys, orders and unlocking, put together."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from quorate.errors import Error, NotFound, Party, Unavailable
from quorate.node.desk import Desk
from quorate.node.heads import Heads
from quorate.node.quorum.custody import Custody
from quorate.node.quorum.gathering import Gathering, Kinds
from quorate.node.quorum.generation import Generation
from quorate.node.quorum.handing import Handing
from quorate.node.quorum.heartbeat import Heartbeats
from quorate.node.quorum.keys import Keys
from quorate.node.quorum.opening import Opening
from quorate.node.quorum.orders import Orders
from quorate.node.quorum.publication import Publication
from quorate.node.quorum.records import Records
from quorate.node.quorum.recoveries import Recoveries
from quorate.node.quorum.renewals import Renewals
from quorate.node.quorum.replies import Replies
from quorate.node.quorum.requests import Requests
from quorate.node.quorum.signer import Signer
from quorate.node.quorum.signing import Signing
from quorate.node.quorum.successions import Successions
from quorate.node.quorum.unlocker import Unlocker
from quorate.node.quorum.unlocks import Unlocks
from quorate.node.quorum.vault import Vault
from quorate.quorum.request import SIGNED
from quorate.studies.group import Group
from quorate.threshold.together import GroupSigner

Answerer = Callable[[Party, bytes], Awaitable[bytes]]

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Quorum:
    """Keys, requests, orders and unlocking of one node."""

    desk: Desk
    records: Records
    custody: Custody
    keys: Keys
    handing: Handing
    renewals: Renewals
    generation: Generation
    heartbeats: Heartbeats
    requests: Requests
    orders: Orders
    successions: Successions
    signer: Signer
    signing: Signing
    unlocks: Unlocks
    unlocker: Unlocker
    recoveries: Recoveries
    gathering: Gathering

    def answers(self) -> dict[str, Answerer]:
        """Return what answers each topic of `messages`."""
        return {
            "key": self.keys.on_key,
            "posting": self.generation.on_posting,
            "certified": self.keys.on_certified,
            "try commit": self.handing.on_commit,
            "try sign": self.handing.on_sign,
            "alive": self.heartbeats.on_alive,
            "request": self.requests.on_request,
            "order": self.orders.on_order,
            "commit": self.signer.on_commit,
            "sign": self.signer.on_sign,
            "opener": self.unlocker.on_opener,
            "unlock": self.unlocker.on_unlock,
            "opened": self.unlocks.on_opened,
            "recovered": self.recoveries.on_recovered,
            "publish": self.unlocker.publication.on_publish,
        }

    async def catch_up(self, party: Party) -> None:
        """Tell a member that has just connected what it may have missed; try what waits for it."""
        try:
            await self.keys.catch_up(party)
            await self.generation.catch_up(party)
            await self.orders.catch_up(party)
            await self.requests.catch_up(party)
            await self.unlocks.catch_up(party)
            await self.recoveries.catch_up(party)
            await self.unlocker.publication.tell_gatherers()
            await self.renewals.follow_roster()
            self._start_all()
        except Error as e:
            log.info("catching up failed", member=self.desk.group.names[party], why=str(e))

    def group_signer(self) -> GroupSigner | None:
        """Return this member's part in the group's own key, if there is one."""
        key = self.keys.groups_own()
        if key is None:
            return None
        try:
            share = self.custody.share(key.key_id())
        except (NotFound, Unavailable):
            share = None
        identities = tuple(holder.public_key for holder in key.plan.holders)
        identity = self.desk.home.identity
        return GroupSigner(key.public, share, identity, identities, os.urandom)

    async def unlock(self, passphrase: str) -> None:
        """Open the vault, and go on with what waited for it."""
        await self.custody.unlock(passphrase)
        self.desk.audit.append("shares unlocked")
        self.generation.resume()
        self._start_all()
        await self.renewals.follow_roster()
        for party, peer in self.desk.peers.peers.items():
            if peer.ready.is_set():  # somebody may have waited for this share
                self.gathering.errands.aside(self.catch_up(party))

    def look_again(self) -> None:
        """End what is over, and try again what waits."""
        self.keys.expire()
        self.requests.expire()
        self.unlocks.replies.forget(self.desk.now())
        self.generation.resume()
        self._start_all()

    def stop(self) -> None:
        """Give up what is under way: it will be tried again."""
        self.handing.stop()
        self.signing.stop()
        self.gathering.stop()

    def _start_all(self) -> None:
        self.signing.start_all()
        self.gathering.start_all()


def make_quorum(
    desk: Desk,
    tasks: asyncio.TaskGroup,
    roster: Callable[[bytes], Group],
    vault: Vault | None = None,
) -> Quorum:
    """Return the keys and orders of one node; `roster` finds any roster of its group.

    With the `vault` that was open already, if one was.
    """
    records = Records(desk.store)
    custody = Custody(records, os.urandom, opened=vault)
    keys = Keys(desk, records, custody, roster)
    renewals = Renewals(desk, records, keys)
    handing = Handing(desk, records, custody, keys, tasks)
    generation = Generation(desk, records, custody, keys, handing, tasks)
    keys.on_approved, keys.on_ready = generation.begin, generation.keep_share_of
    heartbeats = Heartbeats(desk, records, custody)
    requests = Requests(desk, records)
    keys.on_handed_over = requests.end_of
    orders = Orders(desk, records, requests, roster)
    successions = Successions(desk, records, requests, orders, keys)
    orders.on_succession = successions.on_order
    signer = Signer(desk, records, custody, requests)
    signing = Signing(desk, records, requests, signer, orders, tasks)
    replies = Replies(desk, custody)
    unlocks = Unlocks(desk, records, requests, replies)
    publication = Publication(desk, records, requests, Heads(desk))
    unlocker = Unlocker(desk, records, custody, requests, replies, publication)
    recoveries = Recoveries(desk, records, requests, unlocker, replies)
    opening = Opening(desk, records, unlocker, unlocks)
    kinds: Kinds = {"unlock": opening, "recover": recoveries}
    gathering = Gathering(desk, records, unlocker, requests, kinds, tasks)

    def begin(digest: bytes, sign: Callable[[bytes], object]) -> None:
        order = records.request(digest).request.type in SIGNED
        (sign if order else gathering.start)(digest)

    requests.on_use = lambda new: replies.keep_own(new.request, new.reply_keys)
    requests.on_quorum = lambda digest: begin(digest, signing.start_later)
    requests.on_last_word = lambda digest: begin(digest, signing.start)
    return Quorum(
        desk,
        records,
        custody,
        keys,
        handing,
        renewals,
        generation,
        heartbeats,
        requests,
        orders,
        successions,
        signer,
        signing,
        unlocks,
        unlocker,
        recoveries,
        gathering,
    )
