"""Run a program over everybody's rows in secret tables; the words it ends with are told to all.

Every member makes its table at home, filled up to the rows that the plan says, and deals it: the
bits by XOR, the numbers in the ring. The first three compute, verify all of it, and reveal the
words. Who is outside hears from each of the three as long as it computes.

Who holds what: each member its own rows; the three shares of all tables; everybody the words.
How many messages there are follows from the plan and from the random order of sorts.

Adversary: one of the three, which may do anything, with any of those outside (`studies.committee`);
two of the three read every row. A plan that says semi-honest takes one that only looks. A member
deals what rows it likes. Unreviewed.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass

import numpy as np

from quorate.algebra import ring
from quorate.algebra.ring import Words
from quorate.errors import Abort, Party
from quorate.mpc import owners
from quorate.mpc.replicated import SEATS, Committee, Share, convened, local, refuse_unverified
from quorate.mpc.tables.table import Table
from quorate.mpc.verification import verify
from quorate.studies.committee import PACE, dealt_by_all, noise_seen
from quorate.studies.programs import program_of
from quorate.studies.results import Result
from quorate.studies.running import Running
from quorate.studies.tables import OwnTable, Program, own_table
from quorate.transport.session import Session, together

STAGES = ("keys", "shares", "tables", "reveal")
GOING_ON, DONE = b"\0", b"\1"
BEATS = 4
"""How often those outside hear of each of the three within their patience."""


@dataclass(frozen=True, slots=True)
class Tabled:
    """What a run ends with."""

    results: tuple[Result, ...]
    session_id: bytes
    seen: dict[Party, Words]


async def reveal_tables(running: Running) -> Tabled:
    """Compute what the study asks of everybody's tables: own ones flat, as `OwnTable` has them.

    Raises `Abort`, `SessionReused`.

    Cost: that of `studies.cost.run_cost`, without the round of signatures
    """
    session, plan = running.session, running.plan
    program = program_of(plan.study, session.n)
    bond = await running.keys()
    running.progress("shares")
    own = own_table(running.own, program.shapes[session.me])
    seen: dict[Party, Words] = {}
    share: Share | None = None
    if session.me >= SEATS:
        await _deal_outside(running, own)
        running.progress("tables")
        await together(*(_hear(session, party) for party in range(SEATS)))
    else:
        committee = convened(session.among(SEATS, "committee"), bond, plan.security)
        tables, seen = await _dealt(running, committee, program, own)
        running.progress("tables")
        share = await _heard(session, _computed(committee, program, own, tables))
    running.progress("reveal")
    like = np.zeros(program.words, np.uint64)
    words = await owners.reveal_to_all(session.at("reveal"), share, like)
    told = tuple(ring.to_signed(words).tolist())
    return Tabled(program.results(told), bond.session_id, seen)


async def _computed(
    committee: Committee, program: Program, own: OwnTable, tables: Sequence[Table]
) -> Share:
    found = await program.compute(committee, own, tables)
    await verify(committee, PACE)
    refuse_unverified(committee)
    return found


async def _dealt(
    running: Running, committee: Committee, program: Program, own: OwnTable
) -> tuple[list[Table], dict[Party, Words]]:
    """Return the shares of everybody's tables, and what this party was sent of their bits."""
    session, shapes = running.session, program.shapes
    bits = _vectors(session, [one.rows * one.lanes for one in shapes], own.bits)
    numbers = _vectors(session, [one.rows * one.numbers for one in shapes], own.numbers)
    deal_bits = dealt_by_all(
        session.at("bits"), committee.at("bits"), bits, running.randomness, np.bitwise_xor
    )
    deal_numbers = dealt_by_all(
        session.at("numbers"), committee.at("numbers"), numbers, running.randomness
    )
    shared, added = await together(deal_bits, deal_numbers)
    tables = [
        Table(_shaped(of_bits, one.rows, one.lanes), _shaped(of_numbers, one.rows, one.numbers))
        for one, of_bits, of_numbers in zip(shapes, shared, added, strict=True)
    ]
    return tables, noise_seen(session.me, shared)


async def _deal_outside(running: Running, own: OwnTable) -> None:
    """Deal this member's table to the three."""
    session = running.session
    me, randomness = session.me, running.randomness
    place = f"of {me}"
    for_bits, for_numbers = session.at("bits").at(place), session.at("numbers").at(place)
    bits, numbers = own.bits.reshape(-1), own.numbers.reshape(-1)
    await together(
        owners.deal_to_committee(for_bits, me, bits, randomness, np.bitwise_xor),
        owners.deal_to_committee(for_numbers, me, numbers, randomness),
    )


async def _heard(session: Session, computing: Awaitable[Share]) -> Share:
    """Return what is computed; meanwhile tell those outside that this party is there still."""
    outside, step = range(SEATS, session.n), session.at(f"from {session.me}")
    work = asyncio.ensure_future(computing)
    try:
        while outside and not work.done():
            await asyncio.wait([work], timeout=session.timeout_s / BEATS)
            await step.route(DONE if work.done() else GOING_ON, to=outside, like=DONE)
        return await work
    finally:
        work.cancel()


async def _hear(session: Session, party: Party) -> None:
    """Wait until one of the three has computed."""
    step = session.at(f"from {party}")
    while (told := (await step.route(senders=[party], like=DONE))[party]) != DONE:
        if told != GOING_ON:
            raise Abort(f"{session.names[party]} says neither that it computes nor that it is done")


def _vectors(session: Session, sizes: Sequence[int], own: Words) -> list[Words]:
    """Return what is dealt by each: this member's own words, and of the others how many."""
    nothing = np.zeros((), np.uint64)
    return [
        own.reshape(-1) if party == session.me else np.broadcast_to(nothing, (size,))
        for party, size in enumerate(sizes)
    ]


def _shaped(x: Share, rows: int, columns: int) -> Share:
    return local(lambda part: part.reshape(rows, columns), x)
