"""The end of a distributed proof: few elements of the field of 2^128 elements, down to one product.

See `proofs`. The last values are masked: who checks sees a random element of each factor.
Adversary: one party of three, active. Unreviewed.
"""

import hmac
from collections.abc import Sequence
from typing import cast

import numpy as np

from quorate.algebra import ghash
from quorate.algebra.ghash import Element, Elements, Fingerprint
from quorate.algebra.ring import Words, blocks
from quorate.errors import Abort
from quorate.mpc.buckets import toss
from quorate.mpc.folds import folded_elements, inner_products
from quorate.mpc.layout import Layout
from quorate.mpc.parts import hand_over_tagged
from quorate.mpc.replicated import SEATS, Committee, Share, local
from quorate.mpc.statements import Findings, Statement, moved, share
from quorate.mpc.streams import Stream
from quorate.transport.session import together


def one_statement(
    statements: Sequence[Statement], layout: Layout, fingerprint: Fingerprint, coin: Stream
) -> Statement:
    """Return what is stated of planes at several points, as a random sum, of elements."""
    weights = [random_element(coin) for _ in statements]
    places = fingerprint.places(statements[0].x.own.shape[1])
    weighted = [ghash.scaled(places, weight) for weight in weights]
    x = _gathered([s.x for s in statements], layout.elements, weighted)
    y = _gathered([s.y for s in statements], layout.elements, None)
    left = [ghash.scaled(s.left, w) for s, w in zip(statements, weights, strict=True)]
    right = [ghash.scaled(s.right, w) for s, w in zip(statements, weights, strict=True)]
    return Statement(x, y, _total(np.concatenate(left)), _total(np.concatenate(right)))


async def end(committee: Committee, stated: Statement, layout: Layout, found: Findings) -> None:
    """Abort unless what is stated, and all that was found before, is right.

    Cost: that of the stages of `layout.small`, and 4 rounds
    """
    for variables in layout.small():
        x, y = (one.own ^ one.next for one in (stated.x, stated.y))
        values = await share(committee, inner_products(x, y, variables))
        found.add(stated, values, [ghash.ONE] * variables)
        coin = await toss(committee)
        at = [random_element(coin) for _ in range(variables)]
        stated = moved(_folded(stated.x, at), _folded(stated.y, at), values, at)
    await _last(committee, stated, found)


async def _last(committee: Committee, stated: Statement, found: Findings) -> None:
    """Abort unless the sum of the last products is as stated.

    Cost: 4 rounds
    """
    streams = committee.streams()
    x, y = (_with_mask(one, streams) for one in (stated.x, stated.y))
    values = await share(committee, _pairs(x.own ^ x.next, y.own ^ y.next))
    count = len(x.own)
    found.left.append(_trace(values.left, count) ^ stated.left)
    found.right.append(_trace(values.right, count) ^ stated.right)
    coin = await toss(committee)
    weights = [_weights(coin, count) for _ in range(2)]
    sums = [_sum(one, w) for one, w in zip((x, y), weights, strict=True)]
    of_pairs = _pairs(*weights)
    left, right = (
        np.concatenate((*findings, _total(ghash.multiply(part, of_pairs))))
        for findings, part in ((found.left, values.left), (found.right, values.right))
    )
    opening, telling, hearing = committee.beside(3)
    lacked, of_before, of_after = await together(
        _lacked(opening, *sums),
        telling.session.shift(right.reshape(-1), by=1),
        hearing.session.shift(left.reshape(-1), by=-1),
    )
    factors = np.split(lacked.reshape(2, 2), 2)
    left[-1:] ^= _product([one.next ^ lack for one, lack in zip(sums, factors, strict=True)])
    right[-1:] ^= _product([one.own ^ lack for one, lack in zip(sums, factors, strict=True)])
    _compare(left, of_before)
    _compare(right, of_after)


def _compare(mine: Elements, theirs: Words) -> None:
    if not hmac.compare_digest(mine.tobytes(), theirs.tobytes()):
        raise Abort("what was computed together is wrong: one of the members deviated")


async def _lacked(committee: Committee, x: Share, y: Share) -> Words:
    """Return the parts that this party lacks of x and of y.

    Cost: 1 round, 48 bytes a party
    """
    own, following = np.concatenate((x.own, y.own)), np.concatenate((x.next, y.next))
    held = own.reshape(-1), following.reshape(-1)
    keys = committee.own_key, committee.next_key
    made = blocks(held[0].size)
    lacked = await hand_over_tagged(committee.session, keys, held, range(SEATS), made)
    return cast("Words", lacked)


def random_element(coin: Stream) -> Element:
    return ghash.element(coin.words(2).tobytes())


def _gathered(parts: Sequence[Share], count: int, weighted: Sequence[Elements] | None) -> Share:
    """Return the elements of which planes are the bits, of all points, padded with zeros."""

    def elements(planes: Sequence[Words]) -> Elements:
        out = np.zeros((count, 2), np.uint64)
        found = [ghash.embedded(ghash.from_planes(one)) for one in planes]
        if weighted is not None:
            found = [ghash.multiply(one, w) for one, w in zip(found, weighted, strict=True)]
        rows = np.concatenate(found)
        out[: len(rows)] = rows
        return out

    return Share(elements([one.own for one in parts]), elements([one.next for one in parts]))


def _folded(x: Share, at: Sequence[Element]) -> Share:
    return local(lambda part: folded_elements(part, at), x)


def _with_mask(x: Share, streams: tuple[Stream, Stream]) -> Share:
    """Return x and a random element after it."""
    own, following = (stream.words(2).reshape(1, 2) for stream in streams)
    return Share(np.concatenate((x.own, own)), np.concatenate((x.next, following)))


def _weights(coin: Stream, count: int) -> Elements:
    """Return random weights, of the mask 1."""
    found = [random_element(coin) for _ in range(count - 1)]
    return ghash.elements([*found, ghash.ONE])


def _pairs(x: Elements, y: Elements) -> Elements:
    """Return all products of an element of x and one of y, those of one x together."""
    return ghash.multiply(x[:, None], y[None]).reshape(-1, 2)


def _trace(pairs: Elements, count: int) -> Elements:
    """Return the sum of what belongs to products, without that of the masks."""
    return _total(pairs[:: count + 1][: count - 1])


def _sum(x: Share, weights: Elements) -> Share:
    return local(lambda part: _total(ghash.multiply(part, weights)), x)


def _product(factors: Sequence[Elements]) -> Elements:
    return ghash.multiply(factors[0], factors[1])


def _total(a: Elements) -> Elements:
    found: Elements = np.bitwise_xor.reduce(a, axis=0, keepdims=True)
    return found
