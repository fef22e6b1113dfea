"""`quorate demo poisoning`: the classifier falls and is restored; a vote of three nodes holds."""

import re
from pathlib import Path

import pytest

from tests.e2e.nodes import quorate

pytestmark = pytest.mark.slow


def test_the_demo_shows_attacks_and_what_stops_them(short: Path) -> None:
    said = quorate("demo", "poisoning", "--keep", "kept", cwd=short)
    assert said.returncode == 0, said.stderr
    for shown in (
        r"true rows: 91\.50 % of 200 rows are told rightly",
        r"attacked: 50\.00 % of 200 rows",
        r"840 rows: 800 in range, 40 rejected",
        r"rows in range: 91\.50 % of 200 rows",
        r"told rightly, true rows +100\.0 █+ +99\.1 █",
        r"told rightly, north flips a class +92\.9 █+· +99\.1 █",
        r"backdoor opens +100\.0 █+ +10\.1 ██·",
        r"defended: up to 1 of 3 members may deal any model",
    ):
        assert re.search(shown, said.stdout), shown
    assert "<svg" in (short / "kept" / "poisoning.html").read_text(encoding="utf-8")
