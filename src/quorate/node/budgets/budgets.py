"""The budgets of this member's data: refused before any row is read, spent before anything opens.

One ledger for each registered table. Around a run of a plan under privacy the node reserves its
cost, before it looks at a row; says that it opens, before what it sends could reveal the
result; and keeps the answer, which it gives again for free. The cap is the owner's, set on this
node; a new period begins when the owner says so, never by the clock.

Each entry of a ledger is told in the audit log, whose heads the other members hold. So a ledger
that was put back to an older copy is contradicted by this node's log, and a whole folder
that was, by the other members: nothing is reserved then.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from quorate import wire
from quorate.dp import chain
from quorate.dp.accounting import MOST, Charge
from quorate.dp.caps import Cap, decimal_of
from quorate.dp.chain import NOTHING_SEEN, Entry, State, digest_of
from quorate.dp.ledger import Ledger
from quorate.errors import Abort, NotFound, Refused, VerificationFailed
from quorate.node.audit import AuditLog
from quorate.node.budgets.rows import LedgerRows, OwnersCap, all_caps, cap_of, set_cap
from quorate.node.store import Store
from quorate.studies.noise_disclosure import cost_of, cost_text, noise_in_words
from quorate.studies.plan import Plan
from quorate.studies.release import Release
from quorate.studies.runners.noise import OPENS, Standing, totals_in

SET = "budget set"
EVENTS = {
    State.RESERVED: "budget reserved",
    State.OPENED: "budget opened",
    State.RELEASED: "budget released",
}
UNLIMITED = Cap(nano_rho=MOST)
"""For what was released already."""

_MAX_WORDS = 4000


@dataclass(frozen=True, slots=True)
class Budgets:
    """All ledgers of this node, and the owner's caps."""

    store: Store
    audit: AuditLog
    now: Callable[[], datetime]

    # The owner

    def set(
        self, dataset: str, nano_epsilon: int | None, nano_rho: int | None, period: str
    ) -> OwnersCap:
        """Let so much be spent; under another period's name, so much anew. Raises `Refused`."""
        Cap(nano_epsilon, nano_rho)
        known, spent = cap_of(self.store, dataset), self._ledger(dataset).spent()
        same = known is not None and known.period == period
        before = known.before if known is not None and same else spent
        cap = OwnersCap(dataset, period, nano_epsilon, nano_rho, before)
        with self.store.transaction():
            set_cap(self.store, cap)
            self.audit.append(SET, f"{dataset}: {_amounts(cap)} in period {period}")
        return cap

    def caps(self) -> tuple[OwnersCap, ...]:
        return all_caps(self.store)

    def cap(self, dataset: str) -> OwnersCap:
        """Return what the owner lets be spent. Raises `NotFound`."""
        found = cap_of(self.store, dataset)
        if found is None:
            raise NotFound(
                f"no budget is set for {dataset}", hint=f"quorate budget set {dataset} --epsilon 4"
            )
        return found

    def spent(self, dataset: str) -> Charge:
        """Return what all releases from these data cost so far, in all periods."""
        return self._ledger(dataset).spent()

    def history(self, dataset: str) -> tuple[Entry, ...]:
        """Return the ledger, verified. Raises `VerificationFailed` if it is not the one told of."""
        chain = self._ledger(dataset).verified(NOTHING_SEEN)
        events = set(EVENTS.values())
        log = (item.entry for item in self.audit.verified())
        told = [e.details for e in log if e.event in events and e.details.startswith(f"{dataset}:")]
        if told != [_told(dataset, entry) for entry in chain]:
            raise VerificationFailed(
                f"the ledger of {dataset} is not the one that this node's audit log tells of",
                hint="bring back the latest copy; nothing can be released from these data before",
            )
        return chain

    # Around a run

    def check(self, plan: Plan) -> None:
        """Raise `Refused` if the plan costs more than there is; nothing is written, no row read."""
        dataset = plan.study.table.name
        self.history(dataset)
        self._ledger(dataset).check(_asked(plan), self._cap(dataset))

    def reserve(self, plan: Plan) -> Standing:
        """Reserve what the plan costs, or find its answer. Raises `Refused`, with the numbers."""
        dataset = plan.study.table.name
        self.history(dataset)
        ledger, cap = self._ledger(dataset), self._cap(dataset)
        before = ledger.head()
        with self.store.transaction():
            answer = ledger.reserve(_asked(plan), cap, self.now())
            if ledger.head() != before:
                self._tell(dataset, _asked(plan).name)
        epsilon, rho = self.left(dataset)
        return Standing(answer or b"", epsilon, rho)

    def at_stage(self, plan: Plan, stage: str) -> None:
        """Say that what is sent from now on may reveal the result, if that is so at this stage."""
        if plan.study.privacy is None or stage not in OPENS:
            return
        dataset, name = plan.study.table.name, _asked(plan).name
        with self.store.transaction():
            self._ledger(dataset).open(name, self.now())
            self._tell(dataset, name)

    def release(self, plan: Plan, answer: bytes) -> None:
        """Keep the answer of a plan under privacy, unless it is kept already."""
        if plan.study.privacy is None:
            return
        dataset, asked = plan.study.table.name, _asked(plan)
        ledger = self._ledger(dataset)
        with self.store.transaction():
            if ledger.state_of(asked.name) is not State.RELEASED:
                ledger.release(asked.name, answer, self.now())
                self._tell(dataset, asked.name)

    def answer(self, plan: Plan) -> bytes:
        """Return what the ledger keeps of a plan's release; nothing where it keeps none."""
        if plan.study.privacy is None:
            return b""
        return self._ledger(plan.study.table.name).answer_of(_asked(plan).name)

    def adopt(self, release: Release, answer: bytes) -> None:
        """Keep what another member keeps of a release whose run this one did not see the end of.

        It is charged whatever the cap, if it was not: all members signed it, so it is out. Raises
        `Abort` where `answer` is not what the release was computed from.
        """
        plan = release.plan
        if plan.study.privacy is None:
            return
        if plan.results(totals_in(answer)) != release.certificate.results:
            raise Abort("a member answered with noisy totals that are not those of the release")
        dataset, asked = plan.study.table.name, _asked(plan)
        ledger = self._ledger(dataset)
        with self.store.transaction():
            if ledger.state_of(asked.name) is None:
                ledger.reserve(asked, UNLIMITED, self.now())
                self._tell(dataset, asked.name)
            if ledger.state_of(asked.name) is State.RESERVED:
                ledger.open(asked.name, self.now())
                self._tell(dataset, asked.name)
            self.release(plan, answer)

    def left(self, dataset: str) -> tuple[int | None, int | None]:
        """Return what is left of a budget, in 10^-9 of epsilon and of rho."""
        cap, spent = self.cap(dataset), self.spent(dataset)
        epsilon = _rest(cap.nano_epsilon, spent.nano_epsilon, cap.before.nano_epsilon)
        return epsilon, _rest(cap.nano_rho, spent.nano_rho, cap.before.nano_rho)

    def _cap(self, dataset: str) -> Cap:
        try:
            cap = self.cap(dataset)
        except NotFound as e:
            raise Refused(str(e), hint=e.hint) from None
        return Cap(cap.nano_epsilon, cap.nano_rho, cap.before)

    def _ledger(self, dataset: str) -> Ledger:
        return Ledger(LedgerRows(self.store, dataset))

    def _tell(self, dataset: str, name: str) -> None:
        """Tell the audit log of the ledger's last entry."""
        entry = self._ledger(dataset).last()
        if entry is None or entry.release.name != name:
            raise VerificationFailed(f"the ledger of {dataset} does not end with {name}")
        self.audit.append(EVENTS[entry.state], _told(dataset, entry))


def release_name(plan: Plan) -> str:
    """Return the name of what a plan releases: the same study among the same members is one."""
    what = (plan.study, plan.group, plan.members, plan.protocol, plan.t, plan.software)
    return wire.digest("noisy release", what).hex()


def _asked(plan: Plan) -> chain.Release:
    name, words = release_name(plan), "; ".join(noise_in_words(plan))
    return chain.Release(name, bytes.fromhex(name), words[:_MAX_WORDS], cost_of(plan))


def _told(dataset: str, entry: Entry) -> str:
    """Return what the audit log says of an entry: so much that no other entry fits."""
    cost = cost_text(replace(entry.release.charge, atto_distance=0))
    digest = digest_of(entry).hex()
    return f"{dataset}: entry {entry.number}, {entry.release.name[:16]}, {cost}, {digest}"


def _rest(most: int | None, spent: int | None, before: int | None) -> int | None:
    if most is None:
        return None
    gone = 0 if spent is None or before is None else spent - before
    return max(most - gone, 0)


def _amounts(cap: OwnersCap) -> str:
    parts = (("epsilon", cap.nano_epsilon), ("rho", cap.nano_rho))
    return " and ".join(
        f"{name} {decimal_of(amount)}" for name, amount in parts if amount is not None
    )
