"""Small cells are decided by three members who see no cell: only what is shown is revealed.

The first three members are the committee; all others are outside it. Everybody deals
its own numbers x_g to the committee (`mpc.replicated`, `mpc.owners`), which adds them up,
and computes on shares, with n the counts among the sums,

    w = whether a cell is withheld, by the rule of `suppression`, from n
    y = (1 - w) x

and reveals y, where a release asks for it, and w, to all members. A count that only decides
stays secret, as does all of a cell that is withheld.

Rounds and messages depend on the study and on the number of members, never on the numbers.
While the committee computes, those outside hear a byte from it when the first comparisons are
done, after every pass and before every step of the analyses, so that they can tell a long
computation from a lost member.

Adversary: one of the three, which may do anything, with any of those outside: a wrong step is
found before anything is revealed, but with probability below 2^-40 (`mpc.verification`). A plan
that says semi-honest takes one that follows the protocol and reads all it is sent. Two of the
three together read every member's numbers. Owners deal what they like, but the same to all.
From [AFLNO16] and the rule of `suppression`. Unreviewed.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial, reduce
from typing import cast

import numpy as np
from numpy.typing import NDArray

from quorate.algebra import ring
from quorate.algebra.ring import Words
from quorate.errors import Abort, Party
from quorate.mpc import expression, owners, replicated, secret
from quorate.mpc.agreement import Agreement, Claim, Randomness, agree
from quorate.mpc.cost import Pace
from quorate.mpc.engine import Oracle, Secure
from quorate.mpc.evidence import disrupted, signed_channel
from quorate.mpc.promises import reveal_promised
from quorate.mpc.replicated import (
    SEATS,
    Committee,
    Security,
    Share,
    convened,
    refuse_unverified,
)
from quorate.mpc.secret import SecretArray, promised
from quorate.mpc.selection import concatenate
from quorate.studies import dealings
from quorate.studies.analyses.kinds import all_asked, every_input, limit_of, told_of, told_words
from quorate.studies.dealings import Dealings
from quorate.studies.inputs import Input, asked_of, labels, size
from quorate.studies.lines import Layout, layout_of
from quorate.studies.study import Study
from quorate.studies.suppression import Judged, gone, judge, nothing, one_pass
from quorate.transport.session import Session, together
from quorate.transport.signed import Signing

PACE = Pace(10)
"""Members are taken to be some way apart: rounds are saved where that costs few bytes.

It is fixed, and not measured, so that the plan says what a run costs.
"""

TICK = b"\0"
SHOWN = 4  # words kept of what each member sent


@dataclass(frozen=True, slots=True)
class Revealed:
    """The outcome: what the releases ask for, 0 where it is withheld, and what is withheld."""

    numbers: tuple[int, ...]  # of `asked_of`, one after the other
    hidden: tuple[bool, ...]  # of each counted cell of the layout
    told: tuple[int, ...]  # words of the analyses, as `kinds.told_of` gives them
    session_id: bytes
    seen: dict[Party, Words]
    """The first words this party was sent by each member that sent it words: uniform noise."""
    dealings: Dealings = field(repr=False)
    """What this party keeps, so that an audit can trace what was dealt."""


async def reveal_shown(
    session: Session,
    study: Study,
    own: Words,
    *,
    security: Security,
    context: bytes,
    claim: Claim,
    randomness: Randomness,
    progress: Callable[[str], None] = lambda _: None,
    signing: Signing | None = None,
) -> Revealed:
    """Add up everyone's `own` numbers of `every_input`; reveal those asked for, not withheld.

    `context` says what the run is for. With `signing` all that is said once the keys are
    agreed on is signed, and what is revealed is promised first. Raises `Abort`, which is
    `Disrupted` with evidence where messages are signed, and `SessionReused`.

    Cost: that of `studies.cost.run_cost`, without the round of signatures
    """
    progress("keys")
    bond = await agree(session, context, bytes(32), claim, randomness)
    run = partial(_reveal, study=study, own=own, security=security, bond=bond)
    if signing is None:
        return await run(session, randomness=randomness, progress=progress, promised=False)
    channel = signed_channel(session, context, bond.session_id, signing, randomness)
    try:
        signed = session.over(channel, "signed")
        return await run(signed, randomness=randomness, progress=progress, promised=True)
    except Abort as e:
        raise disrupted(e, channel) from e


async def _reveal(
    session: Session,
    study: Study,
    own: Words,
    security: Security,
    bond: Agreement,
    randomness: Randomness,
    progress: Callable[[str], None],
    *,
    promised: bool,
) -> Revealed:
    layout = layout_of(study)
    like = np.zeros(revealed_words(study, layout, session.n), np.uint64)
    ticks = _ticks(session, study, layout)
    if session.me >= SEATS:
        seeds = await _outside(session, ticks, own, randomness, progress)
        committee, share, seen, kept = None, None, {}, None
        opening = dealings.opening_outside(bond.session_id, session.me, own, seeds)
    else:
        committee = convened(session.among(SEATS, "committee"), bond, security)
        progress("shares")
        shares = await dealt(session, committee, own, randomness)
        seen = noise_seen(session.me, shares)
        kept = dealings.kept(bond.session_id, session.me, shares, randomness)
        opening = dealings.opening_inside(bond.session_id, session.me, shares[session.me])
        progress("small cells")
        share = await _decide(committee, ticks, study, layout, shares)
        refuse_unverified(committee)
    progress("reveal")
    step = session.at("reveal")
    if promised:
        words = await reveal_promised(step, committee, share, like)
    else:
        words = await owners.reveal_to_all(step, share, like)
    return Revealed(*cut(study, layout, words), bond.session_id, seen, Dealings(opening, kept))


def revealed_words(study: Study, layout: Layout, members: int) -> int:
    """Return how many words are revealed: what is asked for, a bit for each cell, analyses."""
    cells = [*(item.cells for item in asked_of(study)), *layout.counted]
    return sum(size(study, one) for one in cells) + told_words(study, members)


def counts_in(study: Study, layout: Layout, members: int, sums: SecretArray) -> SecretArray:
    """Return the number of rows in each counted cell."""
    places = places_of(study, members)
    counts = [_range(places[Input(table, "count", "")]) for table in layout.counted]
    return promised(sums[np.concatenate(counts)], members * study.max_rows)


def told_of_all(study: Study, sums: SecretArray, apart: Sequence[SecretArray]) -> SecretArray:
    """Return what is revealed of all analyses, of everybody's numbers added up and `apart`."""
    members = len(apart)
    places = places_of(study, members)

    def of(item: Input) -> SecretArray:
        shape = [len(labels(study, axis)) for axis in item.cells.axes]
        if item.is_apart:
            part = concatenate([one[places[item]] for one in apart])
            shape[0] *= members
        else:
            part = sums[places[item]]
        return promised(part, limit_of(study, members, item)).reshape(*shape)

    return concatenate([told_of(asked, of) for asked in all_asked(study, members)])


