"""What is written from the code is what the code would write now, and the pages can be built."""

import re
import subprocess
import sys
from pathlib import Path

from quorate.cli.reference import markdown
from quorate.node import reference as api
from tests.docs.project import PROJECT


def test_the_reference_is_up_to_date() -> None:
    written = (PROJECT / "docs/reference/cli.md").read_text()
    assert written == markdown(), "write it anew: python -m quorate.cli.reference"


def test_the_reference_of_the_api_is_up_to_date() -> None:
    written = (PROJECT / "docs/reference/api.md").read_text()
    assert written == api.markdown(), "write it anew: python -m quorate.node.reference"


def test_the_costs_are_those_of_the_docstrings() -> None:
    said = subprocess.run(
        [sys.executable, "scripts/costs.py"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    written = (PROJECT / "docs/reference/costs.md").read_text()
    assert written == said.stdout, "write it anew: python scripts/costs.py"


def test_the_pages_are_built_without_a_warning(tmp_path: Path) -> None:
    said = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(tmp_path / "site")],
        cwd=PROJECT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (said.returncode, said.stderr) == (0, "")
    pages = list((tmp_path / "site").rglob("*.html"))
    assert len(pages) > 40
    for page in pages:
        fetched = re.findall(
            r'<(?:script|img|link)[^>]*(?:src|href)="(?:https?:)?//', page.read_text()
        )
        assert not fetched, f"{page.name} fetches something from elsewhere"
