"""Three nodes for a module's tests; after each test they must be ready for the next run."""

import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.e2e.nodes import Nodes, three_nodes

TIMEOUT_S = 3.0


@pytest.fixture
def short() -> Generator[Path]:
    """A folder whose path is short enough for sockets below it."""
    with tempfile.TemporaryDirectory(prefix="q-") as name:
        yield Path(name)


@pytest.fixture(scope="module")
def started() -> Generator[Nodes]:
    with three_nodes(TIMEOUT_S) as nodes:
        yield nodes


@pytest.fixture
def nodes(started: Nodes) -> Generator[Nodes]:
    yield started
    started.works()
