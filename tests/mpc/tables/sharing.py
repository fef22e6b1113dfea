"""Deal secret tables among three parties in memory, and read what becomes of them."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from quorate.algebra.ring import Words
from quorate.mpc.replicated import Committee, Security, Share, combined, deal, refuse_unverified
from quorate.mpc.streams import Stream
from quorate.mpc.tables.permutations import permutation
from quorate.mpc.tables.table import VALUE_BITS, Table, read, settled
from quorate.mpc.verification import verify
from tests.mpc.committee import everyones

T = TypeVar("T")
Ints = NDArray[np.int64]
SECURITIES: tuple[Security, ...] = ("semi-honest", "malicious")
MODULUS = 1 << VALUE_BITS


class Draws:
    """Random rows for tests, the same in each run: a keyed stream under a seed."""

    def __init__(self, seed: int) -> None:
        self._stream = Stream(seed.to_bytes(32, "big"), "rows of tests")

    def integers(self, least: int, past: int, shape: int | tuple[int, ...]) -> Ints:
        words = self._stream.words(int(np.prod(shape)))
        return (words % np.uint64(past - least)).astype(np.int64).reshape(shape) + least

    def permutation(self, size: int) -> Ints:
        return permutation(self._stream, size)

    def choice(self, values: Sequence[int], size: int) -> Ints:
        return np.array(values, np.int64)[self.integers(0, len(values), size)]


async def dealt_table(committee: Committee, bits: Words, numbers: Words) -> Table:
    """Share rows, the bits by party 0 and the numbers by party 1."""
    secret = await deal(committee, 0, bits, np.bitwise_xor)
    return Table(secret, await deal(committee, 1, numbers))


async def shown(committee: Committee, x: Share, add: np.ufunc) -> Words:
    await verify(committee)
    refuse_unverified(committee)
    found = await combined(committee, x, range(3), add)
    assert found is not None
    return found.reshape(x.shape)


async def shown_bits(committee: Committee, x: Share) -> Words:
    return await shown(committee, x, np.bitwise_xor)


async def shown_numbers(committee: Committee, x: Share) -> Words:
    """Return numbers modulo 2^42."""
    return read(await shown(committee, settled(x), np.add))


async def shown_table(committee: Committee, table: Table) -> tuple[Words, Words]:
    return await shown_bits(committee, table.bits), await shown_numbers(committee, table.numbers)


def same_for_all(
    protocol: Callable[[Committee], Awaitable[T]], security: Security = "semi-honest"
) -> T:
    """Return what all parties output, once it is compared."""
    first, *others = everyones(protocol, security)
    for other in others:
        np.testing.assert_equal(other, first)
    return first


def column_words(*columns: Ints) -> Words:
    """Return columns of numbers as rows."""
    return np.stack(columns, axis=1).astype(np.int64).view(np.uint64)


def modulo(values: Ints) -> Words:
    """Return numbers as they are read from tables."""
    return np.asarray(values % MODULUS).astype(np.uint64)
