"""Commands typed on nodes of this machine."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Protocol

from quorate.node.home import Home
from tests.e2e.ward import environment


class Housed(Protocol):
    """Nodes whose folders are known by their members' names."""

    @property
    def homes(self) -> dict[str, Home]: ...


def typed(nodes: Housed, name: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Type a command on one node, with the passphrase in the environment."""
    return subprocess.run(
        [sys.executable, "-m", "quorate.cli.main", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env=environment(nodes.homes[name]),
    )


def said(nodes: Housed, name: str, *arguments: str | Path) -> Any:
    answer = typed(nodes, name, *arguments, "--format", "json")
    return json.loads(answer.stdout if answer.returncode == 0 else answer.stderr)
