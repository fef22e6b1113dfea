"""Coordinating the signatures of approved requests, by `collecting`.

The node whose staff gave the approval that was enough begins at once; the
others try where it has not finished. Several may coordinate at the same time:
each session has its own nonces. Who is silent, refuses or cheats is left out of the next try
with another set of signers; who cheated is proven to have, and named.
"""

import asyncio
from dataclasses import dataclass, field

import structlog

from quorate.errors import Abort, Error
from quorate.node.desk import Desk
from quorate.node.quorum.collecting import Wanted, Ways, collect
from quorate.node.quorum.errands import Errands, is_there
from quorate.node.quorum.orders import Orders
from quorate.node.quorum.records import Records, RequestEntry
from quorate.node.quorum.requests import Requests
from quorate.node.quorum.signer import Signer
from quorate.quorum.answer import SignedAnswer
from quorate.quorum.key import Key
from quorate.quorum.lifecycle import RequestState
from quorate.quorum.order import Order
from quorate.quorum.request import SIGNED
from quorate.quorum.succeeding import message_of

PATIENCE_S = 2.0
"""How long a node waits for the one that begins, times its place among the members."""

log = structlog.get_logger()


@dataclass(slots=True)
class Signing:
    """The signatures that this node coordinates."""

    desk: Desk
    records: Records
    requests: Requests
    signer: Signer
    orders: Orders
    tasks: asyncio.TaskGroup
    errands: Errands = field(init=False)

    def __post_init__(self) -> None:
        self.errands = Errands(self.tasks, "sign", self._try_sets)

    def start(self, digest: bytes) -> asyncio.Task[None]:
        """Gather the signature of an approved request, or join who does so on this node."""
        return self.errands.start(digest)

    async def finished(self, digest: bytes) -> None:
        """Wait for what this node does about a request now, if it does anything."""
        await self.errands.finished(digest)

    def start_later(self, digest: bytes) -> None:
        """Gather the signature unless another node has done so by then."""
        self.errands.start_later(digest, PATIENCE_S * (1 + self.desk.me))

    def start_all(self) -> None:
        """Try again for every request that waits to be signed."""
        for entry in self.records.requests_in(RequestState.APPROVED):
            if entry.request.type in SIGNED:
                self.start(entry.request.digest())

    def stop(self) -> None:
        """Give up what is under way: it will be tried again."""
        self.errands.stop()

    async def _try_sets(self, digest: bytes) -> None:
        """Try sets of signers until one has signed, or too few are left."""
        left_out: dict[str, str] = {}
        while True:
            entry = self.records.request(digest)
            if entry.state is not RequestState.APPROVED:
                return
            key = self.records.key_of(entry.request.key)
            approved = self.requests.approved_by(entry)
            able = self._able(key, approved, left_out)
            if not able:
                self._note(digest, left_out)
                return
            try:
                signature = await self._session(entry, key, approved, able)
            except Abort as e:
                self._leave_out(entry, key, e, left_out)
                continue
            order = self.orders.finish(entry, key, approved, signature)
            self.errands.aside(self._tell(order))
            return

    async def _tell(self, order: Order) -> None:
        try:
            await self.desk.tell_all("order", order)
        except Error as e:
            log.warning("order not told", id=order.request.short_id, why=str(e))

    def _able(
        self, key: Key, approved: tuple[SignedAnswer, ...], left_out: dict[str, str]
    ) -> tuple[str, ...]:
        """Return the approvers who could sign; nobody if they are too few."""
        for signed in approved:
            name = signed.answer.member
            if not is_there(self.desk, name):
                left_out.setdefault(name, f"{name} is not connected")
        able = tuple(s.answer.member for s in approved if s.answer.member not in left_out)
        return able if key.plan.suffice(able) else ()

    async def _session(
        self,
        entry: RequestEntry,
        key: Key,
        approved: tuple[SignedAnswer, ...],
        able: tuple[str, ...],
    ) -> bytes:
        """Gather one signature from some of these. Raises `Abort` with seats of holders."""
        request = entry.request
        message = message_of(request, entry.document.decode(), key)
        wanted = Wanted(key.plan, key.public, request.digest(), message, approved)
        ways = Ways("commit", "sign", self.signer.commit, self.signer.sign)
        return await collect(self.desk, wanted, able, ways)

    def _leave_out(
        self, entry: RequestEntry, key: Key, error: Abort, left_out: dict[str, str]
    ) -> None:
        """Go on without who is to blame, and say so; proof goes into the audit log."""
        for seat in error.culprits | error.suspects:
            name = key.plan.holders[seat].name
            proven = seat in error.culprits
            left_out[name] = f"{name} cheated: {error}" if proven else str(error)
            log.warning("signer left out", id=entry.request.short_id, member=name, why=str(error))
            if proven:
                said = (
                    f"{entry.request.short_id}: {name} sent a wrong signature share, signed by it"
                )
                self.desk.audit.append("cheating proven", said)
        if not error.culprits | error.suspects:
            raise error

    def _note(self, digest: bytes, left_out: dict[str, str]) -> None:
        """Record who is missing, for who looks at the request."""
        entry = self.records.request(digest)
        note = "; ".join(dict.fromkeys(left_out.values()))
        self.records.set_request_state(digest, entry.state, note)
