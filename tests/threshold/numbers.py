"""The project's own vectors, and hexadecimal."""

import json
from typing import Any

from quorate.algebra.edwards25519 import Randomness
from tests.docs.project import PROJECT


def vectors(name: str) -> Any:
    return json.loads((PROJECT / "vectors" / name).read_text())


def unhex(text: str) -> bytes:
    return bytes.fromhex(text)


def drawing(*draws: bytes) -> Randomness:
    """Draw these, and nothing more."""
    left = iter(draws)
    return lambda _: next(left)
