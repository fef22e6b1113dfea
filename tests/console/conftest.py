"""One node with its console, for all tests here."""

from collections.abc import Generator

import pytest

from tests.console.place import Place, lonely


@pytest.fixture(scope="session")
def place() -> Generator[Place]:
    with lonely() as place:
        yield place
