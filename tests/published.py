"""Published test vectors, in the folder that the environment variable QUORATE_VECTORS names."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

VARIABLE = "QUORATE_VECTORS"


def published(path: str) -> Any:
    """The JSON of one published file; the test is skipped, saying so, where it is not there."""
    folder = os.environ.get(VARIABLE, "")
    if not folder:
        pytest.skip(f"{VARIABLE} names no folder of published vectors: {path} was not tried")
    file = Path(folder) / path
    if not file.is_file():
        pytest.skip(f"{VARIABLE} holds no {path}: it was not tried")
    return json.loads(file.read_text())
