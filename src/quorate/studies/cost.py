"""What running a plan costs each member, known before anything runs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import prod

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate import wire
from quorate.dp import joint
from quorate.enclave.binding import NONCE
from quorate.models.newton import MOST_STEPS
from quorate.mpc import additive, expression, price, secret
from quorate.mpc.cost import FREE, Cost
from quorate.mpc.engine import Oracle
from quorate.mpc.expression import Held
from quorate.mpc.price import NOTHING, Checked
from quorate.mpc.promises import DIGEST_BYTES, SALT_WORDS
from quorate.mpc.replicated import SEATS, Security
from quorate.mpc.secret import SecretArray
from quorate.studies import committee
from quorate.studies.analyses.kinds import every_input
from quorate.studies.attested import offer
from quorate.studies.inputs import size
from quorate.studies.inside import TAG
from quorate.studies.largest import largest_of, steps_of
from quorate.studies.lines import layout_of
from quorate.studies.plain import words_of
from quorate.studies.plan import Plan
from quorate.studies.programs import program_of
from quorate.studies.protocols import (
    BY_ENCLAVE,
    BY_THIRD_PARTY,
    COMMITTEE,
    JOINT_NOISE,
    NOISE_IN_SHARES,
    NOISE_ON_RECORDS,
    SCORE,
    STEPS,
    TABLES,
)
from quorate.studies.rows import columns_sent
from quorate.studies.runners import score, steps
from quorate.studies.runners.enclave import FRAME
from quorate.studies.runners.guard import far_or_same
from quorate.studies.study import Study
from quorate.studies.suppression import Judged, gone, judge, nothing, one_pass
from quorate.studies.turn import Build, nothing_of

SIGNATURE_BYTES = 64
STANDING_BYTES = 48  # of a member's ledger
ROOM_FOR_CLAIMS = 5
"""How much memory claims take while they are verified: triples, and what is revealed of them."""


@dataclass(frozen=True, slots=True)
class RunCost:
    """Rounds, and payload bytes sent by each member, by seat."""

    rounds: int
    bytes_sent: tuple[int, ...]
    bytes_a_row: int = 0  # that each member but the third party sends beside that
    at_most: bool = False  # where rounds and bytes follow from luck


def run_cost(plan: Plan) -> RunCost:
    """Return the cost of a run of `plan`: its protocol, then signatures under the certificate."""
    if plan.protocol == COMMITTEE:
        cost = _committee_cost(plan.study, len(plan.members), plan.security)
        return _promised(cost, len(plan.members)) if plan.is_signed else cost
    if plan.protocol == BY_THIRD_PARTY:
        return _third_party_cost(plan)
    if plan.protocol == BY_ENCLAVE:
        return _enclave_cost(plan)
    if plan.protocol == SCORE:
        return _score_cost(plan)
    if plan.protocol == TABLES:
        return _tables_cost(plan)
    if plan.protocol == STEPS:
        return steps_cost(plan, MOST_STEPS + 1)
    n = len(plan.members)
    if plan.protocol == JOINT_NOISE:
        return _joint_cost(plan)
    if plan.protocol == NOISE_ON_RECORDS:
        each = 163 + 8 * plan.numbers + 32 + SIGNATURE_BYTES + STANDING_BYTES
        return RunCost(6, ((n - 1) * each,) * n)
    if plan.protocol == NOISE_IN_SHARES:
        total = additive.cost(n, plan.numbers)
        signed = (n - 1) * (SIGNATURE_BYTES + STANDING_BYTES)
        return RunCost(total.rounds + 2, (total.bytes_sent + signed,) * n)
    total = additive.cost(n, plan.numbers)
    return RunCost(total.rounds + 1, (total.bytes_sent + (n - 1) * SIGNATURE_BYTES,) * n)


def _score_cost(plan: Plan) -> RunCost:
    """Return the cost of keys, dealing to three, the scores, two reveals, and signatures."""
    n, m = len(plan.members), plan.numbers
    outside, treating = n - SEATS, plan.members.index(plan.study.scoring.record.treating)
    oracle = Oracle(plan.security)
    parts = score.nothing_of(plan, oracle)
    done = _then(Checked(FREE, NOTHING), [score.computed(plan, parts)])
    work = done.cost.then(price.verification(done.claims, committee.PACE))
    everybody = (n - 1) * (163 + SIGNATURE_BYTES)
    inside = 8 * m + 32 * outside + (8 * n + 32) * (1 + outside) + score.steps_of(plan) * outside
    sent = [everybody + inside + one for one in work.bytes_sent]
    for party in range(SEATS):
        if treating >= SEATS or party == (treating - 1) % SEATS:
            sent[party] += 8 * m
        if treating >= SEATS or party == (treating + 1) % SEATS:
            sent[party] += 32
    rounds = 2 + 1 + (outside > 0) + work.rounds + 1 + 1 + 1
    return RunCost(rounds, (*sent, *[everybody + 16 * m + 128] * outside))


def steps_cost(plan: Plan, taken: int) -> RunCost:
    """Return the cost of a run in which `taken` steps were revealed, and errors at the end.

    Rounds are the most there may be: where one member waits for less than all, there are fewer.
    """
    n, p, entries = len(plan.members), len(plan.stepping.terms), prod(plan.stepping.size)
    turns = (
        (1, _turn_cost(plan, 2, 1, steps.permission)),
        (taken, _turn_cost(plan, entries, p + 1, steps.next_step)),
        (1, _turn_cost(plan, entries, p + 1, steps.last_step)),
    )
    everybody = (n - 1) * (163 + SIGNATURE_BYTES)
    sent = (sum(k * turn.bytes_sent[seat] for k, turn in turns) for seat in range(n))
    rounds = 2 + 1 + sum(k * turn.rounds for k, turn in turns)
    return RunCost(rounds, tuple(everybody + one for one in sent))


def _tables_cost(plan: Plan) -> RunCost:
    """Return the cost of keys, dealing tables to three, the program, a reveal, and signatures.

    What is sent while the three compute, for those outside to hear of them, comes on top.
    """
    n = len(plan.members)
    program, outside = program_of(plan.study, n), n - SEATS
    work = program.cost(plan.security)
    everybody = (n - 1) * (163 + SIGNATURE_BYTES)
    inside = 64 * outside + (8 * program.words + 32) * (1 + outside) + outside
    dealt = [8 * shape.words for shape in program.shapes]
    sent = [
        *(everybody + inside + a + b for a, b in zip(dealt, work.bytes_sent, strict=False)),
        *(everybody + 2 * a + 256 for a in dealt[SEATS:]),
    ]
    rounds = 2 + 1 + 2 * (outside > 0) + work.rounds + 1 + 1
    return RunCost(rounds, tuple(sent), at_most=program.depends_on_luck)


def guard_cost(plan: Plan, pairs: int) -> RunCost:
    """Return the cost of comparing so many pairs of cohorts, before a run; of none nothing."""
    n = len(plan.members)
    if not pairs:
        return RunCost(0, (0,) * n)
    turn = _turn_cost(plan, pairs, 1, far_or_same)
    return RunCost(2 + turn.rounds, tuple((n - 1) * 163 + one for one in turn.bytes_sent))


def _turn_cost(plan: Plan, dealt: int, told: int, build: Build) -> RunCost:
    """Return the cost of dealing words, of what the three do with them, and of a reveal to all."""
    outside = len(plan.members) - SEATS
    built = build(plan, nothing_of(dealt, Oracle(plan.security)))
    done = _then(Checked(FREE, NOTHING), [built])
    cost = done.cost.then(price.verification(done.claims, committee.PACE))
    ticks = len(list(expression.steps([built.node]))) * outside
    inside = 8 * dealt + 32 * outside + (8 * told + 32) * (1 + outside) + ticks
    return RunCost(
        1 + (outside > 0) + cost.rounds + 1,
        (*(inside + one for one in cost.bytes_sent), *[16 * dealt + 128] * outside),
    )


def _third_party_cost(plan: Plan) -> RunCost:
    """Return the cost of keys, rows, their result, and signatures; of ledgers, where there are."""
    under_privacy = plan.study.privacy is not None
    each = 163 + 32 + 32 + SIGNATURE_BYTES + (STANDING_BYTES if under_privacy else 0)
    others = len(plan.members) - 1
    third = others * (each + 1 + 8 + 8 * words_of(plan))
    return RunCost(
        9 + under_privacy,
        tuple(
            third if name == plan.study.third_party else others * each + 8 for name in plan.members
        ),
        8 * len(columns_sent(plan)),
    )


def _enclave_cost(plan: Plan) -> RunCost:
    """Return the cost of keys, offers, evidence, rows, their receipt, signatures; of ledgers."""
    others, host = len(plan.members) - 1, plan.computes[0]
    nobody = Ed25519PrivateKey.from_private_bytes(bytes(32))
    due, measured = datetime.fromisoformat(plan.proposed_at), plan.study.enclosed.measurement
    under_privacy = plan.study.privacy is not None
    ledger = STANDING_BYTES if under_privacy else 0
    sent: list[int] = []
    for name in plan.members:
        told = len(wire.encode(offer(plan, name, nobody, measured, bytes(NONCE), due)))
        each = others * (163 + 3 * DIGEST_BYTES + told + SIGNATURE_BYTES + ledger)
        as_host = others * (2 * FRAME + 1 + 8 + 8 * words_of(plan))
        sent.append(each + (as_host if name == host else 8 + FRAME + 8 + TAG))
    return RunCost(12 + under_privacy, tuple(sent), 8 * len(columns_sent(plan)))


def _promised(cost: RunCost, members: int) -> RunCost:
    """Return the cost where what is revealed is promised first, in place of hashes beside it.

    What signs each message comes on top: `transport.signed.TRAILER_BYTES`.
    """
    more = 2 * DIGEST_BYTES * (members - 1) + (8 * SALT_WORDS - DIGEST_BYTES) * (members - 2)
    inside = (sent + more for sent in cost.bytes_sent[:SEATS])
    return RunCost(cost.rounds + 1, (*inside, *cost.bytes_sent[SEATS:]))


def _joint_cost(plan: Plan) -> RunCost:
    """Return the cost of ledgers, keys, dealing to three, their noise, the reveal, signatures."""
    outside, m = len(plan.members) - SEATS, plan.numbers
    drawn = _drawn_cost(plan)
    everybody = (len(plan.members) - 1) * (163 + SIGNATURE_BYTES + STANDING_BYTES)
    inside = 8 * m + 32 * outside + (8 * plan.revealed + 32) * (1 + outside) + outside
    inside += outside * steps_of(plan)
    return RunCost(
        1 + 2 + 1 + (outside > 0) + drawn.rounds + (outside > 0) + 1 + 1,
        (
            *(everybody + inside + sent for sent in drawn.bytes_sent),
            *[everybody + 16 * m + 128] * outside,
        ),
    )


def room_of(plan: Plan) -> int:
    """Return about how many bytes verifying a plan's joint noise takes: claims, triples, places."""
    return ROOM_FOR_CLAIMS * 8 * _drawing(plan).claims.words


