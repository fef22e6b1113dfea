"""Run a plan, under whatever model of trust: the computation, then all members' signatures.

Who holds what: each member the aggregates of its own rows; nobody those of
another. The plan says by which protocol they are added up: the secure sum of all members, or
a committee of three that withholds small cells before anybody sees them. What is protected
and what is not stands in `mpc.additive`, in `studies.committee` and, for
people, in the plan's disclosure. Each member computes the results itself from
what is revealed, signs only a certificate it made itself, and releases only with
every member's signature. A plan under privacy is run by `runners.noise`.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from numpy.typing import NDArray

from quorate import wire
from quorate.algebra import ring
from quorate.algebra.ring import Words
from quorate.enclave.receipt import Archive
from quorate.errors import Abort, Party, VerificationFailed
from quorate.mpc import additive
from quorate.mpc.agreement import Claim, Randomness
from quorate.studies import committee
from quorate.studies.approval import SignedApproval
from quorate.studies.dealings import Dealings
from quorate.studies.evidence import run_context
from quorate.studies.group import Group
from quorate.studies.inside import Machine
from quorate.studies.plain import results_of_words
from quorate.studies.plan import Plan
from quorate.studies.protocols import (
    ADDITIVE,
    BY_ENCLAVE,
    BY_THIRD_PARTY,
    COMMITTEE,
    JOINT_NOISE,
    NOISE_IN_SHARES,
    NOISE_ON_RECORDS,
    ON_ROWS,
    SCORE,
    STEPS,
    TABLES,
    Protocol,
)
from quorate.studies.release import (
    Certificate,
    Left,
    Release,
    Signature,
    certify,
    group_message,
    sign_certificate,
    verify_signature,
)
from quorate.studies.results import Result
from quorate.studies.runners import (
    enclave,
    guard,
    local_noise,
    noise,
    score,
    steps,
    tables,
    third_party,
)
from quorate.studies.runners.enclave import Attending
from quorate.studies.runners.noise import Standing
from quorate.studies.running import Aside, Running, at_once
from quorate.threshold.together import GroupSigner
from quorate.transport.session import Session
from quorate.transport.signed import Signing

STAGES = {
    ADDITIVE: ("keys", "masked values", "confirmation", "opening"),
    COMMITTEE: ("keys", "shares", "small cells", "reveal"),
    NOISE_IN_SHARES: noise.STAGES_SHARES,
    JOINT_NOISE: noise.STAGES_JOINT,
    NOISE_ON_RECORDS: local_noise.STAGES,
    SCORE: score.STAGES,
    STEPS: steps.STAGES,
    TABLES: tables.STAGES,
    BY_THIRD_PARTY: third_party.STAGES,
    BY_ENCLAVE: enclave.STAGES,
}
SIGNATURES = "signatures"
NO_LEDGER = Standing(b"", None, None)


@dataclass(frozen=True, slots=True)
class Computed:
    """What either protocol ends with."""

    results: tuple[Result, ...]
    session_id: bytes
    seen: dict[Party, Words]
    left: tuple[Left, ...] = ()
    answer: bytes = b""
    scores: tuple[int, ...] | None = field(default=None, repr=False)
    archive: Archive | wire.Absent = wire.ABSENT
    dealings: Dealings | None = field(default=None, repr=False)


Compute = Callable[[Running], Awaitable[Computed]]


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run gives one member: the release, and what it was sent on the way."""

    release: Release
    seen: dict[Party, tuple[int, ...]]
    answer: bytes  # for this member's ledger, where the plan is under privacy
    scores: tuple[int, ...] | None = field(default=None, repr=False)
    """Of each patient, at the member that alone learns them; in nobody's release."""
    dealings: Dealings | None = field(default=None, repr=False)
    """What this member keeps for an audit, where a committee decides."""


async def run_plan(
    session: Session,
    plan: Plan,
    group: Group,
    own: Sequence[int] | NDArray[np.int64],
    *,
    approvals: tuple[SignedApproval, ...],
    time: str,
    version: str,
    key: Ed25519PrivateKey,
    group_signer: GroupSigner | None = None,
    standing: Standing = NO_LEDGER,
    differences: tuple[int, ...] = (),
    claim: Claim,
    randomness: Randomness,
    progress: Callable[[str], None] = lambda _: None,
    aside: Aside = at_once,
    measured: bytes = b"",
    machine: Machine | None = None,
) -> Ran:
    """Add up everyone's `own` values of `plan.inputs` and certify the results.

    `approvals`, one of each member by seat, and `time` are the run's, the same
    at all members; verifying them is the caller's. `standing` is where this member's
    ledger stands, for a plan under privacy; `differences` are from earlier cohorts,
    for one that is guarded; `measured` is what this member's build of an enclave measures to,
    `machine` where it runs, at its host. Raises `Abort`, `SessionReused`.

    Cost: `studies.cost.run_cost`; with `differences` also `guard_cost`; with `group_signer`,
    where the group has a key, also that of its `sign`
    """
    context = run_context(plan, approvals, time)
    running = Running(session, plan, _words(own), context, claim, randomness, progress, aside)
    earlier = replace(running, session=session.at("guard"), own=_words(differences))
    await guard.refuse_near(earlier)
    signing = Signing(key, tuple(member.public_key for member in group.members))
    attending = Attending(group, key, approvals, time, measured, machine)
    computed = await _compute(running, standing, signing, attending)
    certificate = certify(
        plan,
        approvals,
        session=computed.session_id,
        results=computed.results,
        time=time,
        software=version,
        group_key=group_signer.public.group if group_signer else b"",
        left=computed.left,
    )
    progress(SIGNATURES)
    signatures = await _sign_together(session, group, certificate, key)
    group_signature = b""
    if group_signer is not None:
        message = group_message(certificate)
        group_signature = await group_signer.sign(session, computed.session_id, message)
    seen = {party: tuple(first.tolist()) for party, first in computed.seen.items()}
    release = Release(
        plan, group, approvals, certificate, signatures, group_signature, computed.archive
    )
    return Ran(release, seen, computed.answer, computed.scores, computed.dealings)


