"""Handing over the part of a replicated secret that a party lacks, and comparing both holders'.

Party i lacks x_{i-1}, which party i-1 holds as its own and party i+1 as its next part.
"""

import asyncio
import hmac
from collections.abc import Collection, Iterable, Iterator

from quorate.algebra.ring import Words
from quorate.errors import Abort, Party
from quorate.mpc.tags import TAG_BYTES, Tag
from quorate.transport.session import Session, together


async def hand_over(
    session: Session, parts: Iterator[Words], to: Collection[Party], like: Words
) -> Words | None:
    """Send one's own part, in blocks, to the party after; return the part of the one before.

    Cost, m words, to all: 1 round, 8 * m bytes a party
    """
    before, after = (session.me - 1) % session.n, (session.me + 1) % session.n
    receivers, senders = [after] if after in to else [], [before] if session.me in to else []
    received = await session.route(parts, to=receivers, senders=senders, like=like)
    return received.get(before)


async def hand_over_tagged(
    session: Session,
    keys: tuple[bytes, bytes],
    held: tuple[Words, Words],
    to: Collection[Party],
    made: Iterable[slice],
) -> Words | None:
    """Do as `hand_over`, and abort unless the part's other holder tags the same words.

    `keys` are those shared with the party before and the party after, `held` one's own
    part and the next; `made` yields their places once they are written. Party i+1 tags
    for party i under the key that they share, which party i-1 lacks.

    Cost, m words, to all: 1 round, 8 * m + 16 bytes a party
    """
    me, label, n = session.me, session.label(), session.n
    before, after = (me - 1) % n, (me + 1) % n
    data, tags = (session.at(f"{kind} {label.rpartition('/')[2]}") for kind in ("part", "tag"))
    vouched, complete = Tag(keys[0], label), asyncio.Event()
    received: list[Words | None] = []
    told: dict[Party, bytes] = {}

    def parts() -> Iterator[Words]:
        for here in made:
            vouched.add(held[1][here])
            yield held[0][here]
        complete.set()

    async def give() -> None:
        received.append(await hand_over(data, parts(), to, held[0]))

    async def vouch() -> None:
        await complete.wait()
        receivers, senders = [before] if before in to else [], [after] if me in to else []
        like = bytes(TAG_BYTES)
        told.update(await tags.route(vouched.value(), to=receivers, senders=senders, like=like))

    await together(give(), vouch())
    (lacked,) = received
    if lacked is not None:
        expected = Tag(keys[1], label)
        expected.add(lacked)
        if not hmac.compare_digest(expected.value(), told[after]):
            raise Abort("two members hold different parts of the same secret: one of them lies")
    return lacked