def _drawing(plan: Plan) -> price.Checked:
    return joint.drawing(
        [(v.mechanism, v.size) for v in plan.vectors if v.mechanism is not None],
        plan.security,
    )


def _drawn_cost(plan: Plan) -> Cost:
    """Return what drawing noise costs, then looking for what is largest, then verifying both."""
    drawn = _drawing(plan)
    zeros = np.zeros(plan.numbers, np.uint64)
    total = secret.held(Oracle(plan.security), zeros, shape=zeros.shape, limit=1)
    places = [array.node for array in largest_of(plan, total)]
    found = price.computing(places, committee.PACE, plan.security, drawn.claims)
    return drawn.cost.then(found.cost).then(price.verification(found.claims))


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
    total, shown = Checked(FREE, NOTHING), None
    if study.releases:
        judged = judge(layout, committee.counts_in(study, layout, members, sums), study.min_cell)
        total = _then(total, judged.arrays)
        small, none_small, some_small, *before = map(_done, judged.arrays)
        judged = Judged(small, none_small, some_small, tuple(before))
        more = _done(nothing(judged))
        for _ in range(layout.passes):
            total = _then(total, [one_pass(layout, judged, more)])
        hidden = _done(gone(judged, more))
        shown = committee.shown_of(study, layout, members, sums, hidden)
    if study.analyses:
        total = _then(total, [committee.told_of_all(study, sums, [sums] * members)])
    total = total if shown is None else _then(total, [shown])
    return total.cost.then(price.verification(total.claims, committee.PACE))


def _then(before: Checked, arrays: Sequence[SecretArray]) -> Checked:
    """Return what computing costs and leaves to be verified, after something else."""
    nodes, security = [array.node for array in arrays], arrays[0].engine.security
    more = price.computing(nodes, committee.PACE, security, before.claims)
    return Checked(before.cost.then(more.cost), more.claims)


def _done(array: SecretArray) -> SecretArray:
    """Return an array of the same shape that takes nothing more to compute."""
    bits, words = np.zeros((), np.bool_), np.zeros((), np.uint64)
    shape = array.shape
    there = np.broadcast_to(bits, shape) if array.node.is_bits else np.broadcast_to(words, shape)
    return SecretArray(array.engine, replace(array.node, operation=Held(there), inputs=()))
