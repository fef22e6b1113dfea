"""Finding out that shared words are all zero, and nothing else about them.

x = 0 means that x_i + x_{i+1} = -x_{i+2}. Party i knows the left side, party i+1 the right:
they tag it under the key they share, which party i+2 lacks, and compare. What is
tagged is known to the other if x = 0; if not, x is the error of a corrupt party, which
knows it anyway. Every two parties compare, so two honest ones both notice.

Adversary: one party of three, active. Unreviewed.
"""

import hmac
from collections.abc import Iterable

from quorate.algebra.ring import Words
from quorate.errors import Abort
from quorate.mpc.replicated import Committee
from quorate.mpc.tags import Tag
from quorate.transport.session import together


async def compare(committee: Committee, blocks: Iterable[tuple[Words, Words]]) -> None:
    """Abort unless everything in `blocks` is zero: of each, x_i + x_{i+1} and -x_{i+1}.

    Cost: 1 round, 32 bytes a party
    """
    session, label = committee.session, committee.session.label()
    after, before = Tag(committee.next_key, label), Tag(committee.own_key, label)
    for total, negated in blocks:
        after.add(total)
        before.add(negated)
    mine = after.value(), before.value()
    one, other = (session.at(f"{side} {label.rpartition('/')[2]}") for side in ("after", "before"))
    told = await together(one.shift(mine[0], by=1), other.shift(mine[1], by=-1))
    # Under the key shared with the party before, it sent the tag of its left side.
    if not (hmac.compare_digest(told[0], mine[1]) and hmac.compare_digest(told[1], mine[0])):
        raise Abort("what was computed together is wrong: one of the members deviated")
