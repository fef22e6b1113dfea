"""What a member can show of a run that was aborted, where messages were signed.

It binds the statements (`mpc.evidence`) to the plan that everybody approved, to the run, and to the
roster. Several members' evidence of one run proves more than one's: two receivers have what
was said to either. Nothing in it tells a row, a sum or a share.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from quorate import wire
from quorate.errors import VerificationFailed
from quorate.mpc.evidence import judge
from quorate.studies import document
from quorate.studies.approval import SignedApproval
from quorate.studies.group import Group, check_group
from quorate.studies.plan import Plan
from quorate.transport.signed import Heard

TAG = "evidence 1"


@dataclass(frozen=True, slots=True)
class RunEvidence:
    """What one member, or several, heard in one run of a plan."""

    group: Group
    plan: Plan
    approvals: tuple[SignedApproval, ...]
    time: str
    heard: tuple[Heard, ...] = ()


@dataclass(frozen=True, slots=True)
class Proven:
    """What evidence proves, by the members' names."""

    culprits: tuple[str, ...]
    between: tuple[tuple[str, ...], ...]  # one of each two cheated
    roster_known: bool


def run_context(plan: Plan, approvals: tuple[SignedApproval, ...], time: str) -> bytes:
    """Return what a run is for: its plan, who let it run, and when it began."""
    return wire.digest("run", (plan.digest(), approvals, time))


def verify_evidence(found: Sequence[RunEvidence], group: Group | None = None) -> Proven:
    """Return what the evidence of one run proves; `group` is the roster the caller knows.

    Raises `VerificationFailed` where it is forged, of different runs, or proves nothing.
    """
    first = replace(found[0], heard=())
    _require(
        all(replace(one, heard=()) == first for one in found),
        "these are not of one and the same run",
    )
    check_group(first.group)
    _require(first.plan.group == first.group.digest(), "the evidence is of another group's plan")
    _require(group is None or group == first.group, "the evidence is of another group")
    context = run_context(first.plan, first.approvals, first.time)
    heard = [statement for one in found for statement in one.heard]
    _require(all(h.statement.context == context for h in heard), "a statement is of another run")
    names = first.group.names
    verdict = judge(heard, tuple(member.public_key for member in first.group.members))
    pairs = sorted(sorted(pair) for pair in verdict.between)
    return Proven(
        tuple(names[party] for party in sorted(verdict.culprits)),
        tuple(tuple(names[party] for party in pair) for pair in pairs),
        group is not None,
    )


def to_json(evidence: RunEvidence) -> str:
    return document.write(TAG, evidence)


def from_json(text: str) -> RunEvidence:
    """Return the evidence a file holds, not yet verified. Raises `MalformedMessage`."""
    return document.read(TAG, text, RunEvidence)


def is_evidence(text: str) -> bool:
    """Return whether a file says of itself that it is evidence."""
    return f'"quorate": "{TAG}"' in text[:1000]


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise VerificationFailed(message)