def steps_told(study: Study, members: int) -> int:
    """Return in how many steps the analyses are computed, known from the study alone."""
    if not study.analyses:
        return 0
    zeros = np.zeros(sum(size(study, item.cells) for item in places_of(study, members)), np.uint64)
    sums = secret.held(Oracle(), zeros, shape=zeros.shape, limit=expression.RANGE - 1)
    return len(list(expression.steps([told_of_all(study, sums, [sums] * members).node])))


def places_of(study: Study, members: int) -> dict[Input, slice]:
    """Return where each input stands in a member's vector."""
    places, at = {}, 0
    for item in every_input(study, members):
        places[item] = slice(at, at + size(study, item.cells))
        at = places[item].stop
    return places


def shown_of(
    study: Study, layout: Layout, members: int, sums: SecretArray, hidden: SecretArray
) -> SecretArray:
    """Return what is revealed of releases: the numbers asked for times 1 - w, then every w.

    Cost, m numbers, c cells: 3 rounds, 8 * (m + c) bytes by each of the committee
    """
    places = places_of(study, members)
    starts = np.cumsum([0, *(size(study, table) for table in layout.counted)])
    cell = {t: np.arange(a, b) for t, a, b in zip(layout.counted, starts, starts[1:], strict=False)}
    bits, asked = hidden[: starts[-1]] + 0, asked_of(study)
    masks = 1 - bits[np.concatenate([cell[item.cells] for item in asked])]
    numbers = sums[np.concatenate([_range(places[item]) for item in asked])]
    return concatenate([numbers * promised(masks, 1), bits])


async def _outside(
    session: Session,
    ticks: Sequence[Session],
    own: Words,
    randomness: Randomness,
    progress: Callable[[str], None],
) -> tuple[bytes, bytes]:
    """Deal to the committee, and wait while it computes; return the seeds dealt with."""
    progress("shares")
    seeds = randomness(owners.SEED_BYTES), randomness(owners.SEED_BYTES)
    drawn = iter(seeds)
    place = session.at(f"of {session.me}")
    await owners.deal_to_committee(place, session.me, own, lambda _: next(drawn))
    progress("small cells")
    await wait_for(ticks)
    return seeds


async def dealt(
    session: Session, committee: Committee, own: Words, randomness: Randomness
) -> list[Share]:
    """Return the committee's shares of everybody's numbers, by seat; all give as many."""
    return await dealt_by_all(session, committee, [own] * session.n, randomness)


