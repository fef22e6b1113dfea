"""The secure engine's work where all of it is verified, beside the same where nothing is."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial

from bench.engine import workloads
from bench.engine.timing import Spent, time_workloads
from bench.engine.workloads import Workload
from bench.inputs import MANY, SIDE
from bench.markdown import table
from quorate.mpc import price
from quorate.mpc.boolean import BitShare
from quorate.mpc.cost import NEAR, Pace
from quorate.mpc.price import Checked
from quorate.mpc.replicated import Committee, Share
from quorate.mpc.verification import verify

TEXT = """\
## The secure engine, verified

The same three parties, one of which may do anything: every product, AND, division and matrix is
verified before it could be revealed, and a wrong one passes with probability below 2^-40. Bytes
are those of party 0, who sends most. *Of that verifying* is what is spent after the work itself.
*Unverified* is the work of the section before, in the same minutes.
"""

BARS_S = {"products": 0.3, "comparisons": 1.5}
"""What 1,000,000 are to take over TLS; MP-SPDZ's malicious ring takes 0.94 s for products, and
10 s for comparisons of 32 bits."""


SLOW = Pace(0, 12_500_000)
"""Lines of 100 Mbit/s."""

SLOW_TEXT = """\
Through lines that carry 100 Mbit/s each way, 1,000,000 comparisons, verified by a proof. 5 s is
the bar. *On the line* is what the bytes alone take.
"""


@dataclass(frozen=True, slots=True)
class Pair:
    """One workload both ways; the bytes that party 0 sends to verify it."""

    trusting: Workload
    checked: Workload
    verifying: int


def pairs(many: int = MANY, side: int = SIDE) -> list[Pair]:
    """Return the workloads at so many words, and matrices of so many rows."""
    products = price.mul(many).then(price.truncate(many))
    square = price.matmul(side, side, side).then(price.truncate(side * side))
    steps = [
        (workloads.products(many), price.mul(many)),
        (workloads.comparisons(many), price.is_negative(many)),
        (workloads.equalities(many), price.is_zero(many)),
        (workloads.fixed_products(many), products),
        (workloads.matrices(side * side), square),
    ]
    return [_pair(load, step) for load, step in steps]


def _pair(load: Workload, step: Checked, pace: Pace = NEAR) -> Pair:
    verifying = price.verification(step.claims, pace)
    whole = step.cost.then(verifying)
    checked = replace(load, run=partial(_verified, pace, load.run), cost=whole)
    return Pair(load, checked, verifying.bytes_sent[0])


async def _verified(
    pace: Pace, run: Callable[..., Awaitable[Share | BitShare]], committee: Committee, *given: Share
) -> Share | BitShare:
    result = await run(committee, *given)
    await verify(committee, pace)
    return result


def section() -> str:
    """Run everything; return Markdown."""
    return "\n".join(
        [TEXT, _table((one, *_timed(one)) for one in pairs()), "", SLOW_TEXT, slow_lines()]
    )


def slow_lines(many: int = MANY) -> str:
    """Run comparisons through slow lines."""
    one = _pair(workloads.comparisons(many), price.is_negative(many), SLOW).checked
    (spent,) = time_workloads(
        [one], encrypted=True, security="malicious", repeats=2, bytes_per_s=SLOW.bytes_per_s
    )
    rounds, sent = f"{one.cost.rounds:,}", f"{one.cost.bytes_sent[0]:,}"
    seconds = SLOW.seconds(one.cost), spent.warm_s, spent.cpu_s
    head = ["rounds", "bytes", "on the line", "seconds", "processors"]
    return table(head, [(rounds, sent, *(f"{s:.2f} s" for s in seconds))])


def _timed(one: Pair) -> tuple[Spent, Spent]:
    checked = time_workloads([one.checked], encrypted=True, security="malicious")
    return checked[0], time_workloads([one.trusting], encrypted=True)[0]


def _table(measured: Iterable[tuple[Pair, Spent, Spent]]) -> str:
    head = ["work", "rounds", "bytes", "of that verifying", "TLS", "bar", "processors"]
    body = [
        (
            one.checked.name,
            f"{one.checked.cost.rounds:,}",
            f"{one.checked.cost.bytes_sent[0]:,}",
            f"{one.verifying:,}",
            f"{checked.warm_s:.3f} s",
            _bar(one.checked.name),
            f"{checked.cpu_s:.3f} s",
            f"{trusting.warm_s:.3f} s",
            f"{checked.warm_s / trusting.warm_s:.1f}",
        )
        for one, checked, trusting in measured
    ]
    return table([*head, "unverified", "ratio"], body)


def _bar(name: str) -> str:
    bars = [f"{bar:g} s" for what, bar in BARS_S.items() if name.endswith(f"0 {what}")]
    return "".join(bars)
