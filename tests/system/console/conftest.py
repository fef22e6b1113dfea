"""One browser for all journeys."""

from collections.abc import Generator

import pytest
from playwright.sync_api import Browser

from tests.system.console.browsing import chromium


@pytest.fixture(scope="session")
def browser() -> Generator[Browser]:
    with chromium() as browser:
        yield browser
