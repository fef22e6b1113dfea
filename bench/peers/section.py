"""The page's part on other programs, from their last run."""

from bench.inputs import MANY
from bench.markdown import table
from bench.peers import results
from bench.peers.results import Peer, Results, Row

WORK_GROWS = {
    "comparisons": 1.0,
    "equalities": 1.0,
    "fixed-point products": 1.0,
    "matrix product": 1.5,
}
"""The power of the size with which the work grows, for what is not of one size everywhere."""

TEXT = """\
## Beside other programs

Measured by `make bench-peers` on {date}, on {machine}: each program, and the engine right after
it at the same work and size, as three processes over plain sockets. Inputs are shared before the
clock starts. Medians of five, warm; *processors* is the ratio of the seconds that all three
parties' processors worked, which others on the machine change less. All hold against one curious
party of three: SPU by ABY3 in the ring of 64 bits with 18 bits of fraction, MPyC by Shamir's
shares in a prime field. A ratio below 1 means that the engine is faster. What would take a
program minutes it gets less of: *scaled* is what 1,000,000 would take it, were its time to grow
as the work does.
"""


def section() -> str:
    return text_of(results.read())


def text_of(found: Results) -> str:
    """Return Markdown: a table for each peer, and why others were not measured."""
    parts = [TEXT.format(date=found.date, machine=found.machine)]
    for peer in found.peers:
        parts += [f"Others used {peer.others:.0%} of the cores meanwhile.\n", peer_table(peer)]
    parts += [f"**{one.name} was not measured:** {one.reason}\n" for one in found.missing]
    return "\n".join(parts)


def peer_table(peer: Peer) -> str:
    name = f"{peer.name} {peer.version}"
    head = ["work", "size", name, "cold", "scaled", "ours", "ours / theirs", "processors", "remark"]
    return table(head, map(_cells, peer.rows))


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.work,
        f"{row.size:,}",
        f"{row.warm_s:.3f} s",
        f"{row.cold_s:.3f} s",
        _scaled(row),
        f"{row.ours_s:.3f} s",
        f"{row.ours_s / row.warm_s:.3f}",
        f"{row.ours_cpu_s / row.cpu_s:.3f}",
        row.remark,
    )


def _scaled(row: Row) -> str:
    power = WORK_GROWS.get(row.work)
    if power is None or row.size == MANY:
        return ""
    return f"{row.warm_s * (MANY / row.size) ** power:,.0f} s"
