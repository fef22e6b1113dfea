"""What a signed succession of keys proves, offline, and what must still be believed."""

from dataclasses import dataclass

from quorate.cli.output import grouped
from quorate.quorum.succeeding import TAG, succession_from_json
from quorate.threshold.succession import verify_succession


@dataclass(frozen=True, slots=True)
class SuccessionReport:
    """A succession that verified."""

    old: bytes
    new: bytes
    number: int
    reason: str
    decided: str
    proven: tuple[str, ...]
    believed: tuple[str, ...]


def is_succession(text: str) -> bool:
    """Return whether a file says of itself that it is a succession."""
    return f'"quorate": "{TAG}"' in text[:1000]


def report_on(text: str) -> SuccessionReport:
    """Return what a succession proves. Raises `VerificationFailed`, `MalformedMessage`."""
    signed = succession_from_json(text)
    verify_succession(signed)
    said = signed.statement
    return SuccessionReport(
        said.old,
        said.new,
        said.number,
        said.reason,
        said.decided,
        (
            "whoever can act with the old key named this new one as its successor",
            "whoever can act with the new key accepts it",
        ),
        (
            "that the old key is the one you know: compare it",
            "that no other successor was named: two statements of one key would prove that",
            "the time: it is what the holders say",
        ),
    )


def lines_of(report: SuccessionReport) -> list[str]:
    """Return a report as lines of text."""
    return [
        f"old key  {grouped(report.old)}",
        f"new key  {grouped(report.new)}",
        f"decided  {report.decided}, succession {report.number}: {report.reason}",
        "signed   both keys' signatures verify",
        *(f"proven   {text}" for text in report.proven),
        *(f"believed {text}" for text in report.believed),
    ]
