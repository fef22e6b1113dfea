"""Run a plan with no neutral party: the members' secure computation, then their signatures.

Who holds what: each member the aggregates of its own rows; nobody those of
another. The plan says by which protocol they are added up: the secure sum of all members, or
a committee of three that withholds small cells before anybody sees them. What is protected
and what is not stands in `mpc.additive`, in `studies.committee` and, for
people, in the plan's disclosure. Each member computes the results itself from
what is revealed, signs only a certificate it made itself, and releases only with
every member's signature. A plan under privacy is run by `runners.noise`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate.algebra import ring
from quorate.algebra.ring import Words
from quorate.errors import Abort, Party, VerificationFailed
from quorate.mpc import additive
from quorate.mpc.agreement import Claim, Randomness
from quorate.studies import committee
from quorate.studies.approval import SignedApproval
from quorate.studies.evidence import run_context
from quorate.studies.group import Group
from quorate.studies.plan import (
    ADDITIVE,
    COMMITTEE,
    JOINT_NOISE,
    NOISE_IN_SHARES,
    NOISE_ON_RECORDS,
    Plan,
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
from quorate.studies.runners import local_noise, noise
from quorate.studies.runners.noise import Standing
from quorate.threshold.together import GroupSigner
from quorate.transport.session import Session
from quorate.transport.signed import Signing

STAGES = {
    ADDITIVE: ("keys", "masked values", "confirmation", "opening"),
    COMMITTEE: ("keys", "shares", "small cells", "reveal"),
    NOISE_IN_SHARES: noise.STAGES_SHARES,
    JOINT_NOISE: noise.STAGES_JOINT,
    NOISE_ON_RECORDS: local_noise.STAGES,
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


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run gives one member: the release, and what it was sent on the way."""

    release: Release
    seen: dict[Party, tuple[int, ...]]
    answer: bytes  # for this member's ledger, where the plan is under privacy


async def run(
    session: Session,
    plan: Plan,
    group: Group,
    own: tuple[int, ...],
    *,
    approvals: tuple[SignedApproval, ...],
    time: str,
    version: str,
    key: Ed25519PrivateKey,
    group_signer: GroupSigner | None = None,
    standing: Standing = NO_LEDGER,
    claim: Claim,
    randomness: Randomness,
    progress: Callable[[str], None] = lambda _: None,
) -> Ran:
    """Add up everyone's `own` values of `plan.inputs` and certify the results.

    `approvals`, one of each member by seat, and `time` are the run's, the same
    at all members; verifying them is the caller's. `standing` is where this member's
    ledger stands, for a plan under privacy. Raises `Abort`, `SessionReused`.

    Cost: `studies.cost.run_cost`; with `group_signer`, where the group has a key, also that
    of its `sign`
    """
    words = ring.from_signed(np.array(own, np.int64))
    context = run_context(plan, approvals, time)
    if plan.study.privacy is not None:
        computed = await _noisy(
            session, plan, words, standing, context, claim, randomness, progress
        )
    else:
        signing = Signing(key, tuple(member.public_key for member in group.members))
        compute = partial(_decide, signing=signing) if plan.protocol == COMMITTEE else _sum
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
    return Ran(release, seen, computed.answer)


def stages(protocol: Protocol) -> tuple[str, ...]:
    """Return what `progress` is told in a run of a plan with this protocol, in order."""
    return (*STAGES[protocol], SIGNATURES)


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


async def _noisy(
    session: Session,
    plan: Plan,
    own: Words,
    standing: Standing,
    context: bytes,
    claim: Claim,
    randomness: Randomness,
    progress: Callable[[str], None],
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
