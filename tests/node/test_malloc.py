"""Memory that is touched before it is needed."""

import json
import subprocess
import sys

PROGRAM = """
import asyncio, json, resource, sys
import numpy as np
from quorate.node.malloc import keep_freed_memory, make_room

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

async def run(n_bytes):
    keep_freed_memory()
    await make_room(n_bytes)
    before = faults()
    held = [np.ones(1 << 18, np.uint64) for _ in range(24)]
    return faults() - before

print(json.dumps(asyncio.run(run(int(sys.argv[1])))))
"""


def faults_after(n_bytes: int) -> int:
    """Return how many pages a new process touches first in 48 MiB, with so much room made."""
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(n_bytes)], capture_output=True, check=True, text=True
    )
    return int(json.loads(ran.stdout))


def test_what_follows_finds_memory_that_was_touched() -> None:
    assert faults_after(64 << 20) < faults_after(0) / 4
