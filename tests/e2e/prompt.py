"""Commands typed on the nodes of a ward."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.e2e.ward import Ward, environment


def typed(ward: Ward, name: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Type a command on one node, with the passphrase in the environment."""
    return subprocess.run(
        [sys.executable, "-m", "quorate.cli.main", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env=environment(ward.homes[name]),
    )


def said(ward: Ward, name: str, *arguments: str | Path) -> Any:
    answer = typed(ward, name, *arguments, "--format", "json")
    return json.loads(answer.stdout if answer.returncode == 0 else answer.stderr)
