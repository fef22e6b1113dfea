"""Key generation among holders' nodes, who need not be there at the same time.

Every step is a signed posting: kept, told to the other holders, told again to
whoever comes back. A node takes its next step when it has everybody's previous
one, so a generation waits for who is away and goes on after any restart. What
is secret in between lies sealed in the vault. Who proves to have cheated ends
it for all, named; who is only silent is waited for until the plan's time is over.
"""

import asyncio
import os
from dataclasses import dataclass, replace

import structlog

from quorate import wire
from quorate.errors import Abort, Error, NotFound, Party, Refused, Unavailable, VerificationFailed
from quorate.node.desk import Desk
from quorate.node.messages import Ack
from quorate.node.quorum.custody import Custody
from quorate.node.quorum.handing import Handing
from quorate.node.quorum.kept import Kept, keep_share_of, kept_of, sealed_name
from quorate.node.quorum.keys import Keys
from quorate.node.quorum.records import KeyEntry, Records
from quorate.quorum.key import Key, sign_key, verify_key_signature
from quorate.quorum.key_plan import KeyPlan
from quorate.quorum.lifecycle import KEY_OPEN, KeyEvent, KeyState
from quorate.quorum.posting import (
    COMPLAINT,
    CONFIRMATION,
    DEALING,
    STATIC,
    WITHDRAWAL,
    Body,
    Confirmed,
    Posting,
    Withdrawn,
    convicted,
    due,
    make_posting,
    make_static_key,
    verify_posting,
)
from quorate.threshold import dkg, reshare
from quorate.threshold.evidence import Complaint, complain
from quorate.threshold.setup import Setup, SignedDealing, static_key
from quorate.wire import ABSENT, Absent

_TOLD = (KeyState.GENERATING, KeyState.FAILED, KeyState.EXPIRED, KeyState.REFUSED)
"""Of which keys the postings are told again: what proves cheating, and who withdrew, too."""

log = structlog.get_logger()


