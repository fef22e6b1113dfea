"""The page's part on the secure sum."""

from collections.abc import Iterable, Sequence

from bench import members
from bench.inputs import MANY, REPEATS
from bench.markdown import table
from bench.members import Measured
from quorate.mpc import additive

TEXT = """\
## A secure sum of 1,000,000 numbers

Each member is a process of its own; all are linked with all by TLS 1.3 on loopback, and share the
machine's cores, so the seconds are those of all members' work together. Measured once the links
are up; the slowest member counts. *Plain* sends the same words the same ways over the same links,
unmasked and unconfirmed. *NumPy* adds the vectors with all of them in one place.
"""

GROWTH = """\
## Cost against members and numbers

Rounds, and bytes each member sends. Long vectors are gathered in chunks, which takes one round
more and keeps the bytes almost independent of how many members there are.
"""


def section(counts: Sequence[int]) -> str:
    """Measure among each number of members; return Markdown."""
    measured = [members.measure(n, MANY, REPEATS) for n in counts]
    return "\n".join([TEXT, _sums(measured), GROWTH, _growth()])


def _sums(measured: Iterable[Measured]) -> str:
    head = ["members", "rounds", "bytes a member", "seconds", "plain", "ratio", "NumPy"]
    body = [
        (
            str(one.members),
            str(one.cost.rounds),
            f"{one.cost.bytes_sent:,}",
            f"{one.secure_s:.3f}",
            f"{one.plain_s:.3f}",
            f"{one.secure_s / one.plain_s:.1f}",
            f"{one.numpy_s:.4f}",
        )
        for one in measured
    ]
    return table(head, body)


def _growth() -> str:
    sizes = (3, 1_000, 100_000, 1_000_000, 10_000_000)
    head = ["members", *(f"{m:,} numbers" for m in sizes)]
    costs = {n: [additive.cost(n, m) for m in sizes] for n in (2, 3, 5, 10, 20, 50)}
    body = [
        (str(n), *(f"{c.rounds} rounds, {c.bytes_sent:,}" for c in line))
        for n, line in costs.items()
    ]
    return table(head, body)
