"""Runs: a study goes from approved to released among all members' nodes, or aborts cleanly.

    starter                          each other member
    prepare (with all approvals) →   verifies them, computes its own part, opens the session
    go →                             runs; every node conducts the session itself

A run that is prepared but never begun ends by itself. Whatever goes wrong, the
node is ready for the next run, and the audit log says what happened. The other
members are told *that* this member's rows were refused, never why.
"""

import asyncio
import os
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from quorate import __version__, wire
from quorate.errors import (
    Abort,
    DataError,
    Disrupted,
    Error,
    Party,
    Refused,
    Unavailable,
    VerificationFailed,
)
from quorate.node.dealings import keep_dealings
from quorate.node.desk import Desk
from quorate.node.enclosure import hosted
from quorate.node.evidence import keep_evidence
from quorate.node.lifecycle import Event, State, after
from quorate.node.messages import Ack, Go, Prepare, Prepared
from quorate.node.program import measurement
from quorate.node.run import OWN_ROWS, Progress, Run
from quorate.node.store import Outcome, Seen
from quorate.studies.approval import verify_all_approve
from quorate.studies.cost import run_cost
from quorate.studies.plan import Plan
from quorate.studies.planning import check
from quorate.studies.protocols import BY_ENCLAVE
from quorate.studies.release import Release, verify_release
from quorate.studies.runners.run import run_plan
from quorate.studies.times import check_time, utc_text
from quorate.threshold.together import GroupSigner
from quorate.transport.containment import contained
from quorate.transport.link import EARLY
from quorate.transport.session import Session, together

PREPARE_S = 600.0
"""The longest a member may take over its own rows. A dead member is noticed sooner."""

CLOCK_S = 600
"""Seconds by which members' clocks may differ."""

log = structlog.get_logger()


