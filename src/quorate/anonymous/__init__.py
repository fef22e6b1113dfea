"""Messages of a group whose senders nobody learns."""

from quorate.anonymous.dcnet import take_part
from quorate.anonymous.evidence import verify_evidence
from quorate.anonymous.parts import combine, split

__all__ = ["combine", "split", "take_part", "verify_evidence"]
