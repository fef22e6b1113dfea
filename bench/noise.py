"""How much of the machine others used meanwhile: without that, seconds say little."""

import os
import resource
import time
from dataclasses import dataclass, field
from pathlib import Path

STAT = Path("/proc/stat")
IDLE, WAITING = 3, 4
"""Places of the times when a processor did nothing, among those that the system counts."""


def _busy_s() -> float:
    """Return the seconds that all cores together have worked; 0 where no system tells."""
    if not STAT.exists():
        return 0.0
    ticks = [int(count) for count in STAT.read_text().splitlines()[0].split()[1:9]]
    idle = ticks[IDLE] + ticks[WAITING]
    return (sum(ticks) - idle) / os.sysconf("SC_CLK_TCK")


def _own_s() -> float:
    """Return the seconds that this process, and those it has waited for, have worked."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in both)


@dataclass(frozen=True, slots=True)
class Watch:
    """Counts from when it is made."""

    started_s: float = field(default_factory=time.perf_counter)
    busy_s: float = field(default_factory=_busy_s)
    own_s: float = field(default_factory=_own_s)

    def others(self) -> float:
        """Return the share of all cores that others used; processes of one's own have ended."""
        cores_s = (time.perf_counter() - self.started_s) * (os.cpu_count() or 1)
        others_s = (_busy_s() - self.busy_s) - (_own_s() - self.own_s)
        return max(others_s, 0.0) / cores_s
