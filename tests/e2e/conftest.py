"""Three nodes for a module's tests; after each test they must be ready for the next run."""

from collections.abc import Generator

import pytest

from tests.e2e.nodes import Nodes, three_nodes

TIMEOUT_S = 3.0


@pytest.fixture(scope="module")
def started() -> Generator[Nodes]:
    with three_nodes(TIMEOUT_S) as nodes:
        yield nodes


@pytest.fixture
def nodes(started: Nodes) -> Generator[Nodes]:
    yield started
    started.works()
