"""Run a plan with a third party: one member is sent the rows, and tells all what comes of them.

Who holds what: the member that the plan names sees every row the plan looks at, of every member;
nobody else is sent a row. No cryptography protects anybody from it: it may read, keep and pass on
what it sees, and say of it what it likes, within what rows could give. All others are protected
by the links alone. It is the textbook's trusted server, to measure the other models against, and
its result is theirs (`studies.plain`).

Before any row leaves, all members confirm that they are in one session, over one plan, its
approvals and a time: a member with another plan, and so perhaps another third party, ends the
run there. The third party holds rows in memory until it has told the result. Adversary: anybody
but the third party. Unreviewed.
"""

import asyncio

import numpy as np

from quorate.algebra.ring import Words
from quorate.errors import Abort, MalformedMessage, Party
from quorate.studies.plain import execute, words_of
from quorate.studies.plan import Plan
from quorate.studies.rows import Rows, check_coded, columns_sent, most_rows_sent
from quorate.studies.running import Aside, Running, Work
from quorate.transport.session import Session, together

STAGES = ("keys", "rows", "computing", "result")
READY = b"\1"
WORKING, DONE = 0, 1


async def tell_third(running: Running) -> tuple[Words, bytes, dict[Party, Words]]:
    """Return the words that results are made of, the session's identifier, and nothing seen.

    `running.own` is the number of this member's rows, then these, column after column.
    Raises `Abort`, `SessionReused`.

    Cost, r rows of c columns, w words: 8 rounds; the third party sends (n - 1) (236 + 8 w) bytes,
    another member (n - 1) 227 + 8 + 8 r c bytes. Each third of a time-out that the third party
    computes is one round and 8 + 8 w bytes to each member more.
    """
    session, plan, progress = running.session, running.plan, running.progress
    bond = await running.keys()
    await session.confirm(bond.session_id)
    third = plan.members.index(plan.study.third_party)
    progress("rows")
    if session.me == third:
        rows = await _take(session, plan, running.own)
        progress("computing")
        words = await _compute(
            session, plan, running.aside, lambda: execute(plan, rows, running.randomness)
        )
    else:
        await _give(session, third, running.own)
        progress("computing")
        words = await _wait(session, plan, third)
    progress("result")
    await session.confirm(words)
    return words, bond.session_id, {}


async def _give(session: Session, third: Party, own: Words) -> None:
    """Send one's rows, once the third party has made room for them."""
    await session.route(own[:1], to=[third], like=own[:1])
    await session.route(senders=[third], like=READY)
    columns = session.at(f"rows of {session.me}")
    await columns.route(own[1:], to=[third], like=own[1:])


async def _take(session: Session, plan: Plan, own: Words) -> list[tuple[Rows, int]]:
    """Return everybody's rows, by seat, and how many they are."""
    others = session.others
    width, most = len(columns_sent(plan)), most_rows_sent(plan)
    counts = await session.route(senders=others, like=own[:1])
    counted = {party: int(found[0]) for party, found in counts.items()}
    if many := [party for party, count in counted.items() if count > most]:
        names = ", ".join(session.names[party] for party in many)
        raise Abort(f"{names} would send more rows than the plan allows", suspects=many)
    await session.route(READY, to=others, like=READY)
    steps = {party: session.at(f"rows of {party}") for party in others}
    sent = await together(
        *(
            steps[party].route(senders=[party], like=np.zeros(width * counted[party], np.uint64))
            for party in others
        )
    )
    flat = {session.me: own[1:]} | {p: words for one in sent for p, words in one.items()}
    count_of = {session.me: int(own[0])} | counted
    rows = [
        flat[party].view(np.int64).reshape(width, count_of[party]) for party in range(session.n)
    ]
    for party, theirs in enumerate(rows):
        try:
            check_coded(plan, theirs)
        except MalformedMessage as e:
            raise Abort(f"from {session.names[party]}: {e}", suspects=[party]) from None
    return [(theirs, count_of[party]) for party, theirs in enumerate(rows)]


async def _compute(session: Session, plan: Plan, aside: Aside, work: Work) -> Words:
    """Do the work, tell the others now and then that it goes on, and then what came of it."""
    task = asyncio.ensure_future(aside(work))
    at_work = np.array([WORKING, *[0] * words_of(plan)], np.uint64)
    try:
        while not (await asyncio.wait([task], timeout=session.timeout_s / 3))[0]:
            await session.route(at_work, to=session.others, like=at_work)
        words = task.result()
    finally:
        task.cancel()
    result = np.concatenate([np.array([DONE], np.uint64), words])
    await session.route(result, to=session.others, like=result)
    return words


async def _wait(session: Session, plan: Plan, third: Party) -> Words:
    """Return what came of it, however often the third party says that it is at work."""
    like = np.zeros(1 + words_of(plan), np.uint64)
    told = (await session.route(senders=[third], like=like))[third]
    while told[0] == WORKING:
        told = (await session.route(senders=[third], like=like))[third]
    return told[1:]
