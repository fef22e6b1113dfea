"""Print `constraints.txt`: what pip would install today for the project and its extras.

Run with the oldest Python we support, whose choice also installs on newer ones.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

OLDEST = (3, 11)
PROJECT = Path(__file__).parent.parent
EXTRAS = "attachments,bench,console,dev,dp,enclave,fast,keyring,lab,notebook,oracles,plots,stats"
HEADER = """\
# The versions that are tested, for the project and its extras.
# Written by `make constraints` with Python {}.{}; not edited by hand.
"""


def pins() -> list[str]:
    """Resolve the project and its extras from nothing, installing nothing."""
    resolve = ["install", "--quiet", "--dry-run", "--ignore-installed", "--report", "-"]
    report = subprocess.run(
        [sys.executable, "-m", "pip", *resolve, f"{PROJECT}[{EXTRAS}]"],
        check=True,
        stdout=subprocess.PIPE,
    )
    packages = [item["metadata"] for item in json.loads(report.stdout)["install"]]
    names = {re.sub(r"[-_.]+", "-", p["name"].lower()): p["version"] for p in packages}
    del names["quorate"]
    return [f"{name}=={version}" for name, version in sorted(names.items())]


if sys.version_info[:2] != OLDEST:
    sys.exit("pins: error: .venv must be made by Python {}.{}".format(*OLDEST))
print(HEADER.format(*OLDEST) + "\n".join(pins()))