async def dealt_by_all(
    session: Session,
    committee: Committee,
    vectors: Sequence[Words],
    randomness: Randomness,
    subtract: np.ufunc = np.subtract,
) -> list[Share]:
    """Return the committee's shares of a vector of each member, by seat.

    At one's own seat stands what one deals; the others' only say the shape. To share words of
    bits, `subtract` is XOR.
    """
    inside = [(owner, committee.at(f"of {owner}")) for owner in range(SEATS)]
    outside = [(owner, session.at(f"of {owner}")) for owner in range(SEATS, session.n)]
    dealt: list[Awaitable[Share | None]] = [
        *(replicated.deal(step, owner, vectors[owner], subtract) for owner, step in inside),
        *(
            owners.deal_to_committee(step, owner, vectors[owner], randomness, subtract)
            for owner, step in outside
        ),
    ]
    shares = [share for share in await together(*dealt) if share is not None]
    checks = [(owner, committee.at(f"check {owner}")) for owner, _ in outside]
    await together(*(owners.confirm(step, shares[owner], owner) for owner, step in checks))
    return shares


async def _decide(
    committee: Committee,
    ticks: Sequence[Session],
    study: Study,
    layout: Layout,
    shares: Sequence[Share],
) -> Share:
    """Return the shares of what is revealed."""
    engine, members = Secure(committee, PACE), len(shares)
    outside = range(SEATS, members)
    passes = ticks[: ticks_of(study, layout, members)[0]]
    steps = ticks[len(passes) :]
    own, after = ([share.own for share in shares], [share.next for share in shares])
    total = Share(reduce(np.add, own), reduce(np.add, after))
    sums, *apart = (
        secret.held(engine, share, shape=share.shape, limit=expression.RANGE - 1)
        for share in (total, *shares)
    )
    shown: list[SecretArray] = []
    if study.releases:
        judged = judge(layout, counts_in(study, layout, members, sums), study.min_cell)
        judged = await _computed(judged)
        more = nothing(judged)
        await passes[0].route(TICK, to=outside, like=TICK)
        for step in passes[1:]:
            (more,) = await secret.compute(one_pass(layout, judged, more))
            await step.route(TICK, to=outside, like=TICK)
        shown.append(shown_of(study, layout, members, sums, gone(judged, more)))
    if study.analyses:
        told = told_of_all(study, sums, apart)
        values = await engine.compute([told.node], each_depth=partial(tick, iter(steps), outside))
        shown.append(secret.held(engine, values[0], shape=told.shape, limit=told.node.limit))
    (value,) = await engine.compute([concatenate(shown).node])
    await engine.verify()
    return cast("Share", value)  # words, as is what `shown_of` returns


def ticks_of(study: Study, layout: Layout, members: int) -> tuple[int, int]:
    """Return how often those outside hear of the releases, and of the analyses."""
    return (layout.passes + 1 if study.releases else 0), steps_told(study, members)


def _ticks(session: Session, study: Study, layout: Layout) -> list[Session]:
    passes, steps = ticks_of(study, layout, session.n)
    names = [*(f"pass {i}" for i in range(passes)), *(f"step {i}" for i in range(steps))]
    return [session.at(name) for name in names]


async def wait_for(ticks: Iterable[Session]) -> None:
    """Hear of the committee as long as it computes, for those outside it."""
    for one in ticks:
        await one.route(senders=range(SEATS), like=TICK)


async def tick(steps: Iterator[Session], outside: Sequence[Party]) -> None:
    """Tell those outside that the committee is there still, so that nobody's patience ends."""
    await next(steps).route(TICK, to=outside, like=TICK)


async def _computed(judged: Judged) -> Judged:
    """Compute all of `judged` once, in shared rounds, for the passes to use."""
    small, none_small, some_small, *before = await secret.compute(*judged.arrays)
    return Judged(small, none_small, some_small, tuple(before))


def noise_seen(me: Party, shares: Sequence[Share]) -> dict[Party, Words]:
    """Return the first words that came from each member that sends this one words."""
    inside = (me - 1) % SEATS  # whose rest is this party's own part
    seen = {inside: shares[inside].own}
    for owner in range(SEATS, len(shares)):
        if me != 0:  # who is sent seeds only
            seen[owner] = shares[owner].next if me == 1 else shares[owner].own
    return {party: words[:SHOWN].copy() for party, words in seen.items()}


def cut(
    study: Study, layout: Layout, words: Words
) -> tuple[tuple[int, ...], tuple[bool, ...], tuple[int, ...]]:
    """Return the numbers asked for, what is withheld, and the words of the analyses."""
    values = ring.to_signed(words).tolist()
    cells = sum(size(study, table) for table in layout.counted)
    m = sum(size(study, item.cells) for item in asked_of(study))
    hidden = tuple(value == 1 for value in values[m : m + cells])
    return tuple(values[:m]), hidden, tuple(values[m + cells :])


def _range(places: slice) -> NDArray[np.int64]:
    return np.arange(places.start, places.stop)
