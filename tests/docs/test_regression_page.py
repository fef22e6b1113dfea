"""Whoever follows the page from a CSV to a regression sees what it shows, Python included."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.docs.pages import examples, follow
from tests.docs.project import PROJECT

PAGE = PROJECT / "docs/regression.md"


def test_the_page_is_true() -> None:
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    assert len(blocks) == 2

    with examples() as folder:

        def before(command: str) -> None:
            if command == "quorate node stop --node north":
                _python("\n".join(blocks), folder)

        assert follow(PAGE, folder, ("5f50-b404",), before) > 20


def test_the_study_shown_is_the_one_in_the_examples() -> None:
    (shown,) = re.findall(r"^```toml\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    assert shown == (PROJECT / "examples/progression.toml").read_text()


def _python(text: str, folder: Path) -> None:
    """Run the page's Python as a person would, and hold what it prints to R's own numbers."""
    said = subprocess.run(
        [sys.executable, "-c", text],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(PROJECT / "src")},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert said.returncode == 0, said.stderr
    assert re.search(r"^bmi +8\.4843\d+ +0\.7051\d+", said.stdout, re.MULTILINE), said.stdout
    assert "0.4002" in said.stdout
    assert re.search(r"progression estimate +bmi +8\.4843", said.stdout)
    assert (folder / "progression.png").read_bytes().startswith(b"\x89PNG")
    assert (folder / "again.json").stat().st_size > 0
    adults = folder / "north" / "tables" / "adults.csv"
    assert adults.stat().st_mode & 0o077 == 0
