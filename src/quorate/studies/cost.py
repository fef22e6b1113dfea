"""What running a plan costs each member, known before anything runs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from quorate.mpc import additive, expression, price, secret
from quorate.mpc.cost import FREE, Cost
from quorate.mpc.engine import Oracle
from quorate.mpc.expression import Held
from quorate.mpc.replicated import SEATS, Security
from quorate.mpc.secret import SecretArray
from quorate.studies import committee
from quorate.studies.analyses.kinds import every_input
from quorate.studies.inputs import size
from quorate.studies.lines import layout_of
from quorate.studies.plan import COMMITTEE, Plan
from quorate.studies.study import Study
from quorate.studies.suppression import Judged, gone, judge, nothing, one_pass

SIGNATURE_BYTES = 64


@dataclass(frozen=True, slots=True)
class RunCost:
    """Rounds, and payload bytes sent by each member, by seat."""

    rounds: int
    bytes_sent: tuple[int, ...]


def run_cost(plan: Plan) -> RunCost:
    """Return the cost of a run of `plan`: its protocol, then signatures under the certificate."""
    if plan.protocol == COMMITTEE:
        return _committee_cost(plan.study, len(plan.members), plan.security)
    n = len(plan.members)
    total = additive.cost(n, plan.numbers)
    return RunCost(total.rounds + 1, (total.bytes_sent + (n - 1) * SIGNATURE_BYTES,) * n)


def _committee_cost(study: Study, members: int, security: Security) -> RunCost:
    """Return the cost of keys, dealing to three, the decision, what is shown, and signatures."""
    layout, outside = layout_of(study), members - SEATS
    m = sum(size(study, item.cells) for item in every_input(study, members))
    shown = committee.revealed_words(study, layout, members)
    decision = _decision(study, members, security)
    ticks = sum(committee.ticks_of(study, layout, members))
    everybody = (members - 1) * (163 + SIGNATURE_BYTES)
    inside = 8 * m + 32 * outside + (8 * shown + 32) * (1 + outside) + ticks * outside
    return RunCost(
        2 + 1 + (outside > 0) + decision.rounds + 1 + 1,
        (
            *(everybody + inside + sent for sent in decision.bytes_sent),
            *[everybody + 16 * m + 128] * outside,
        ),
    )


def _decision(study: Study, members: int, security: Security) -> Cost:
    """Return what the committee spends from the shares of all numbers to those of what is shown."""
    layout = layout_of(study)
    m = sum(size(study, item.cells) for item in every_input(study, members))
    zeros = np.zeros(m, np.uint64)
    sums = secret.held(Oracle(security), zeros, shape=zeros.shape, limit=expression.RANGE - 1)
    total, shown = FREE, FREE
    if study.releases:
        judged = judge(layout, committee.counts_in(study, layout, members, sums), study.min_cell)
        total = _cost_of(judged.arrays)
        small, none_small, some_small, *before = map(_done, judged.arrays)
        judged = Judged(small, none_small, some_small, tuple(before))
        more = _done(nothing(judged))
        if layout.passes:
            one = _cost_of([one_pass(layout, judged, more)])
            for _ in range(layout.passes):
                total = total.then(one)
        hidden = _done(gone(judged, more))
        shown = _cost_of([committee.shown_of(study, layout, members, sums, hidden)])
    if study.analyses:
        total = total.then(_cost_of([committee.told_of_all(study, sums, [sums] * members)]))
    return total.then(shown)


def _cost_of(arrays: Sequence[SecretArray]) -> Cost:
    security = arrays[0].engine.security
    return price.cost_of([array.node for array in arrays], committee.PACE, security)


def _done(array: SecretArray) -> SecretArray:
    """Return an array of the same shape that takes nothing more to compute."""
    bits, words = np.zeros((), np.bool_), np.zeros((), np.uint64)
    shape = array.shape
    there = np.broadcast_to(bits, shape) if array.node.is_bits else np.broadcast_to(words, shape)
    return SecretArray(array.engine, replace(array.node, operation=Held(there), inputs=()))
