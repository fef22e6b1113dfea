"""What members' evidence of an aborted run proves, offline, and what it does not."""

from collections.abc import Sequence
from dataclasses import dataclass

from quorate.cli.output import grouped
from quorate.studies.evidence import from_json, verify_evidence
from quorate.studies.group import Group


@dataclass(frozen=True, slots=True)
class EvidenceReport:
    """Evidence that verified, and proves something."""

    study: str
    plan: bytes
    title: str
    time: str
    culprits: tuple[str, ...]
    between: tuple[tuple[str, ...], ...]
    roster: bytes
    roster_known: bool
    believed: tuple[str, ...]


def report_on(texts: Sequence[str], group: Group | None) -> EvidenceReport:
    """Return what evidence proves. Raises `VerificationFailed`, `MalformedMessage`."""
    found = [from_json(text) for text in texts]
    proven = verify_evidence(found, group)
    plan = found[0].plan
    roster = "that the roster is real: compare its digest with a member, or give --group"
    return EvidenceReport(
        study=plan.short_id,
        plan=plan.digest(),
        title=plan.study.title,
        time=found[0].time,
        culprits=proven.culprits,
        between=proven.between,
        roster=plan.group,
        roster_known=proven.roster_known,
        believed=(
            *(() if proven.roster_known else (roster,)),
            "nothing of who is not named: a lie that was told to one member may not show",
        ),
    )


def lines_of(report: EvidenceReport) -> list[str]:
    """Return a report as lines of text."""
    return [
        f"study    {report.study}  {report.title}",
        f"plan     {grouped(report.plan)}",
        f"roster   {grouped(report.roster)}",
        f"time     {report.time}",
        *(
            f"proven   {name} cheated: what it signed contradicts itself"
            for name in report.culprits
        ),
        *(f"proven   {' or '.join(two)} lied: which, is not known" for two in report.between),
        *(f"believed {text}" for text in report.believed),
    ]
