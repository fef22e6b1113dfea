"""What comes of answers to unlock, at the member to whom they go: a file key for the requester."""

import contextlib
from dataclasses import dataclass

from quorate.errors import Refused, VerificationFailed
from quorate.node.desk import Desk
from quorate.node.quorum.records import Records, RequestEntry
from quorate.node.quorum.unlocker import Unlocker
from quorate.node.quorum.unlocks import Unlocks, document_of
from quorate.quorum.answer import SignedAnswer
from quorate.quorum.countersign import answers_of
from quorate.quorum.unlock import Checked, Opened, Proof, identities, sign_opened
from quorate.threshold.answers import read_answer, verify_proof
from quorate.threshold.keys import seat
from quorate.threshold.unlocking import Unlocked, pass_on, unlock


@dataclass(frozen=True, slots=True)
class Opening:
    """Requests to unlock, as `gathering` needs them."""

    desk: Desk
    records: Records
    unlocker: Unlocker
    unlocks: Unlocks
    topic: str = "opened"

    def gatherer(self, entry: RequestEntry) -> str:
        return document_of(entry).answers_to.member

    def must_approve(self, entry: RequestEntry) -> str:
        opener = document_of(entry).opener
        return opener.member if opener else ""

    def finish(self, entry: RequestEntry, approved: tuple[SignedAnswer, ...]) -> Opened:
        """Open with the answers that are here. Raises `Abort` where too few are right."""
        checked = self.unlocker.checked(entry)
        if not isinstance(checked, Checked):
            raise Refused("that is not a request to unlock")
        request, unlocking = checked.request, checked.unlocking
        unlocked = self.unlocked(checked)
        box = pass_on(unlocked.file_key, unlocking, unlocking.asked(request.digest()))
        proofs = self._proofs(checked)
        signature = sign_opened(self.desk.home.identity, request, box, proofs)
        answers = answers_of(checked.key, approved)
        opened = Opened(request, entry.document, entry.signature, answers, box, proofs, signature)
        self.unlocks.take(opened)
        return opened

    def unlocked(self, checked: Checked) -> Unlocked:
        """Return the file key. Raises `Abort`, `NotFound` where the reply key is thrown away."""
        key, digest = checked.key, checked.request.digest()
        secret, parts = self.unlocks.replies.secret(checked.request), self.records.parts(digest)
        return unlock(key.public, checked.unlocking, digest, secret, parts, identities(key))

    def _proofs(self, checked: Checked) -> tuple[Proof, ...]:
        """Return what proves that holders cheated, of all that answered: each is read again."""
        digest, key = checked.request.digest(), checked.key
        secret = self.unlocks.replies.secret(checked.request)
        asked, them = checked.unlocking.asked(digest), identities(key)
        proofs: list[Proof] = []
        for part in self.records.parts(digest):
            holder = them[seat(part.identifier)]
            with contextlib.suppress(VerificationFailed):  # it is right, or anybody's
                signed = read_answer(secret, asked, part, holder)
                by = (part.identifier, holder)
                verify_proof(key.public, asked, checked.bases, signed, by)
                proofs.append(Proof(part.identifier, signed))
        return tuple(proofs)
