"""What a holder signs with the key that speaks for it, checked."""

from quorate.algebra.signatures import verify_by

__all__ = ["verify_by"]
