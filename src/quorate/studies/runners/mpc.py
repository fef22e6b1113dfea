"""Run a linear plan with no neutral party: the members' secure sum, then their signatures.

Who holds what: each member the aggregates of its own rows; nobody those of
another. What is protected and what is not stands in `mpc.additive` and, for
people, in the plan's disclosure. Each member computes the results itself from
the total, signs only a certificate it made itself, and releases only with
every member's signature.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate import wire
from quorate.algebra import ring
from quorate.errors import Abort, Party, VerificationFailed
from quorate.mpc import additive
from quorate.mpc.agreement import Claim, Randomness
from quorate.studies.approval import SignedApproval
from quorate.studies.group import Group
from quorate.studies.plan import Plan
from quorate.studies.release import (
    Certificate,
    Release,
    Signature,
    certify,
    group_message,
    sign_certificate,
    verify_signature,
)
from quorate.threshold.together import GroupSigner
from quorate.transport.session import Session

STAGES = ("keys", "masked values", "confirmation", "opening", "signatures")


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run gives one member: the release, and what it was sent on the way."""

    release: Release
    seen: dict[Party, tuple[int, ...]]


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
    claim: Claim,
    randomness: Randomness,
    progress: Callable[[str], None] = lambda _: None,
) -> Ran:
    """Add up everyone's `own` values of `plan.inputs` and certify the results.

    `approvals`, one of each member by seat, and `time` are the run's, the same
    at all members; verifying them is the caller's. Raises `Abort`, `SessionReused`.

    Cost: that of `additive.secure_sum` and 1 round, 64 * (n - 1) bytes a party; with
    `group_signer`, where the group has a key, also that of its `sign`
    """
    total = await additive.secure_sum(
        session,
        ring.from_signed(np.array(own, np.int64)),
        context=wire.digest("run", (plan.digest(), approvals, time)),
        claim=claim,
        randomness=randomness,
        progress=progress,
    )
    results = plan.results(tuple(ring.to_signed(total.words).tolist()))
    certificate = certify(
        plan,
        approvals,
        session=total.session_id,
        results=results,
        time=time,
        software=version,
        group_key=group_signer.public.group if group_signer else b"",
    )
    progress("signatures")
    signatures = await _sign_together(session, group, certificate, key)
    group_signature = b""
    if group_signer is not None:
        message = group_message(certificate)
        group_signature = await group_signer.sign(session, total.session_id, message)
    seen = {party: tuple(words.tolist()) for party, words in total.seen.items()}
    release = Release(plan, group, approvals, certificate, signatures, group_signature)
    return Ran(release, seen)


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
