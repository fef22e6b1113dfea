"""`quorate verify`: what a release or an order proves, offline, and what must be believed."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from quorate.cli import verify_evidence, verify_order, verify_succession
from quorate.cli.analysis_text import Told, tables
from quorate.cli.options import FormatOption, NodeOption, open_home, read_file
from quorate.cli.output import aligned, grouped, show
from quorate.dp.caps import decimal_of
from quorate.errors import Unavailable, Usage
from quorate.studies.analyses.following import Followed, follows
from quorate.studies.disclosure import disclose
from quorate.studies.evidence import is_evidence
from quorate.studies.group import Group, group_from_json
from quorate.studies.release import Left, Verified, from_json, verify_release
from quorate.studies.results import Result


@dataclass(frozen=True, slots=True)
class Report:
    """A release that verified."""

    study: str
    plan: bytes
    title: str
    results: tuple[Result, ...]
    analyses: tuple[str, ...]  # whose results are numbers of analyses
    follows: tuple[Followed, ...]
    group: str
    roster: bytes
    roster_known: bool
    session: bytes
    time: str
    software: str
    signed_by: tuple[str, ...]
    group_key: bytes
    disclosure: tuple[str, ...]
    noise: tuple[str, ...]  # its law, its cost and its bounds; none where values are exact
    left: tuple[Left, ...]
    proven: tuple[str, ...]
    believed: tuple[str, ...]


def verify(
    file: Annotated[
        Path, typer.Argument(help="The release, order, succession or evidence, a JSON file.")
    ],
    also: Annotated[
        list[Path] | None, typer.Option(help="Another member's evidence of the same run.")
    ] = None,
    group: Annotated[
        Path | None, typer.Option(help="The group's file, from one who knows its members.")
    ] = None,
    node: NodeOption = None,
    form: FormatOption = "text",
) -> None:
    """Verify a release, a signed order or succession, or evidence of who spoilt a run, offline."""
    text, known = read_file(file), _known(group, node)
    if is_evidence(text):
        found = verify_evidence.report_on([text, *map(read_file, also or ())], known)
        show(found, verify_evidence.lines_of(found), form)
        return
    if also:
        raise Usage("only evidence is verified together with other files")
    if verify_order.is_order(text):
        order = verify_order.report_on(text, known)
        show(order, verify_order.lines_of(order), form)
        return
    if verify_succession.is_succession(text):
        followed = verify_succession.report_on(text)
        show(followed, verify_succession.lines_of(followed), form)
        return
    report = report_on(text, known)
    show(report, lines_of(report), form)


def report_on(text: str, group: Group | None) -> Report:
    """Return what the release in `text` proves. Raises `VerificationFailed`, `MalformedMessage`."""
    verified = verify_release(from_json(text), group=group)
    certificate = verified.certificate
    return Report(
        study=verified.plan.short_id,
        plan=certificate.plan,
        title=verified.plan.study.title,
        results=certificate.results,
        analyses=tuple(analysis.name for analysis in verified.plan.study.analyses),
        follows=_following(verified),
        group=verified.group.name,
        roster=certificate.group,
        roster_known=verified.roster_known,
        session=certificate.session,
        time=certificate.time,
        software=certificate.software,
        signed_by=certificate.members,
        group_key=certificate.group_key,
        disclosure=certificate.disclosure,
        noise=disclose(verified.plan).noise,
        left=certificate.left,
        proven=_proven(verified),
        believed=_believed(verified),
    )


def lines_of(report: Report) -> list[str]:
    """Return a report as lines of text."""
    n = len(report.signed_by)
    return [
        f"study    {report.study}  {report.title}",
        *aligned(
            [_result(one) for one in report.results if one.release not in report.analyses],
            indent=" " * 9,
        ),
        *(f"         {line}" for line in tables(_analysed(report))),
        *(f"noise    {text}" for text in report.noise),
        *(f"left     {_left(left)}" for left in report.left),
        *(f"follows  {line}" for line in tables(_followed(one) for one in report.follows)),
        f"plan     {grouped(report.plan)}",
        f"roster   {grouped(report.roster)}  ({report.group})",
        f"session  {grouped(report.session)}",
        f"time     {report.time}, by {report.software}",
        f"signed   {', '.join(report.signed_by)}: {n} of {n} signatures verify",
        *(
            [f"group    signed as one under {grouped(report.group_key)}"]
            if report.group_key
            else []
        ),
        f"approved {', '.join(report.signed_by)}: {n} of {n} approvals of this plan verify",
        *(f"proven   {text}" for text in report.proven),
        *(f"believed {text}" for text in report.believed),
    ]


def _known(group: Path | None, node: Path | None) -> Group | None:
    if group is not None:
        return group_from_json(read_file(group))
    return None if node is None else open_home(node).group


def _result(result: Result) -> tuple[str, str, str]:
    if not result.exact:
        return result.label, result.value, ""
    return result.label, f"{result.value} {result.unit}", f"= {result.exact}"


def _analysed(report: Report) -> Iterator[Told]:
    for one in report.results:
        if one.release in report.analyses:
            value = f"{one.value} {one.unit}" if one.exact else one.value
            yield Told(one.release, one.number, ", ".join(one.cell), value.rstrip())


def _followed(one: Followed) -> Told:
    value = f"{one.value} {one.unit}".rstrip()
    return Told(one.analysis, one.number, ", ".join(one.cell), value)


def _left(left: Left) -> str:
    """Return what a member said is left of its budget, for people."""
    amounts = (("epsilon", left.nano_epsilon), ("rho", left.nano_rho))
    told = [f"{name} {decimal_of(nano)}" for name, nano in amounts if nano is not None]
    return f"{' and '.join(told) or 'nothing said'} to spend at {left.member}"


def _following(verified: Verified) -> tuple[Followed, ...]:
    """Return what follows from the results; nothing where SciPy is not installed."""
    try:
        return follows(verified.plan, verified.certificate.results)
    except Unavailable:
        return ()


def _proven(verified: Verified) -> tuple[str, ...]:
    return (
        "whoever holds these members' keys signed exactly these results, "
        "of exactly this plan, in one session",
        "each of them had approved this plan, and its approval still counted when it ran",
        *(("the roster is the one you know",) if verified.roster_known else ()),
    )


def _believed(verified: Verified) -> tuple[str, ...]:
    noisy = verified.plan.study.privacy is not None
    roster = ("that the roster is real: compare its digest with a member, or give --group",)
    return (
        *(() if verified.roster_known else roster),
        "that each member computed on true rows: nothing here shows a lie about one's own",
        "that members followed the protocol: one that did not could have spoilt the result",
        "the time: it is what the members say",
        *(("what each member has left: it is what the member says",) if noisy else ()),
    )
