"""One browser for all journeys, closed before other tests: its driver holds the event loop."""

from collections.abc import Generator

import pytest
from playwright.sync_api import Browser

from tests.system.console.browsing import chromium


@pytest.fixture(scope="package")
def browser() -> Generator[Browser]:
    with chromium() as browser:
        yield browser
