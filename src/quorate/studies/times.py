"""Times as plans, approvals and records spell them: UTC, to the second."""

from datetime import UTC, datetime

from quorate.errors import Refused


def check_time(text: str) -> None:
    """Refuse anything but a UTC time to the second, in the one spelling `utc_text` gives."""
    try:
        same = utc_text(datetime.fromisoformat(text)) == text
    except (ValueError, OverflowError):
        same = False
    if not same:
        raise Refused("a time is not written as 2027-01-31T09:30:00Z")


def utc_text(now: datetime) -> str:
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
