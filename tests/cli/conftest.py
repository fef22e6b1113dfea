import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.cli.say import Shell


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Generator[Shell]:
    """A prompt in an empty folder, whose path is short enough for sockets below it."""
    monkeypatch.delenv("QUORATE_NODE", raising=False)
    with tempfile.TemporaryDirectory(prefix="q-") as name:
        monkeypatch.chdir(name)
        yield Shell(Path(name), capsys)
