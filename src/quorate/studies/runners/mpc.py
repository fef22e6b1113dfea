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
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from numpy.typing import NDArray

from quorate.algebra import ring
from quorate.algebra.ring import Words
from quorate.errors import Abort, Party, VerificationFailed
from quorate.mpc import additive
from quorate.mpc.agreement import Claim, Randomness
from quorate.studies import committee
from quorate.studies.approval import SignedApproval
from quorate.studies.evidence import run_context
from quorate.studies.group import Group
from quorate.studies.plain import results_of_words
from quorate.studies.plan import Plan
from quorate.studies.protocols import (
    ADDITIVE,
    BY_THIRD_PARTY,
    COMMITTEE,
    JOINT_NOISE,
    NOISE_IN_SHARES,
    NOISE_ON_RECORDS,
    SCORE,
    STEPS,
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
from quorate.studies.runners import guard, local_noise, noise, score, steps, third_party
from quorate.studies.runners.noise import Standing
from quorate.studies.runners.third_party import Aside, at_once
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
    BY_THIRD_PARTY: third_party.STAGES,
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


Compute = Callable[
    [Session, Plan, Words, bytes, Claim, Randomness, Callable[[str], None]], Awaitable[Computed]
]


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run gives one member: the release, and what it was sent on the way."""

    release: Release
    seen: dict[Party, tuple[int, ...]]
    answer: bytes  # for this member's ledger, where the plan is under privacy
    scores: tuple[int, ...] | None = field(default=None, repr=False)
    """Of each patient, at the member that alone learns them; in nobody's release."""


async def run(
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
) -> Ran:
    """Add up everyone's `own` values of `plan.inputs` and certify the results.

    `approvals`, one of each member by seat, and `time` are the run's, the same
    at all members; verifying them is the caller's. `standing` is where this member's
    ledger stands, for a plan under privacy; `differences` are from earlier cohorts,
    for one that is guarded. Raises `Abort`, `SessionReused`.

    Cost: `studies.cost.run_cost`; with `differences` also `guard_cost`; with `group_signer`,
    where the group has a key, also that of its `sign`
    """
    words = ring.from_signed(np.array(own, np.int64))
    context = run_context(plan, approvals, time)
    await guard.refuse_near(
        session.at("guard"),
        plan,
        differences,
        context=context,
        claim=claim,
        randomness=randomness,
        progress=progress,
    )
    if plan.study.privacy is not None:
        computed = await _noisy(
            session, plan, words, standing, context, claim, randomness, progress, aside
        )
    elif plan.protocol == BY_THIRD_PARTY:
        told, session_id, sent = await third_party.tell_third(
            session, plan, words, context, claim, randomness, progress, aside
        )
        computed = Computed(results_of_words(plan, told), session_id, sent)
    else:
        signing = Signing(key, tuple(member.public_key for member in group.members))
        decide = partial(_decide, signing=signing)
        ways: dict[Protocol, Compute] = {COMMITTEE: decide, SCORE: _score, STEPS: _step}
        compute = ways.get(plan.protocol, _sum)
        computed = await compute(session, plan, words, context, claim, randomness, progress)
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
    release = Release(plan, group, approvals, certificate, signatures, group_signature)
    return Ran(release, seen, computed.answer, computed.scores)


def stages(
    protocol: Protocol, *, guarded: bool = False, under_privacy: bool = False
) -> tuple[str, ...]:
    """Return what `progress` is told in a run of a plan with this protocol, in order."""
    of_three = protocol == BY_THIRD_PARTY and under_privacy
    own = noise.STAGES_THIRD if of_three else STAGES[protocol]
    return (*([guard.STAGE] if guarded else []), *own, SIGNATURES)


async def _sum(
    session: Session,
    plan: Plan,
    own: Words,
    context: bytes,
    claim: Claim,
    randomness: Randomness,
    progress: Callable[[str], None],
) -> Computed:
    """Pool all numbers with the secure sum; what is withheld is decided by every member alike."""
    total = await additive.secure_sum(
        session, own, context=context, claim=claim, randomness=randomness, progress=progress
    )
    results = plan.results(tuple(ring.to_signed(total.words).tolist()))
    return Computed(results, total.session_id, total.seen)


async def _decide(
    session: Session,
    plan: Plan,
    own: Words,
    context: bytes,
    claim: Claim,
    randomness: Randomness,
    progress: Callable[[str], None],
    signing: Signing,
) -> Computed:
    """Let the committee pool all numbers and decide, on shares, which of them are shown."""
    revealed = await committee.reveal_shown(
        session,
        plan.study,
        own,
        security=plan.security,
        context=context,
        claim=claim,
        randomness=randomness,
        progress=progress,
        signing=signing if plan.is_signed else None,
    )
    results = plan.results_revealed(revealed.numbers, revealed.hidden, revealed.told)
    return Computed(results, revealed.session_id, revealed.seen)


async def _score(
    session: Session,
    plan: Plan,
    own: Words,
    context: bytes,
    claim: Claim,
    randomness: Randomness,
    progress: Callable[[str], None],
) -> Computed:
    """Score patients for the member that treats them; a certificate has none of it."""
    found = await score.reveal_scores(
        session,
        plan,
        own,
        context=context,
        claim=claim,
        randomness=randomness,
        progress=progress,
    )
    return Computed((), found.session_id, found.seen, scores=found.words)


async def _step(
    session: Session,
    plan: Plan,
    own: Words,
    context: bytes,
    claim: Claim,
    randomness: Randomness,
    progress: Callable[[str], None],
) -> Computed:
    """Go from coefficients to better ones that all see, to the likeliest."""
    found = await steps.reveal_steps(
        session,
        plan,
        own,
        context=context,
        claim=claim,
        randomness=randomness,
        progress=progress,
    )
    results = plan.results_revealed((), (), found.told)
    return Computed(results, found.session_id, found.seen)


async def _noisy(
    session: Session,
    plan: Plan,
    own: Words,
    standing: Standing,
    context: bytes,
    claim: Claim,
    randomness: Randomness,
    progress: Callable[[str], None],
    aside: Aside,
) -> Computed:
    """Pool all numbers with noise, or take the answer that every member's ledger has already."""
    noisy = await noise.reveal_noisy(
        session,
        plan,
        own,
        standing=standing,
        context=context,
        claim=claim,
        randomness=randomness,
        progress=progress,
        aside=aside,
    )
    left = tuple(Left(name, *one) for name, one in zip(plan.members, noisy.left, strict=True))
    results = plan.results(noisy.numbers)
    return Computed(results, noisy.session_id, noisy.seen, left, noisy.answer)


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
