"""What a signed order proves, offline, and what must still be believed."""

from dataclasses import dataclass

from quorate.cli.output import aligned, grouped
from quorate.quorum.fhir import plain_words
from quorate.quorum.order import TAG, order_from_json, verify_order
from quorate.studies.group import Group


@dataclass(frozen=True, slots=True)
class Approved:
    """One holder's own word."""

    member: str
    reason: str
    time: str


@dataclass(frozen=True, slots=True)
class OrderReport:
    """An order that verified."""

    order: str
    digest: bytes
    words: tuple[str, ...]
    reason: str
    requester: str
    created: str
    expires: str
    key: str
    public_key: bytes
    rule: str
    holders: tuple[str, ...]
    roster_known: bool
    approved_by: tuple[Approved, ...]
    proven: tuple[str, ...]
    believed: tuple[str, ...]


def is_order(text: str) -> bool:
    """Return whether a file says of itself that it is a signed order."""
    return f'"quorate": "{TAG}"' in text[:1000]


def report_on(text: str, group: Group | None) -> OrderReport:
    """Return what an order proves. Raises `VerificationFailed`, `MalformedMessage`."""
    order = order_from_json(text)
    verify_order(order, group)
    request, plan = order.request, order.key.plan
    answers = (signed.answer for signed in order.answers)
    return OrderReport(
        order=request.short_id,
        digest=request.digest(),
        words=plain_words(order.document),
        reason=request.reason,
        requester=request.requester,
        created=request.created,
        expires=request.expires,
        key=plan.name,
        public_key=order.key.public.group,
        rule=plan.wanted,
        holders=plan.names,
        roster_known=group is not None,
        approved_by=tuple(Approved(a.member, a.reason, a.time) for a in answers),
        proven=_proven(plan.wanted, group is not None),
        believed=_believed(group is not None),
    )


def lines_of(report: OrderReport) -> list[str]:
    """Return a report as lines of text."""
    return [
        f"order    {report.order}, by {report.requester}, {report.created}: {report.reason}",
        *(f"         {line}" for line in report.words),
        f"key      {grouped(report.public_key)}",
        f"         {report.key}: {report.rule} of {', '.join(report.holders)} sign together",
        *aligned(
            [("approved", f"{a.member}, {a.time}: {a.reason}") for a in report.approved_by],
        ),
        "signed   the group's signature verifies",
        *(f"proven   {text}" for text in report.proven),
        *(f"believed {text}" for text in report.believed),
    ]


def _proven(rule: str, roster_known: bool) -> tuple[str, ...]:
    return (
        f"shares of {rule} holders signed exactly this request, its reason and its expiry",
        "each who is named approved it under its own key",
        *(("the holders are members of the roster you know",) if roster_known else ()),
    )


def _believed(roster_known: bool) -> tuple[str, ...]:
    real = ("that the holders are real: compare their keys with the roster, or give --group",)
    return (*(() if roster_known else real), "the times: they are what the members say")
