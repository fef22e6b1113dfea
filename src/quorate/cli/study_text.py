"""Studies as lines of text: what a person reads before approving, and after a run."""

from collections.abc import Sequence

from quorate.cli.analysis_text import Told, tables
from quorate.cli.output import aligned, grouped
from quorate.node.views import SeenView, StudyView


def whole(study: StudyView) -> list[str]:
    """Return everything about one study."""
    title, purpose, *disclosure = explained(study)
    return [
        title,
        purpose,
        f"state    {study.state}" + (f": {study.note}" if study.note else ""),
        f"by       {study.proposer}, {study.proposed_at}",
        *disclosure,
        *bundled(study),
        f"approved {approvals(study)}",
        *data_said(study),
        *outcome(study),
        *next_step(study),
    ]


def explained(study: StudyView) -> list[str]:
    """Return what approving a study means."""
    return [
        f"study    {study.id}  {study.title}",
        f"purpose  {study.purpose}",
        *study.disclosure,
        f"digest   {grouped(study.digest)}",
    ]


def bundled(study: StudyView) -> list[str]:
    """Return what a word on this study is a word on besides."""
    if len(study.bundle) < 2:
        return []
    arms = ", ".join(f"{digest[:4]}-{digest[4:8]}" for digest in study.bundle)
    return [
        f"bundle   {grouped(study.bundle_digest)}",
        f"         one word is on all of it: {arms}; read each with: quorate study explain ID",
    ]


def data_said(study: StudyView) -> list[str]:
    """Return what the owners that approved say of their data."""
    return [f"data     {', '.join(study.data)}, as signed"] if study.data else []


def table(studies: Sequence[StudyView]) -> list[str]:
    """Return one line for each study."""
    return aligned([(s.id, s.state, s.proposer, s.title) for s in studies])


def approvals(study: StudyView) -> str:
    """Return who approved a study and who has not."""
    missing = [name for name in study.members if name not in study.approved_by]
    given = f"by {', '.join(study.approved_by) or 'nobody'}"
    return given + (f"; waits for {', '.join(missing)}" if missing else ": every member")


def decided(study: StudyView) -> list[str]:
    """Return what a member's own decision led to."""
    away = ", ".join(study.untold)
    return [
        f"study    {study.id} is {study.state}" + (f": {study.note}" if study.note else ""),
        f"approved {approvals(study)}",
        *([f"untold   {away}: it hears of this when its node is connected"] if away else []),
        *next_step(study),
    ]


def outcome(study: StudyView) -> list[str]:
    """Return what came out, if anything has: results, cost, and what was seen on the way."""
    lines = aligned(
        [
            (r.name, f"{r.value} {r.unit}".rstrip(), f"= {r.exact}" if r.exact else "")
            for r in study.results
            if not r.analysis
        ]
    )
    lines += tables(
        Told(r.analysis, r.number, r.cell, f"{r.value} {r.unit}".rstrip())
        for r in study.results
        if r.analysis
    )
    if study.cost is not None:
        lines.append(
            f"cost     {study.cost.rounds} rounds, {study.cost.bytes_sent} bytes sent, "
            f"{study.cost.bytes_received} received, {study.cost.seconds:.2f} s"
        )
    lines += [f"notice   {notice}" for notice in study.notices]
    return lines + [f"received {seen(view)}" for view in study.seen]


def seen(view: SeenView) -> str:
    """Return the beginning of what one member sent, which is noise."""
    return f"from {view.sender}: {' '.join(view.words)} ..."


def next_step(study: StudyView) -> list[str]:
    """Return which command comes next, if one does."""
    match study.state:
        case "proposed":
            return [f"next: the others approve with: quorate study approve {study.id}"]
        case "approved":
            return [f"next: any member runs it with: quorate study run {study.id}"]
        case "failed":
            return [f"next: any member runs it again with: quorate study resume {study.id}"]
        case "released":
            return [f"next: quorate study release {study.id} --out release.json"]
        case _:
            return []
