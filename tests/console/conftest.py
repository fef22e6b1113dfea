"""One node with its console, for a module's tests."""

from collections.abc import Generator

import pytest

from tests.console.place import Place, lonely


@pytest.fixture(scope="module")
def place() -> Generator[Place]:
    with lonely() as place:
        yield place