@dataclass(slots=True)
class Generation:
    """The key generations in which this node takes part."""

    desk: Desk
    records: Records
    custody: Custody
    keys: Keys
    handing: Handing
    tasks: asyncio.TaskGroup

    async def on_posting(self, party: Party, body: bytes) -> bytes:
        """Take in what a holder posted, whoever passes it on, and take the next step."""
        posting = wire.decode(body, Posting)
        self.take(posting)
        log.info("posting", step=posting.round, via=self.desk.group.names[party])
        return wire.encode(Ack())

    def take(self, posting: Posting) -> None:
        """Verify and keep one posting. Raises `VerificationFailed`, `NotFound`."""
        entry = self.records.key(posting.session)
        body = verify_posting(entry.plan, posting)
        if entry.state not in KEY_OPEN and not isinstance(body, Withdrawn):
            return
        before = self._posted(entry.plan, posting.round, posting.member)
        if before is not None:
            if before.body != posting.body:
                self._two_stories(entry, before, posting)
            return
        self.records.add_posting(posting)
        if isinstance(body, Complaint):
            self._judge(entry, body)
        if isinstance(body, Withdrawn) and entry.state is KeyState.GENERATING:
            note = f"{posting.member} withdrew: {body.reason}"
            self.keys.move(posting.session, KeyEvent.WITHDRAWN, note)
        self.advance(posting.session)
        if isinstance(body, Confirmed):
            self._compare(entry.plan, body)

    async def catch_up(self, party: Party) -> None:
        """Tell a holder that has just connected all that was posted for keys that are not made."""
        name, told = self.desk.group.names[party], _TOLD
        for entry in self.records.all_keys():
            if entry.state in told and name in due(entry.plan, STATIC):
                for posting in self.records.board(entry.plan).postings:
                    await self.desk.tell(party, "posting", posting)

    def resume(self) -> None:
        """Go on with every generation that waits for this node, or for its passphrase."""
        for entry in self.records.all_keys():
            if entry.state is KeyState.GENERATING:
                self.advance(entry.plan.digest())
                self._tell(entry.plan, self._own(entry.plan))
            elif entry.state is KeyState.EXPIRED and self._never_ready(entry.plan):
                self.withdraw(entry.plan.digest(), "its time is over")
            elif entry.key is not None:
                self.keep_share_of(entry.key)

    def withdraw(self, digest: bytes, reason: str) -> None:
        """Say that this new holder of a key is not ready and never will be. Raises `Refused`."""
        plan, me = self.records.key(digest).plan, self.desk.home.name
        board = self.records.board(plan)
        if me not in due(plan, WITHDRAWAL) or me not in board.lacking(CONFIRMATION):
            raise Refused(
                f"{me} has no part in this, or said already that it is ready",
                hint="wait until the others are, or until one of them withdraws",
            )
        if me in board.of(WITHDRAWAL, Withdrawn):
            return
        posting = make_posting(self.desk.home.identity, digest, WITHDRAWAL, me, Withdrawn(reason))
        self.take(posting)
        self._tell(plan, (posting,))

    def begin(self, digest: bytes) -> None:
        """Begin a generation once the answers that allow it are kept."""
        asyncio.get_running_loop().call_soon(self.advance, digest)

    def advance(self, digest: bytes) -> None:
        """Take every step of one generation that this node can take now."""
        try:
            while posted := self._step(self.records.key(digest)):
                self._tell(posted[0], (posted[1],))
        except Unavailable as e:
            log.warning("a key generation waits", why=str(e))
        except Abort as e:
            self._failed(self.records.key(digest), e)

    def keep_share_of(self, key: Key) -> None:
        """Keep this member's share of a key that now exists, if it took part in making it."""
        keep_share_of(self.custody, key)

    def _never_ready(self, plan: KeyPlan) -> bool:
        board, me = self.records.board(plan), self.desk.home.name
        return me in due(plan, WITHDRAWAL) and me in (
            set(board.lacking(CONFIRMATION)) & set(board.lacking(WITHDRAWAL))
        )

    # Steps

    def _step(self, entry: KeyEntry) -> tuple[KeyPlan, Posting] | None:
        """Take the next step and return what it posts; None where there is nothing to do now."""
        plan, me = entry.plan, self.desk.home.name
        if entry.state is not KeyState.GENERATING or me not in due(plan, STATIC):
            return None
        board = self.records.board(plan)
        if me in board.lacking(STATIC):
            return plan, self._post_static(plan)
        if board.lacking(STATIC):
            return None
        if me in board.lacking(DEALING):
            return plan, self._post_dealing(plan, board.setup())
        if board.lacking(DEALING):
            return None
        if me in board.lacking(CONFIRMATION):
            dealings = tuple(board.of(DEALING, SignedDealing).values())
            return plan, self._post_confirmation(plan, board.setup(), dealings)
        if me in plan.names and not board.lacking(CONFIRMATION):
            self._finish(plan, tuple(board.of(CONFIRMATION, Confirmed).values()))
        return None

    def _post_static(self, plan: KeyPlan) -> Posting:
        kept = Kept(os.urandom(32), None, None)
        body = make_static_key(plan, self.desk.home.name, static_key(kept.seed))
        return self._post(plan, STATIC, body, kept)

    def _post_dealing(self, plan: KeyPlan, setup: Setup) -> Posting:
        kept = kept_of(self.custody, plan)
        identity, static = self.desk.home.identity, static_key(kept.seed)
        if plan.renews is ABSENT:
            dealing = dkg.round1(setup, static, identity, os.urandom)
        else:
            share = self.custody.share(plan.renews.public.key_id())
            dealing = reshare.round1(setup, share, static, identity, os.urandom)
        return self._post(plan, DEALING, dealing, replace(kept, dealing=dealing))

    def _post_confirmation(
        self, plan: KeyPlan, setup: Setup, dealings: tuple[SignedDealing, ...]
    ) -> Posting:
        kept = kept_of(self.custody, plan)
        static = static_key(kept.seed)
        proof: bytes | Absent = ABSENT
        try:
            if plan.renews is ABSENT:
                pending, confirmation = dkg.round2(setup, static, kept.dealing, dealings)
            else:
                self.handing.check_free(plan)
                pending, ready = reshare.round2(setup, static, dealings)
                confirmation, proof = ready.confirmation, ready.proof
        except Abort as e:
            self._complain(plan, setup, dealings, e)
            raise
        certificate = sign_key(self.desk.home.identity, plan, pending.public)
        body = Confirmed(confirmation, certificate, proof)
        return self._post(plan, CONFIRMATION, body, replace(kept, pending=pending))

    def _finish(self, plan: KeyPlan, confirmed: tuple[Confirmed, ...]) -> None:
        """Check what all confirmed, and keep key and share. Raises `Abort`."""
        if plan.renews is not ABSENT:
            self.handing.start(plan.digest())
            return
        pending = kept_of(self.custody, plan).pending
        if pending is None:
            raise Abort("this holder confirmed what it does not have")
        try:
            generated = dkg.round3(pending, [one.confirmation for one in confirmed])
        except Abort as e:
            if e.suspects:
                raise
            return  # they saw different dealings: `_compare` finds out whose
        for seat, (holder, one) in enumerate(zip(plan.holders, confirmed, strict=True)):
            try:
                verify_key_signature(plan, generated.share.public, holder, one.certificate)
            except VerificationFailed as e:
                raise Abort(str(e), suspects=[seat]) from None
        key = Key(plan, generated.share.public, tuple(one.certificate for one in confirmed))
        self.keys.take_key(key)
        self.tasks.create_task(self._announce(key))

    async def _announce(self, key: Key) -> None:
        try:
            await self.desk.tell_all("certified", key)
        except Error as e:
            log.warning("key not told", id=key.plan.short_id, why=str(e))

    # What goes wrong

    def _compare(self, plan: KeyPlan, theirs: Confirmed) -> None:
        """Show all what this node was sent, where another confirms something else."""
        own = self.records.board(plan).of(CONFIRMATION, Confirmed).get(self.desk.home.name)
        if own and own.confirmation.transcript != theirs.confirmation.transcript:
            log.warning("holders saw different dealings", id=plan.short_id)
            self._tell(plan, self.records.board(plan).postings)

    def _complain(
        self, plan: KeyPlan, setup: Setup, dealings: tuple[SignedDealing, ...], error: Abort
    ) -> None:
        """Show all others that a well-formed dealing holds no share for this holder."""
        static, me = static_key(kept_of(self.custody, plan).seed), self.desk.home.name
        for seat in error.culprits:
            complaint = complain(setup, static, seat + 1, dealings[seat].dealing, os.urandom)
            posting = make_posting(self.desk.home.identity, plan.digest(), COMPLAINT, me, complaint)
            self.records.add_posting(posting)
            self._tell(plan, (posting,))
            return  # one is enough to end it

    def _judge(self, entry: KeyEntry, complaint: Complaint) -> None:
        """End a generation if a complaint proves that somebody cheated."""
        try:
            accused = convicted(self.records.board(entry.plan), complaint)
        except (VerificationFailed, NotFound) as e:
            log.warning("a complaint proves nothing", id=entry.plan.short_id, why=str(e))
            return
        self._end(entry, accused, "sent a holder what is no share of its dealing")

    def _two_stories(self, entry: KeyEntry, one: Posting, other: Posting) -> None:
        """Two different postings of one holder for one step: proof, for all to see."""
        self._end(entry, one.member, f"posted two different things in step {one.round}")
        self._tell(entry.plan, (one, other))

    def _failed(self, entry: KeyEntry, error: Abort) -> None:
        for seat in error.culprits:
            self._end(entry, due(entry.plan, DEALING)[seat], str(error))
            return
        self.records.set_key_state(entry.plan.digest(), entry.state, str(error))
        log.warning("a key generation cannot go on", id=entry.plan.short_id, why=str(error))

    def _end(self, entry: KeyEntry, culprit: str, what: str) -> None:
        """End a generation for good, naming who is proven to have cheated."""
        if self.records.key(entry.plan.digest()).state is not KeyState.GENERATING:
            return
        note = f"{culprit} cheated: {what}"
        log.warning("cheating proven", id=entry.plan.short_id, member=culprit, what=what)
        with self.desk.store.transaction():
            self.desk.audit.append("cheating proven", f"key {entry.plan.name}: {note}")
            self.keys.move(entry.plan.digest(), KeyEvent.ABORTED, note)
            if entry.plan.renews is ABSENT:  # else what this node said it has, it keeps
                self.records.drop_sealed(sealed_name(entry.plan))

    # Shared

    def _post(self, plan: KeyPlan, number: int, body: Body, kept: Kept) -> Posting:
        """Seal what is to be kept, and keep the posting, before anybody is told."""
        home = self.desk.home
        posting = make_posting(home.identity, plan.digest(), number, home.name, body)
        with self.desk.store.transaction():
            self.custody.keep(sealed_name(plan), kept)
            self.records.add_posting(posting)
        return posting

    def _posted(self, plan: KeyPlan, number: int, member: str) -> Posting | None:
        found = (
            p for p in self.records.board(plan).postings if (p.round, p.member) == (number, member)
        )
        return next(found, None)

    def _own(self, plan: KeyPlan) -> tuple[Posting, ...]:
        return tuple(
            p for p in self.records.board(plan).postings if p.member == self.desk.home.name
        )

    def _tell(self, plan: KeyPlan, postings: tuple[Posting, ...]) -> None:
        """Tell the other holders, in the background; who is away hears it when it is back."""
        others = [name for name in due(plan, STATIC) if name != self.desk.home.name]
        for party in map(self.desk.group.party, others):
            self.tasks.create_task(self._tell_one(party, postings))

    async def _tell_one(self, party: Party, postings: tuple[Posting, ...]) -> None:
        try:
            for posting in postings:
                await self.desk.tell(party, "posting", posting)
        except Error as e:
            log.info("posting not told", member=self.desk.group.names[party], why=str(e))
