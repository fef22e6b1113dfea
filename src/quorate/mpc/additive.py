"""Secure sum among any n >= 2 members: each learns the total, nobody learns a summand.

Party i holds a vector x_i of m words in Z_2^64. For each pair i < j the two
share a key k_ij; i adds the stream F(k_ij) to its vector and j subtracts it, so
the masks vanish in the total, as in [Cha88] and [BIKMMPRSS17]. On top each party
adds a pad F(s_i) whose seed it has committed to and opens last:

    z_i = x_i + sum_{j>i} F(k_ij) - sum_{j<i} F(k_ij) + F(s_i)
    x_1 + ... + x_n = sum_i z_i - sum_i F(s_i)

While the seeds are closed every z_i, and every sum of them, is uniform to
anybody who lacks one seed. So all z_i are fixed before anything can be read,
and the last to speak cannot choose its vector by what the others sent.

Two ways to gather the z_i, chosen from n and m alone:
  direct      everybody sends z_i to everybody: one round, 8 (n - 1) bytes a word;
  in chunks   party j adds up the j-th n-th of all z_i and sends the sum to
              everybody: two rounds, 16 (n - 1) / n bytes a word.
Before any seed is opened all confirm that they hold the same z_i, or sums.

Adversary and guarantees. Privacy: n - 1 colluding active parties learn the sum
of the remaining parties' vectors and nothing else. Agreement: honest parties
output the same total or abort. Independence: a party's vector cannot depend on
the honest ones'. Not guaranteed: that a party's vector is true; fairness (a
party may refuse to open its seed once it has seen the others'); naming who
sent a wrong z_i. Unreviewed by anyone outside the project.
"""

import hmac
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from quorate import wire
from quorate.algebra.ring import BLOCK, Words, blocks
from quorate.errors import Abort, Party
from quorate.mpc.agreement import Agreement, Claim, Randomness, agree
from quorate.mpc.streams import Stream
from quorate.transport.session import Session, together

WORTH_A_ROUND = 1 << 20
"""Bytes a party must save before another round pays: 8 ms at 1 Gbit/s."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a protocol costs each party, exactly: rounds, and payload bytes sent."""

    rounds: int
    bytes_sent: int


@dataclass(frozen=True, slots=True)
class Total:
    """The outcome: the sum, which session it was, and what this party was sent."""

    words: Words
    session_id: bytes
    seen: dict[Party, Words]
    """The first words received from each party: uniform noise, kept as evidence of that."""


def in_chunks(n: int, m: int) -> bool:
    """Return whether `m` words among `n` parties are gathered in chunks."""
    return n > 2 and 8 * (n - 1) * m - 16 * (n - 1) * chunk_words(n, m) > WORTH_A_ROUND


