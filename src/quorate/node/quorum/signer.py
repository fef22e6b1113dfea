"""A holder's half of signing: commit, then sign, for whoever coordinates.

The node checks everything itself before it commits and again before it signs:
its own staff approved this very request, enough holders did, time is not over.
It signs the request as it has it, never bytes a coordinator sends; and it says
under its own name for which package its share is, so that a wrong share is
proof against it and nobody else.
"""

import os
from dataclasses import dataclass, field

from quorate import wire
from quorate.errors import Party, Refused
from quorate.node.desk import Desk
from quorate.node.quorum.custody import Custody
from quorate.node.quorum.messages import Commit, Sign
from quorate.node.quorum.nonces import Waiting, WaitingSessions
from quorate.node.quorum.records import Records, RequestEntry
from quorate.node.quorum.requests import Requests
from quorate.quorum.lifecycle import RequestState
from quorate.quorum.request import SIGNED, is_over
from quorate.quorum.succeeding import message_of
from quorate.threshold import frost, statement
from quorate.threshold.frost import NonceCommitment
from quorate.threshold.statement import SignedShare


@dataclass(slots=True)
class Signer:
    """What this node answers to coordinators, itself among them."""

    desk: Desk
    records: Records
    custody: Custody
    requests: Requests
    waiting: WaitingSessions = field(default_factory=WaitingSessions)

    async def on_commit(self, party: Party, body: bytes) -> bytes:
        """Commit to nonces for one session of signing a request."""
        return wire.encode(self.commit(party, wire.decode(body, Commit)))

    async def on_sign(self, party: Party, body: bytes) -> bytes:
        """Sign with the nonces of one session, once."""
        return wire.encode(self.sign(party, wire.decode(body, Sign)))

    def commit(self, coordinator: Party, asked: Commit) -> NonceCommitment:
        """Return fresh commitments for a session. Raises `Refused`, `Unavailable`."""
        self.requests.take_answers(asked.request, asked.answers)
        with self.desk.store.transaction():
            entry = self._may_sign(asked.request)
            share = self.custody.share(entry.request.key)
        nonces, commitment = frost.commit(share, os.urandom)
        self.waiting.put(asked.session, Waiting(asked.request, coordinator, nonces))
        return commitment

    def sign(self, coordinator: Party, asked: Sign) -> SignedShare:
        """Return this holder's share of the signature. Raises `Refused`, `SessionReused`."""
        waiting = self.waiting.take(asked.session, coordinator)
        with self.desk.store.transaction():
            entry = self._may_sign(waiting.request)
            key = self.records.key_of(entry.request.key)
            message = message_of(entry.request, entry.document.decode(), key)
            package = frost.package(message, asked.commitments)
            self._check_signers(entry, [key.holder(i).name for i in package.identifiers])
            share = self.custody.share(entry.request.key)
            self.desk.store.claim_session(asked.session, waiting.request)
            who = f"{entry.request.short_id} for {self.desk.group.names[coordinator]}"
            self.desk.audit.append("share given", f"{who}, session {asked.session.hex()[:16]}")
        signed = frost.sign(share, waiting.nonces, package)
        digest = statement.package_digest(asked.session, key.public, package)
        return statement.state(self.desk.home.identity, digest, signed)

    def _may_sign(self, digest: bytes) -> RequestEntry:
        """Return a request that this node may sign now. Raises `Refused`."""
        entry = self.records.request(digest)
        request, me = entry.request, self.desk.home.name
        if request.type not in SIGNED:
            raise Refused("that is not a request to sign")
        if is_over(request.expires, self.desk.now()):
            raise Refused(f"request {request.short_id} is over since {request.expires}")
        if entry.state is not RequestState.APPROVED:
            raise Refused(f"request {request.short_id} is {entry.state.value}")
        approved = [signed.answer.member for signed in self.requests.approved_by(entry)]
        if me not in approved:
            raise Refused(f"{me} has not approved request {request.short_id}")
        if not self.records.key_of(request.key).plan.suffice(approved):
            raise Refused(f"request {request.short_id} lacks approvals")
        return entry

    def _check_signers(self, entry: RequestEntry, signers: list[str]) -> None:
        approved = {signed.answer.member for signed in self.requests.approved_by(entry)}
        if others := set(signers) - approved:
            raise Refused(f"{', '.join(sorted(others))} would sign and has not approved")
