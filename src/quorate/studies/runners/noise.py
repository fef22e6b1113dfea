"""Add up noisy: the totals of a plan under privacy, which nobody ever holds without their noise.

Two ways, as the plan says. *In shares*: every member adds its share of noise to its own vectors,
and the secure sum adds up all (`dp.shares`). *Jointly*: everybody deals its vectors to the first
three members, who draw noise that none of them knows (`dp.joint`), add it to the shares of the
totals, verify all that they did, and reveal what comes out.

Before either, members tell each other where their ledgers stand: whether this very release was
paid for and answered before, and what is left. If all hold the same answer, that is the result
again, with the same noise, and nothing runs. If only some do, nothing is revealed: noise drawn
anew would be a second look. A member that drops out before the reveal voids the run: fewer
shares of noise than planned are never opened, and the next run draws afresh.

Adversary: as in `dp.shares` and `dp.joint`. Unreviewed.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from typing import NoReturn, cast

import numpy as np

from quorate import wire
from quorate.algebra import ring
from quorate.algebra.ring import Words
from quorate.dp import joint
from quorate.dp.shares import noisy_total
from quorate.enclave.receipt import Archive
from quorate.errors import Abort, MalformedMessage, Party, Refused
from quorate.mpc import expression, owners, secret
from quorate.mpc.engine import Secure
from quorate.mpc.replicated import SEATS, Committee, Share, convened, refuse_unverified
from quorate.mpc.verification import verify
from quorate.studies.committee import PACE, TICK, dealt, noise_seen, tick, wait_for
from quorate.studies.largest import largest_of, placed, steps_of
from quorate.studies.noised import Vector, shared
from quorate.studies.plan import Plan
from quorate.studies.protocols import BY_ENCLAVE, BY_THIRD_PARTY, NOISE_IN_SHARES, NOISE_ON_RECORDS
from quorate.studies.runners.enclave import Attending, run_inside
from quorate.studies.runners.local_noise import tell_sums
from quorate.studies.runners.third_party import tell_third
from quorate.studies.running import Running
from quorate.transport.session import together

STAGES_SHARES = ("ledgers", "keys", "masked values", "confirmation", "opening")
STAGES_JOINT = ("ledgers", "keys", "shares", "noise", "reveal")
OPENS = ("opening", "reveal", "perturbed sums", "rows")
"""Stages from which on what a member sends may tell the result: its ledger says so before."""

_UNLIMITED = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one member's ledger stands at the beginning of a run, and what all are told of it."""

    answer: bytes  # of this very release, if it was released before; told as a digest
    nano_epsilon_left: int | None  # after this run; None where the owner does not count so
    nano_rho_left: int | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What was released: the noisy totals, as every ledger keeps them."""

    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Noisy:
    """The outcome: noisy totals, what they are in a ledger, and what the members have left."""

    answer: bytes
    numbers: tuple[int, ...]
    left: tuple[tuple[int | None, int | None], ...]  # nano epsilon, nano rho; by seat
    session_id: bytes
    seen: dict[Party, Words]
    archive: Archive | wire.Absent = wire.ABSENT  # of the enclave that drew the noise


async def reveal_noisy(running: Running, standing: Standing, attending: Attending) -> Noisy:
    """Add up everyone's numbers of the plan's vectors with noise; reveal nothing else.

    `attending` is what this member brings to an enclave. Raises `Abort` where anybody is missing,
    or where ledgers do not agree on what was released; `Refused` for an enclave's answer again.

    Cost: that of `studies.cost.run_cost`, without the round of signatures
    """
    plan = running.plan
    running.progress("ledgers")
    told = await running.session.exchange(_told(standing))
    left = tuple((_left(words[4]), _left(words[5])) for words in told)
    if not all(np.array_equal(words[:4], told[0][:4]) for words in told):
        raise Abort(
            "the members' ledgers do not agree on whether this was released before",
            hint="propose it under another title: it is another release then, and costs anew",
        )
    archive: Archive | wire.Absent = wire.ABSENT
    if standing.answer:
        if plan.protocol == BY_ENCLAVE:
            _refuse_again()
        bond = await running.keys()
        return Noisy(standing.answer, totals_in(standing.answer), left, bond.session_id, {})
    if plan.protocol == NOISE_ON_RECORDS:
        numbers, session_id, seen = await tell_sums(running)
    elif plan.protocol == BY_THIRD_PARTY:
        words, session_id, seen = await tell_third(running)
        numbers = _signed(words)
    elif plan.protocol == BY_ENCLAVE:
        found = await run_inside(running, attending)
        numbers, session_id, seen = _signed(found.words), found.session_id, {}
        archive = found.archive
    else:
        add_up = _in_shares if plan.protocol == NOISE_IN_SHARES else _jointly
        numbers, session_id, seen = await add_up(running)
    answer = wire.encode(Answer(numbers))
    return Noisy(answer, numbers, left, session_id, seen, archive)


def _refuse_again() -> NoReturn:
    raise Refused(
        "an enclave released this before, and its receipt is for that run alone",
        hint="read that release; under another title it is another one, and costs anew",
    )


async def _in_shares(running: Running) -> tuple[tuple[int, ...], bytes, dict[Party, Words]]:
    """Add up everybody's vectors, each with everybody's share of noise."""
    session, plan = running.session, running.plan
    ends = np.cumsum([vector.size for vector in plan.vectors])
    noises = [
        None if vector.mechanism is None else shared(vector.mechanism, session.n)
        for vector in plan.vectors
    ]
    total = await noisy_total(
        session,
        np.split(ring.to_signed(running.own), ends[:-1]),
        noises,
        context=running.context,
        claim=running.claim,
        randomness=running.randomness,
        progress=running.progress,
    )
    return _signed(total.words), total.session_id, total.seen


async def _jointly(running: Running) -> tuple[tuple[int, ...], bytes, dict[Party, Words]]:
    """Let the first three members add noise that none of them knows to the shares of the totals."""
    session, plan, progress = running.session, running.plan, running.progress
    bond = await running.keys()
    like, seen = np.zeros(plan.revealed, np.uint64), dict[Party, Words]()
    ticks = [session.at(f"step {i}") for i in range(steps_of(plan))]
    noisy: Share | None = None
    progress("shares")
    if session.me >= SEATS:
        place = session.at(f"of {session.me}")
        await owners.deal_to_committee(place, session.me, running.own, running.randomness)
        progress("noise")
        await wait_for(ticks)
        await session.at("drawn").route(senders=range(SEATS), like=TICK)
    else:
        committee = convened(session.among(SEATS, "committee"), bond, plan.security)
        shares = await dealt(session, committee, running.own, running.randomness)
        seen = noise_seen(session.me, shares)
        progress("noise")
        drawn = await _drawn(committee, plan.vectors)
        each_depth = partial(tick, iter(ticks), range(SEATS, session.n))
        total = reduce(_sum, [drawn, *shares])
        noisy = await _shown(committee.at("shown"), plan, total, each_depth)
        await verify(committee)
        refuse_unverified(committee)
        if session.n > SEATS:
            await session.at("drawn").route(TICK, to=range(SEATS, session.n), like=TICK)
    progress("reveal")
    words = await owners.reveal_to_all(session.at("reveal"), noisy, like)
    return _signed(words), bond.session_id, seen


async def _drawn(committee: Committee, vectors: Sequence[Vector]) -> Share:
    """Return shares of the noise on all numbers, one vector after the other."""
    drawn = await together(
        *(_noise(committee.at(f"noise {i}"), vector) for i, vector in enumerate(vectors))
    )
    own, after = zip(*((one.own, one.next) for one in drawn), strict=True)
    return Share(np.concatenate(own), np.concatenate(after))


async def _noise(committee: Committee, vector: Vector) -> Share:
    if vector.mechanism is not None:
        return await joint.noise(committee, vector.mechanism, vector.size)
    zeros = np.zeros(vector.size, np.uint64)  # no patient can change it
    return Share(zeros, zeros)


async def _shown(
    committee: Committee, plan: Plan, noisy: Share, each_depth: Callable[[], Awaitable[None]]
) -> Share:
    """Return what is revealed: noisy totals, and of some vectors the places of the largest."""
    if plan.revealed == plan.numbers:
        return noisy
    engine = Secure(committee, PACE)
    total = secret.held(engine, noisy, shape=noisy.shape, limit=expression.RANGE - 1)
    nodes = [array.node for array in largest_of(plan, total)]
    found = await engine.compute(nodes, each_depth=each_depth)
    places = iter(cast("list[Share]", found))  # words, as places are
    parts = [
        next(places) if vector.choices > 1 else Share(noisy.own[here], noisy.next[here])
        for vector, here in placed(plan)
    ]
    own, after = zip(*((part.own, part.next) for part in parts), strict=True)
    return Share(np.concatenate(own), np.concatenate(after))


def _sum(x: Share, y: Share) -> Share:
    return Share(x.own + y.own, x.next + y.next)


def _signed(words: Words) -> tuple[int, ...]:
    return tuple(ring.to_signed(words).tolist())


def _told(standing: Standing) -> Words:
    """Return the digest of the answer, none being zeros, and what is left, as words."""
    digest = wire.digest("released before", standing.answer) if standing.answer else bytes(32)
    amounts = [standing.nano_epsilon_left, standing.nano_rho_left]
    left = [_UNLIMITED if amount is None else max(amount, 0) for amount in amounts]
    return np.concatenate([np.frombuffer(digest, "<u8"), np.array(left, np.uint64)]).astype(
        np.uint64
    )


def _left(word: np.uint64) -> int | None:
    return None if int(word) == _UNLIMITED else int(word)


def totals_in(answer: bytes) -> tuple[int, ...]:
    """Return the noisy totals that a ledger keeps as its answer. Raises `Abort` for other bytes."""
    try:
        return wire.decode(answer, Answer).numbers
    except MalformedMessage:
        raise Abort("a ledger holds an answer that is none") from None