def chunk_words(n: int, m: int) -> int:
    """Return the words in one party's chunk: an n-th, rounded up to an even number."""
    return 2 * -(-m // (2 * n))


def cost(n: int, m: int) -> Cost:
    """Return the cost of `secure_sum` for `m` words among `n` parties."""
    if in_chunks(n, m):
        return Cost(6, (n - 1) * (16 * chunk_words(n, m) + 227))
    return Cost(5, (n - 1) * (8 * m + 227))


async def secure_sum(
    session: Session,
    mine: Words,
    *,
    context: bytes,
    claim: Claim,
    randomness: Randomness,
    progress: Callable[[str], None] = lambda _: None,
) -> Total:
    """Add up everyone's vector of m words, m >= 1, modulo 2^64.

    `context` says what the sum is for: parties with different contexts share
    no session. `progress` is told the stage. Raises `Abort`, `SessionReused`.

    Cost, direct: 5 rounds, (n - 1) * (8 * m + 227) bytes a party
    Cost, in chunks of c words: 6 rounds, (n - 1) * (16 * c + 227) bytes a party
    """
    seed = randomness(32)
    progress("keys")
    bond = await agree(session, context, commit(session.me, seed), claim, randomness)
    progress("masked values")
    gather = _gather_in_chunks if in_chunks(session.n, mine.size) else _gather
    gathered, seen = await gather(session, mine, bond, seed)
    progress("confirmation")
    await session.confirm(*gathered)
    progress("opening")
    seeds = await session.exchange(seed)
    for party in session.others:
        if not hmac.compare_digest(commit(party, seeds[party]), bond.commitments[party]):
            name = session.names[party]
            raise Abort(f"{name} opened another seed than it committed to", suspects=[party])
    total = _add_up(gathered, mine.size, chunked=gather is _gather_in_chunks)
    _remove_pads(total, seeds)
    return Total(total, bond.session_id, seen)


def commit(party: Party, seed: bytes) -> bytes:
    """Return the commitment of `party` to its seed: a hash hides 32 uniform bytes."""
    return wire.digest("additive/seed", (party, seed))


async def _gather(
    session: Session, mine: Words, bond: Agreement, seed: bytes
) -> tuple[tuple[Words, ...], dict[Party, Words]]:
    """Send z_i to everybody; return all z_i by seat."""
    z = np.empty_like(mine)
    masked = _masked(session, mine, bond, seed, out=z)
    everyones = await session.exchange(masked, like=z)
    return everyones, {p: everyones[p][:4].copy() for p in session.others}


async def _gather_in_chunks(
    session: Session, mine: Words, bond: Agreement, seed: bytes
) -> tuple[tuple[Words, ...], dict[Party, Words]]:
    """Add up one's own chunk of all z_i and send it to everybody; return the chunks by seat."""
    n, me, size = session.n, session.me, chunk_words(session.n, mine.size)
    own = np.empty(size, np.uint64)

    async def swap(by: int, step: Session) -> Words:
        """Send the chunk of the party `by` seats on; return one's own chunk from behind."""
        scratch = np.empty(size, np.uint64)
        to = (me + by) % n
        part = _masked(session, mine, bond, seed, out=scratch, start=to * size)
        return await step.shift(part, by=by, like=own)

    arrived = await together(*(swap(by, session.at(f"by {by}")) for by in range(1, n)))
    for _ in _masked(session, mine, bond, seed, out=own, start=me * size):
        pass
    seen = {}
    for by, part in enumerate(arrived, start=1):
        own += part
        seen[(me - by) % n] = part[:4].copy()
    return await session.exchange(own), seen


def _masked(
    session: Session,
    mine: Words,
    bond: Agreement,
    seed: bytes,
    *,
    out: Words,
    start: int = 0,
) -> Iterator[Words]:
    """Write words `start`... of z_i to `out`, and yield each block as soon as it is there.

    Beyond the end of `mine` the vector counts as zeros.
    """
    plus = [Stream(bond.keys[p], "mask", start=start) for p in session.others if p > session.me]
    minus = [Stream(bond.keys[p], "mask", start=start) for p in session.others if p < session.me]
    plus.append(Stream(seed, "pad", start=start))
    scratch = np.empty(BLOCK, np.uint64)
    for here in blocks(out.size):
        z, given = out[here], mine[start + here.start : start + here.stop]
        z[: given.size] = given
        z[given.size :] = 0
        noise = scratch[: z.size]
        for stream in plus:
            stream.fill(noise)
            np.add(z, noise, out=z)
        for stream in minus:
            stream.fill(noise)
            np.subtract(z, noise, out=z)
        yield z


def _add_up(gathered: tuple[Words, ...], size: int, *, chunked: bool) -> Words:
    if chunked:
        return np.concatenate(gathered)[:size]
    total = gathered[0].copy()
    for z in gathered[1:]:
        total += z
    return total


def _remove_pads(total: Words, seeds: tuple[bytes, ...]) -> None:
    """Subtract sum_i F(s_i) from `total` in place."""
    pads = [Stream(seed, "pad") for seed in seeds]
    scratch = np.empty(BLOCK, np.uint64)
    for here in blocks(total.size):
        pad = scratch[: here.stop - here.start]
        for stream in pads:
            stream.fill(pad)
            np.subtract(total[here], pad, out=total[here])
