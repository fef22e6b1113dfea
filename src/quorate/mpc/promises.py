"""Revealing what a committee holds where messages are signed: promised first, then sent.

Party i promises to everybody the SHA-256 of its own part and of its next, each with a salt
that both holders draw, and sends its own part when all promises fit together. So
nothing is sent while two holders disagree; and who then sends another part than it promised
is convicted by its own two signatures (`mpc.evidence`), of which neither shows the part.

Adversary: one party of three, active, and any outside. Unreviewed.
"""

import hmac
from collections.abc import Mapping

import numpy as np

from quorate.algebra.ring import Words
from quorate.errors import Abort, Party
from quorate.mpc.owners import hash_of
from quorate.mpc.replicated import SEATS, Committee, Share
from quorate.transport.session import Session

DIGEST_BYTES = 32
SALT_WORDS = 2
PROMISES = "promises"
PARTS = "promised parts"


async def reveal_promised(
    gathering: Session, committee: Committee | None, x: Share | None, like: Words
) -> Words:
    """Return what `committee` shares as `x`, at every member; `like` says the shape.

    Outside the committee both are None. Raises `Abort`, with the culprit where a part is
    not the one that its sender promised.

    Cost, m words, n members: 2 rounds, 64 * (n - 1) + (8 * m + 16) * (n - 2) bytes a party
    of the committee, and what signatures take
    """
    promising, sending = gathering.at(PROMISES), gathering.at(PARTS)
    salted = np.empty(like.size + SALT_WORDS, np.uint64)
    if committee is None or x is None:
        promises = await _promised(promising, b"")
        parts = await sending.route(senders=range(SEATS), like=salted)
    else:
        parts = _salted(committee, x)
        promises = await _promised(promising, b"".join(map(hash_of, parts.values())))
        me, outside = gathering.me, range(SEATS, gathering.n)
        after, before = (me + 1) % SEATS, (me - 1) % SEATS
        parts |= await sending.route(
            parts[me], to=[after, *outside], senders=[before], like=parts[me]
        )
    for holder, part in parts.items():
        if not hmac.compare_digest(hash_of(part), promises[holder][:DIGEST_BYTES]):
            raise Abort(
                f"{gathering.names[holder]} sent another part of what is revealed "
                "than it had promised",
                culprits=[holder],
            )
    total = parts[0] + parts[1] + parts[2]
    return total[: like.size].reshape(like.shape)


def _salted(committee: Committee, x: Share) -> dict[Party, Words]:
    """Return one's own part and the next, by their numbers, each with its salt at the end."""
    own, after = (stream.words(SALT_WORDS) for stream in committee.streams())
    return {
        committee.me: np.concatenate([x.own.reshape(-1), own]),
        (committee.me + 1) % SEATS: np.concatenate([x.next.reshape(-1), after]),
    }


async def _promised(step: Session, mine: bytes) -> dict[Party, bytes]:
    """Return the committee's promises, by seat, once both holders of each part agree."""
    like = bytes(2 * DIGEST_BYTES)
    senders = [p for p in step.others if p < SEATS]
    promises = await step.route(
        mine or None, to=step.others if mine else (), senders=senders, like=like
    )
    if mine:
        promises[step.me] = mine
    if disputed := disputes(promises):
        two = disputed[0]
        names = " and ".join(step.names[p] for p in sorted(two))
        raise Abort(
            f"{names} hold different parts of what is to be revealed: one of them lies",
            suspects=two - {step.me},
        )
    return promises


def disputes(promises: Mapping[Party, bytes]) -> list[frozenset[Party]]:
    """Return the holders, two by two, whose promises of the part that both hold differ."""
    found = []
    for part in range(SEATS):
        other = (part - 1) % SEATS
        if part in promises and other in promises:
            own, after = promises[part][:DIGEST_BYTES], promises[other][DIGEST_BYTES:]
            if not hmac.compare_digest(own, after):
                found.append(frozenset((part, other)))
    return found