@dataclass(slots=True)
class Runs:
    """All runs on this node."""

    desk: Desk
    tasks: asyncio.TaskGroup
    check_past: Callable[[], Awaitable[None]]  # raises if others have seen a later past of this
    on_end: Callable[[], None] = lambda: None
    group_signer: Callable[[], GroupSigner | None] = lambda: None
    """Returns this member's part in the group's own key, if the group has one."""
    current: dict[int, Run] = field(default_factory=dict)

    def recover(self) -> None:
        """Mark as failed what was running when this node last stopped."""
        for entry in self.desk.store.all_studies():
            if entry.state is State.RUNNING:
                self._note_failure(entry.plan, "this node stopped during the run")

    def stop(self) -> None:
        """Give up runs that wait for their beginning; the others end with their links."""
        for run in self.current.values():
            run.give_up(Abort("this node stops"))

    # The starter

    def start(self, digest: bytes) -> Run:
        """Begin a run of an approved study with everybody. Follow it with `Run.follow`."""
        self.desk.expire()
        entry = self.desk.store.study(digest)
        if entry.state is not State.PROPOSED:
            after(entry.state, Event.STARTED)
        session, now = secrets.randbits(62) + 1, self.desk.now()
        words = self.desk.store.approvals(digest)
        approvals = verify_all_approve(self.desk.group, entry.plan, words, now)
        earlier = self.desk.cohorts.earlier(entry.plan) or wire.ABSENT
        request = Prepare(digest, session, utc_text(now), approvals, self._group_key(), earlier)
        run = self._open(entry.plan, request, self.desk.me)
        self.tasks.create_task(self._lead(run, request))
        return run

    async def _lead(self, run: Run, request: Prepare) -> None:
        """Bring all members to the beginning of a run; they conduct it themselves."""
        run.tell(Progress(OWN_ROWS, 0))
        try:
            await self.desk.peers.wait_ready(self.desk.home.timeout_s)
            released = await self._prepare_all(run, request)
            if released is not None and released.release is not None:
                await self._adopt(run, released.release, released.answer)
                return
        except Error as e:
            run.give_up(e)
            await self._tell_others("cancel", run)
            return
        await self._tell_others("go", run)
        run.begin.set()

    async def _prepare_all(self, run: Run, request: Prepare) -> Prepared | None:
        """Prepare here and everywhere; return the answer of a member that has the release."""
        asked: list[Awaitable[Prepared | Abort]] = [
            self._ask_prepare(p, request) for p in self._others()
        ]
        if run.plan.study.privacy is None:
            asked.append(self._prepare_here(run))
        answers = await together(*asked)
        released = next((one for one in answers if isinstance(one, Prepared) and one.release), None)
        if released is not None:
            return released  # also where others lost their answers
        if refusal := next((one for one in answers if isinstance(one, Abort)), None):
            raise refusal
        if run.plan.study.privacy is not None:
            await self._prepare_here(run)  # after the others: its own answer may be lost
        return None

    async def _ask_prepare(self, party: Party, request: Prepare) -> Prepared | Abort:
        peers = self.desk.peers
        try:
            return await peers.ask(party, "prepare", request, Prepared, timeout_s=PREPARE_S)
        except Refused as e:
            return Abort(str(e), suspects=[party], hint=e.hint)

    async def _adopt(self, run: Run, release: Release, answer: bytes) -> None:
        """Take over the release of a run that this member did not see the end of."""
        await self._tell_others("cancel", run)
        if release.plan != run.plan:
            raise Abort("a member answered with the release of another study")
        try:
            verify_release(release, group=self.desk.group)
        except VerificationFailed as e:
            raise Abort(f"a member answered with a release that does not verify: {e}") from None
        self._close(run)
        with self.desk.store.transaction():
            self.desk.budgets.adopt(release, answer)
            self._note_release(run, release, None)

    async def _tell_others(self, topic: str, run: Run) -> None:
        """Tell all; who does not answer is found out by the session itself."""

        async def tell(party: Party) -> None:
            try:
                await self.desk.peers.ask(
                    party, topic, Go(run.session), Ack, timeout_s=self.desk.home.timeout_s
                )
            except (Abort, Refused) as e:
                log.warning("not told", member=self.desk.group.names[party], why=str(e))

        await together(*map(tell, self._others()))

    def _others(self) -> list[Party]:
        return [p for p in range(len(self.desk.group.members)) if p != self.desk.me]

    # Every member

    async def on_prepare(self, party: Party, body: bytes) -> bytes:
        """Get ready for a run another member starts."""
        request = wire.decode(body, Prepare)
        entry = self.desk.store.study(request.plan)
        if entry.release is not None:
            return wire.encode(Prepared(entry.release, self.desk.budgets.answer(entry.plan)))
        for signed in request.approvals:
            self.desk.take_approval(signed)
        self.desk.expire()
        run = self._open(entry.plan, request, party)
        try:
            return wire.encode(await self._prepare_here(run))
        except (DataError, Refused, Unavailable) as e:  # why is this member's own business
            run.give_up(e)
            if run.plan.privacy != "none" and isinstance(e, Refused):
                raise  # a budget, which depends on no row
            raise Refused("its own rows cannot be used as the study declares") from None
        except Error as e:
            run.give_up(e)
            raise

    async def on_go(self, party: Party, body: bytes) -> bytes:
        """Begin a prepared run."""
        self._of(party, body).begin.set()
        return wire.encode(Ack())

    async def on_cancel(self, party: Party, body: bytes) -> bytes:
        """Give up a run that is prepared here."""
        why = f"{self.desk.group.names[party]} called the run off"
        self._of(party, body).give_up(Abort(why, suspects=[party]))
        return wire.encode(Ack())

    def _of(self, party: Party, body: bytes) -> Run:
        run = self.current.get(wire.decode(body, Go).session)
        if run is None or run.starter != party or run.begin.is_set():
            raise Refused("no such run waits here")
        return run

    def _open(self, plan: Plan, request: Prepare, starter: Party) -> Run:
        """Check that `plan` may run now, and let a run of it wait for its beginning."""
        desk = self.desk
        check(plan, desk.group)
        desk.policy.check(plan)
        self._check_request(request)
        at = datetime.fromisoformat(request.time)
        approvals = verify_all_approve(desk.group, plan, request.approvals, at)
        if approvals != request.approvals:
            raise Refused("the approvals are not one of each member, in the order of seats")
        desk.check_bundle_classes(plan, approvals)
        if request.group_key != self._group_key():
            raise Refused(
                "this node and the starter's do not know the same key of the group",
                hint="see it with: quorate key show group",
            )
        earlier = request.earlier if isinstance(request.earlier, tuple) else ()
        run = Run(plan, request.session, request.time, starter, approvals, earlier=earlier)
        with self.desk.store.transaction():
            self.desk.move(plan, Event.STARTED)
            desk.audit.append("run started", f"{plan.short_id} by {desk.group.names[starter]}")
        self.current[run.session] = run
        self.tasks.create_task(self._conduct(run))
        return run

    def _group_key(self) -> bytes:
        signer = self.group_signer()
        return b"" if signer is None else signer.public.key_id()

    def _check_request(self, request: Prepare) -> None:
        if not 0 < request.session < 1 << 63 or request.session in self.current:
            raise Refused("the run's session number cannot be used")
        check_time(request.time)
        apart = abs(datetime.fromisoformat(request.time) - self.desk.now())
        if apart > timedelta(seconds=CLOCK_S):
            raise Refused(
                f"this node's clock and the starter's differ by {apart.total_seconds():.0f} s",
                hint="set the clocks; quorate doctor shows whose is off",
            )

    async def _prepare_here(self, run: Run) -> Prepared:
        if await self.desk.data_changed(run.plan):
            run.notices = ("this member's data has changed since it approved",)
            self.desk.audit.append("data changed", f"{run.plan.short_id}, since it was approved")
        if run.plan.study.privacy is not None:
            await self.check_past()
            run.standing = self.desk.budgets.reserve(run.plan)
        if not run.standing.answer:
            run.own = await self.desk.own_part(run.plan)
        if run.plan.study.is_guarded:
            self.desk.cohorts.ask(run.plan, run.earlier, self.desk.policy.guards_a_day)
            run.marks = await asyncio.to_thread(self.desk.cohorts.marks, run.plan)
            run.differences = self.desk.cohorts.differences(run.plan, run.earlier, run.marks)
        if run.plan.study.is_scored:
            self.desk.scores.begin(run.plan)
        ahead = max(EARLY, *run_cost(run.plan).bytes_sent)  # no one is further than all it sends
        run.channel = self.desk.peers.channel(run.session, ahead)
        return Prepared(None)

    async def _conduct(self, run: Run) -> None:
        """See one run through to its end, whatever that is."""

        def failed(why: str, error: Error) -> None:
            self._close(run)
            if isinstance(error, Disrupted) and error.evidence:
                keep_evidence(self.desk, run, error.evidence)
            self._note_failure(run.plan, why)
            run.tell(Progress("failed", len(run.steps), error=error))

        def note_bug(kind: str) -> None:
            error = Error(f"internal error ({kind})", hint="quorate node logs")
            failed("internal error", error)

        try:
            with contained("run failed", note_bug):
                try:
                    await self._wait_for_beginning(run)
                    await self._run(run)
                except Error as e:
                    failed(str(e), e)
        finally:
            del self.current[run.session]
            self.on_end()

    async def _wait_for_beginning(self, run: Run) -> None:
        """Wait for the starter's word, for as long as the starter is there to give it."""
        name = self.desk.group.names[run.starter]
        waits = [asyncio.ensure_future(run.begin.wait())]
        if run.starter != self.desk.me and (link := self.desk.peers.peers[run.starter].link):
            waits.append(asyncio.ensure_future(link.lost_event.wait()))
        try:
            await asyncio.wait(waits, timeout=PREPARE_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        if not run.begin.is_set():
            raise Abort(f"{name} did not begin the run", suspects=[run.starter])
        if run.cancelled is not None:
            raise run.cancelled

    async def _run(self, run: Run) -> None:
        if run.channel is None:
            return  # another member's release was adopted
        desk, clock = self.desk, asyncio.get_running_loop().time
        started = clock()
        session = Session(desk.me, desk.group.names, run.channel, desk.home.timeout_s)

        def progress(stage: str) -> None:
            desk.budgets.at_stage(run.plan, stage)
            sent = session.meter.bytes_sent
            run.tell(Progress(stage, run.steps.index(stage), session.rounds, sent))

        inside = run.plan.protocol == BY_ENCLAVE
        with hosted(desk.home, run.plan) as machine:
            async with session:
                ran = await run_plan(
                    session,
                    run.plan,
                    desk.group,
                    run.own,
                    approvals=run.approvals,
                    time=run.time,
                    version=f"quorate {__version__}",
                    key=desk.home.identity,
                    group_signer=self.group_signer(),
                    standing=run.standing,
                    differences=run.differences,
                    claim=lambda i: desk.store.claim_session(i, run.plan.digest()),
                    randomness=os.urandom,
                    progress=progress,
                    aside=asyncio.to_thread,
                    measured=measurement(run.plan.study, desk.group) if inside else b"",
                    machine=machine,
                )
        run.own = ()  # rows, where a third party saw them, are not kept
        desk.budgets.release(run.plan, ran.answer)
        outcome = Outcome(
            ran.release.certificate.session,
            session.rounds,
            session.meter.bytes_sent,
            session.meter.bytes_received,
            round((clock() - started) * 1e6),
            tuple(Seen(desk.group.names[p], words) for p, words in ran.seen.items()),
            run.notices,
        )
        with desk.store.transaction():
            if ran.scores is not None:
                desk.scores.keep(run.plan, ran.scores)
            if ran.dealings is not None:
                keep_dealings(desk, run.plan, ran.dealings)
            self._note_release(run, ran.release, outcome)

    def _close(self, run: Run) -> None:
        if run.channel is not None:
            run.channel.close(None)
            run.channel = None

    def _note_release(self, run: Run, release: Release, outcome: Outcome | None) -> None:
        with self.desk.store.transaction():
            self.desk.store.set_release(run.plan.digest(), release, outcome)
            self.desk.move(run.plan, Event.CERTIFIED)
            self.desk.cohorts.keep(run.plan, run.marks)
            session = release.certificate.session.hex()[:16]
            self.desk.audit.append("released", f"{run.plan.short_id} in session {session}")
        rounds, sent = (outcome.rounds, outcome.bytes_sent) if outcome else (0, 0)
        run.tell(Progress("released", len(run.steps), rounds, sent, done=True))
        run.begin.set()

    def _note_failure(self, plan: Plan, why: str) -> None:
        log.warning("aborted", study=plan.short_id, why=why)
        with self.desk.store.transaction():
            self.desk.move(plan, Event.ABORTED, why)
            self.desk.audit.append("aborted", f"{plan.short_id}: {why}")
