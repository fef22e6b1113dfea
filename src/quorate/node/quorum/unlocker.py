"""A holder's half of unlocking and recovery: used for what its own person and a quorum approved.

The node checks everything itself, whoever asks: the request, the approvals, the
hour, for a plain file its register, and as a witness that others have noted the
request. It answers once for each request and gives the same answer again; only
the member to whom answers go may ask.
"""

import os
from dataclasses import dataclass

from quorate import wire
from quorate.errors import Party, Refused
from quorate.node.desk import Desk
from quorate.node.quorum.custody import Custody
from quorate.node.quorum.messages import Unlock
from quorate.node.quorum.publication import Publication
from quorate.node.quorum.records import Records, RequestEntry
from quorate.node.quorum.replies import Replies
from quorate.node.quorum.requests import Requests
from quorate.quorum.key_plan import holders_of
from quorate.quorum.lifecycle import KeyState
from quorate.quorum.recovery import Recovery, answer_recovery, check_use
from quorate.quorum.unlock import Checked, Own, answer_unlock
from quorate.threshold import plain
from quorate.threshold.age.header import parse_header
from quorate.threshold.answers import SealedAnswer, Sought
from quorate.threshold.keys import KeyShare


@dataclass(slots=True)
class Unlocker:
    """What this node answers to who gathers partial decryptions, itself among them."""

    desk: Desk
    records: Records
    custody: Custody
    requests: Requests
    replies: Replies
    publication: Publication

    async def on_opener(self, party: Party, body: bytes) -> bytes:
        """Offer to be the opener of a plain file: its holders' answers come to this node."""
        sought = wire.decode(body, Sought)
        held = (e for e in self.records.all_keys() if e.state is KeyState.READY)
        if not any(e.plan.purpose == "plain" and self.desk.home.name in e.plan.names for e in held):
            raise Refused(f"{self.desk.home.name} holds no share of a plain key")
        if sought.mode != "plain":
            raise Refused("only what is sealed to a plain key goes through an opener")
        plain.stanzas(parse_header(sought.content))
        return wire.encode(self.replies.offer(party, sought))

    async def on_unlock(self, party: Party, body: bytes) -> bytes:
        """Answer a request with this holder's partial decryptions, or its share, sealed."""
        question = wire.decode(body, Unlock)
        self.requests.take_answers(question.request, question.answers)
        await self.publication.publish(question.request)
        return wire.encode(self.answer(party, question))

    def answer(self, asker: Party, asked: Unlock) -> SealedAnswer:
        """Return this holder's answer. Raises `Refused`, `Unavailable`, `VerificationFailed`."""
        self.requests.take_answers(asked.request, asked.answers)
        entry = self.records.request(asked.request)
        checked = self.checked(entry)
        to = checked.answers_to.member
        if self.desk.group.names[asker] != to:
            raise Refused(f"answers to request {entry.request.short_id} go to {to}")
        self.publication.check(entry)
        share = self.custody.share(entry.request.key)
        with self.desk.store.transaction():
            made = self._made(checked, share)
            if self.records.add_part(asked.request, made):
                said = f"{entry.request.short_id} for {to}: {checked.about}"
                self.desk.audit.append("share used", said)
        (kept,) = (p for p in self.records.parts(asked.request) if p.identifier == share.identifier)
        return kept

    def checked(self, entry: RequestEntry) -> Checked | Recovery:
        """Return a request to use shares, checked anew. Raises `Refused`, `VerificationFailed`."""
        request = entry.request
        (requester,) = holders_of(self.desk.group, [request.requester])
        return check_use(self.records.key_of(request.key), request, entry.document, requester)

    def _made(self, checked: Checked | Recovery, share: KeyShare) -> SealedAnswer:
        """Return what this share answers, if it may. Raises `Refused`."""
        words, now = self.records.answers(checked.request.digest()), self.desk.now()
        identity = self.desk.home.identity
        if isinstance(checked, Recovery):
            return answer_recovery(checked, share, identity, words, now)
        return answer_unlock(checked, Own(share, identity, self.records), words, now, os.urandom)
