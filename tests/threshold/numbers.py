"""The project's own vectors, and hexadecimal."""

import json
from typing import Any

from tests.docs.project import PROJECT


def vectors(name: str) -> Any:
    return json.loads((PROJECT / "vectors" / name).read_text())


def unhex(text: str) -> bytes:
    return bytes.fromhex(text)