def stages_of(
    protocol: Protocol, *, guarded: bool = False, under_privacy: bool = False
) -> tuple[str, ...]:
    """Return what `progress` is told in a run of a plan with this protocol, in order."""
    noised = under_privacy and protocol in ON_ROWS
    own = ("ledgers", *STAGES[protocol]) if noised else STAGES[protocol]
    return (*([guard.STAGE] if guarded else []), *own, SIGNATURES)


def _words(numbers: Sequence[int] | NDArray[np.int64]) -> Words:
    return ring.from_signed(np.array(numbers, np.int64))


async def _compute(
    running: Running, standing: Standing, signing: Signing, attending: Attending
) -> Computed:
    """Run the plan's protocol."""
    if running.plan.study.privacy is not None:
        return await _noisy(running, standing, attending)
    ways: dict[Protocol, Compute] = {
        COMMITTEE: partial(_decide, signing=signing),
        SCORE: _score,
        STEPS: _step,
        TABLES: _tabulate,
        BY_THIRD_PARTY: _tell,
        BY_ENCLAVE: partial(_enclose, attending=attending),
    }
    return await ways.get(running.plan.protocol, _sum)(running)


async def _sum(running: Running) -> Computed:
    """Pool all numbers with the secure sum; what is withheld is decided by every member alike."""
    total = await additive.secure_sum(
        running.session,
        running.own,
        context=running.context,
        claim=running.claim,
        randomness=running.randomness,
        progress=running.progress,
    )
    results = running.plan.results(tuple(ring.to_signed(total.words).tolist()))
    return Computed(results, total.session_id, total.seen)


async def _decide(running: Running, signing: Signing) -> Computed:
    """Let the committee pool all numbers and decide, on shares, which of them are shown."""
    plan = running.plan
    revealed = await committee.reveal_shown(
        running.session,
        plan.study,
        running.own,
        security=plan.security,
        context=running.context,
        claim=running.claim,
        randomness=running.randomness,
        progress=running.progress,
        signing=signing if plan.is_signed else None,
    )
    results = plan.results_revealed(revealed.numbers, revealed.hidden, revealed.told)
    return Computed(results, revealed.session_id, revealed.seen, dealings=revealed.dealings)


async def _tell(running: Running) -> Computed:
    """Let the third party compute on everybody's rows."""
    words, session_id, seen = await third_party.tell_third(running)
    return Computed(results_of_words(running.plan, words), session_id, seen)


async def _enclose(running: Running, attending: Attending) -> Computed:
    """Let an enclave compute on everybody's rows, once all have admitted it."""
    found = await enclave.run_inside(running, attending)
    results = results_of_words(running.plan, found.words)
    return Computed(results, found.session_id, {}, archive=found.archive)


async def _score(running: Running) -> Computed:
    """Score patients for the member that treats them; a certificate has none of it."""
    found = await score.reveal_scores(running)
    return Computed((), found.session_id, found.seen, scores=found.words)


async def _step(running: Running) -> Computed:
    """Go from coefficients to better ones that all see, to the likeliest."""
    found = await steps.reveal_steps(running)
    results = running.plan.results_revealed((), (), found.told)
    return Computed(results, found.session_id, found.seen)


async def _tabulate(running: Running) -> Computed:
    """Compute of everybody's rows, in secret tables."""
    found = await tables.reveal_tables(running)
    return Computed(found.results, found.session_id, found.seen)


async def _noisy(running: Running, standing: Standing, attending: Attending) -> Computed:
    """Pool all numbers with noise, or take the answer that every member's ledger has already."""
    noisy = await noise.reveal_noisy(running, standing, attending)
    plan = running.plan
    left = tuple(Left(name, *one) for name, one in zip(plan.members, noisy.left, strict=True))
    return Computed(
        plan.results(noisy.numbers),
        noisy.session_id,
        noisy.seen,
        left,
        noisy.answer,
        archive=noisy.archive,
    )


async def _sign_together(
    session: Session, group: Group, certificate: Certificate, key: Ed25519PrivateKey
) -> tuple[Signature, ...]:
    """Exchange signatures over one certificate. Raises `Abort` naming who did not sign it."""
    everyones = await session.exchange(sign_certificate(key, certificate))
    signatures = tuple(map(Signature, group.names, everyones))
    for party in session.others:
        try:
            verify_signature(group, certificate, signatures[party])
        except VerificationFailed:
            name = session.names[party]
            raise Abort(
                f"{name} did not sign the result that this member computed",
                suspects=[party],
                hint="do all members run the same version of quorate?",
            ) from None
    return signatures
