"""A study's report as a PDF: what was asked, who agreed, what came out, and how to check it."""

import io
from collections.abc import Iterable

from fpdf import FPDF
from fpdf.enums import XPos, YPos

from quorate.console.released import Released, chart_png
from quorate.node.views import StudyView

_MARGIN_MM, _WIDTH_MM = 20.0, 170.0


def report(study: StudyView, released: Released) -> bytes:
    """Return the report of a released study. The same release gives the same words."""
    pdf = FPDF(format="A4")
    pdf.set_margins(_MARGIN_MM, _MARGIN_MM)
    pdf.set_title(_latin(study.title))
    pdf.set_lang("en")
    pdf.add_page()
    _line(pdf, study.title, 18, bold=True)
    _line(pdf, f"Study {study.id}, proposed by {study.proposer}, {study.proposed_at}", 9)
    _section(pdf, "Purpose", (study.purpose,))
    _section(pdf, "What was revealed", study.disclosure)
    _section(pdf, "Who saw what", study.who_sees)
    _results(pdf, study)
    for chart in released.charts:
        pdf.image(io.BytesIO(chart_png(chart)), w=_WIDTH_MM, alt_text=_latin(chart.name))
    _section(pdf, "Certificate", _certificate(study, released))
    return bytes(pdf.output())


def _results(pdf: FPDF, study: StudyView) -> None:
    _line(pdf, "Results", 13, bold=True)
    pdf.set_font("Helvetica", size=9)
    with pdf.table(col_widths=(75, 50, 45), text_align="LEFT") as table:
        table.row(("name", "value", "exactly"))
        for one in study.results:
            value = f"{one.value} {one.unit}".rstrip()
            table.row([_latin(text) for text in (one.name, value, one.exact)])


def _certificate(study: StudyView, released: Released) -> tuple[str, ...]:
    certificate = released.verified.certificate
    known = "the one this member knows" if released.verified.roster_known else "not compared"
    return (
        f"Signed by {', '.join(certificate.members)}; every signature was verified.",
        f"Plan {study.digest}",
        f"Roster {certificate.group.hex()}, {known}",
        f"Session {certificate.session.hex()}",
        f"Time {certificate.time}, by {certificate.software}",
        "Anyone checks this offline, with the release file: quorate verify release.json",
    )


def _section(pdf: FPDF, title: str, lines: Iterable[str]) -> None:
    _line(pdf, title, 13, bold=True)
    for line in lines:
        _line(pdf, line, 10)


def _line(pdf: FPDF, text: str, points: int, *, bold: bool = False) -> None:
    pdf.set_font("Helvetica", "B" if bold else "", points)
    pdf.multi_cell(0, points * 0.55, _latin(text.strip()), new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _latin(text: str) -> str:
    """Return text as PDF's own fonts can show it; what they cannot becomes a question mark."""
    return text.encode("latin-1", "replace").decode("latin-1")
