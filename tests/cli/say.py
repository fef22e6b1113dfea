"""Commands typed in this process: what they say, and how they end."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from quorate.cli.main import main


@dataclass(frozen=True, slots=True)
class Said:
    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Shell:
    """A person at a prompt, in `folder`."""

    folder: Path
    captured: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str | Path) -> Said:
        code = main([str(argument) for argument in arguments])
        out, err = self.captured.readouterr()
        return Said(code, out, err)
