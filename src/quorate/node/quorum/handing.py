"""A key in other hands: planned here, and tested by its new holders before old shares die.

    coordinator                  each new holder
    try commit →                 has all new holders' `Ready`: keeps nonces, answers commitments
    try sign (commitments) →     signs the trial once

The postings of `generation` carry dealings and `Ready`. Each new holder that has
all of them tries to gather the certificate; the first that verifies counts, is
told to all, and only with it a node lets its old share go, in the transaction
that keeps the new key. So a stop anywhere leaves enough shares of one sharing.
A key that unlocks needs no test but what `Ready` proves. Two rounds.
"""

import asyncio
import os
from dataclasses import dataclass, field

import structlog

from quorate import wire
from quorate.errors import Error, Party, Refused, Unavailable
from quorate.node.desk import Desk
from quorate.node.quorum.collecting import Wanted, Ways, collect
from quorate.node.quorum.custody import Custody
from quorate.node.quorum.errands import Errands, is_there
from quorate.node.quorum.kept import kept_of
from quorate.node.quorum.keys import Keys
from quorate.node.quorum.messages import Commit, Sign
from quorate.node.quorum.nonces import Waiting, WaitingSessions
from quorate.node.quorum.records import Records
from quorate.quorum.key import Key, verify_key_signature
from quorate.quorum.key_plan import KeyPlan
from quorate.quorum.lifecycle import KeyState
from quorate.quorum.posting import CONFIRMATION, WITHDRAWAL, Confirmed, Withdrawn
from quorate.threshold import frost, reshare, statement
from quorate.threshold.dkg import Pending
from quorate.threshold.frost import NonceCommitment
from quorate.threshold.keys import KeyShare
from quorate.threshold.reshare import Ready
from quorate.threshold.statement import SignedShare
from quorate.wire import ABSENT

log = structlog.get_logger()


@dataclass(slots=True)
class Handing:
    """The keys that change hands on this node."""

    desk: Desk
    records: Records
    custody: Custody
    keys: Keys
    tasks: asyncio.TaskGroup
    waiting: WaitingSessions = field(default_factory=WaitingSessions)
    errands: Errands = field(init=False)

    def __post_init__(self) -> None:
        self.errands = Errands(self.tasks, "hand over", self._complete)

    def start(self, digest: bytes) -> None:
        """Gather the certificate of a key whose new holders are all ready."""
        self.errands.start(digest)

    def stop(self) -> None:
        """Give up what is under way: it will be tried again."""
        self.errands.stop()

    def check_free(self, plan: KeyPlan) -> None:
        """Raise `Unavailable` while another resharing of the key could still be certified.

        This node said `Ready` to it, and no new holder of it has withdrawn.
        """
        me, renews = self.desk.home.name, plan.renews
        for entry in self.records.all_keys():
            other = entry.plan
            if other == plan or renews is ABSENT or other.renews is ABSENT:
                continue
            same = other.renews.plan == renews.plan
            said = me in self.records.board(other).of(CONFIRMATION, Confirmed)
            withdrew = self.records.board(other).of(WITHDRAWAL, Withdrawn)
            if same and said and not withdrew:
                raise Unavailable(
                    f"plan {other.short_id} of this key could still hold",
                    hint=f"one of its new holders withdraws: quorate key decline {other.short_id}",
                )

    # What other nodes ask

    async def on_commit(self, party: Party, body: bytes) -> bytes:
        """Commit to nonces for one trial of a new share."""
        return wire.encode(self.commit(party, wire.decode(body, Commit)))

    async def on_sign(self, party: Party, body: bytes) -> bytes:
        """Sign a trial with the nonces of one session, once."""
        return wire.encode(self.sign(party, wire.decode(body, Sign)))

    def commit(self, coordinator: Party, asked: Commit) -> NonceCommitment:
        """Return fresh commitments for a trial. Raises `Refused`, `Unavailable`."""
        plan = self._under_way(asked.request)
        share, _, _ = self._tested(plan)
        nonces, commitment = frost.commit(share, os.urandom)
        self.waiting.put(asked.session, Waiting(asked.request, coordinator, nonces))
        return commitment

    def sign(self, coordinator: Party, asked: Sign) -> SignedShare:
        """Return this holder's share of the trial's signature. Raises `Refused`."""
        waiting = self.waiting.take(asked.session, coordinator)
        plan = self._under_way(waiting.request)
        share, pending, _ = self._tested(plan)
        message = reshare.trial(pending.record.setup, pending.record.promises)
        package = frost.package(message, asked.commitments)
        self.desk.store.claim_session(asked.session, waiting.request)
        digest = statement.package_digest(asked.session, share.public, package)
        signed = frost.sign(share, waiting.nonces, package)
        return statement.state(self.desk.home.identity, digest, signed)

    def _under_way(self, digest: bytes) -> KeyPlan:
        entry = self.records.key(digest)
        if entry.state is not KeyState.GENERATING or entry.plan.renews is ABSENT:
            raise Refused(f"key {entry.plan.name} does not change hands now")
        return entry.plan

    def _tested(self, plan: KeyPlan) -> tuple[KeyShare, Pending, tuple[Ready, ...]]:
        """Return this node's new share, and what all new holders said. Raises `Unavailable`."""
        board = self.records.board(plan)
        pending = kept_of(self.custody, plan).pending
        if pending is None or board.lacking(CONFIRMATION):
            raise Unavailable("not every new holder is ready")
        ready = tuple(one.ready for one in board.of(CONFIRMATION, Confirmed).values())
        return reshare.round3(pending, ready), pending, ready

    # Gathering the certificate

    async def _complete(self, digest: bytes) -> None:
        """Have the new shares tested, keep the key that they are of, and tell all."""
        plan = self._under_way(digest)
        share, pending, ready = self._tested(plan)
        confirmed = self.records.board(plan).of(CONFIRMATION, Confirmed).values()
        for holder, one in zip(plan.holders, confirmed, strict=True):
            verify_key_signature(plan, share.public, holder, one.certificate)
        test = await self._test(plan, pending) if plan.purpose == "sign" else b""
        certificate = reshare.certify(pending, ready, test)
        signatures = tuple(one.certificate for one in confirmed)
        key = Key(plan, share.public, signatures, certificate)
        self.keys.take_key(key)
        self.errands.aside(self._tell(key))

    async def _test(self, plan: KeyPlan, pending: Pending) -> bytes:
        """Return a signature by new shares. Raises `Abort`."""
        message = reshare.trial(pending.record.setup, pending.record.promises)
        wanted = Wanted(plan, pending.public, plan.digest(), message, ())
        able = tuple(name for name in plan.names if is_there(self.desk, name))
        ways = Ways("try commit", "try sign", self.commit, self.sign)
        return await collect(self.desk, wanted, able, ways)

    async def _tell(self, key: Key) -> None:
        try:
            await self.desk.tell_all("certified", key)
        except Error as e:
            log.warning("key not told", id=key.plan.short_id, why=str(e))
