"""Members who pool all they saw cannot tell which of two honest ones has spoken.

The game: a coin says whether member 0 or member 1 sends a text. All others are
corrupt. They take their own pads away from the two vectors, open all cells with
the joint key, and know in which slot the text stood. A linear classifier learns
from half of the games what they saw, with the answers, and guesses the others.
"""

import math
import secrets

import numpy as np
import pytest
from numpy.typing import NDArray

from quorate import wire
from quorate.algebra import edwards25519 as ed
from quorate.algebra import mersenne
from quorate.anonymous import cell, pads
from quorate.anonymous.board import slots_of
from quorate.anonymous.messages import Signed, Sums, Vector, sign
from quorate.anonymous.rounds import Reserved, Voted, said_in
from quorate.errors import MalformedMessage, Party
from tests.anonymous.group import Members, members, up_to_votes

TEXT = b"text"
FALSE_ALARM = 1e-6

Features = NDArray[np.float64]


class Table:
    """What the corrupt members keep of a game; with `padded` off, the defence is switched off.

    The two honest members then leave out the pad that they share.
    """

    def __init__(self, group: Members, *, padded: bool) -> None:
        self.keys, self.padded = group.keys, padded
        self.kept: dict[Party, Reserved] = {}

    def __call__(self, kept: Reserved, said: Signed) -> Signed:
        seat = kept.begun.seat
        self.kept[seat.me] = kept
        if self.padded or seat.me > 1:
            return said
        shared = kept.pairs[0]  # of 0 with 1, of 1 with 0
        row = pads.xor_pad(shared.vector, wire.decode(said.body, Vector).cells)
        return sign(self.keys[seat.me], seat.sid, "vector", seat.me, Vector(row))

    def pair(self, corrupt: Party, honest: Party) -> pads.PairKeys:
        """Return the keys of the pads that a corrupt member shares with an honest one."""
        return self.kept[corrupt].pairs[honest]


def play(n: int, speaker: Party, *, padded: bool) -> Features:
    """Return what the corrupt members 2.. see in one game, as numbers."""
    group = members(n)
    run = group.run(cell_bytes=16)
    texts = [TEXT if p == speaker else b"" for p in range(n)]
    table = Table(group, padded=padded)
    kept, _ = up_to_votes(group, run, texts, altered=table)
    slot = slot_of_text(kept)
    tag = (slots_of(said_in(kept[0].heard, "sums", Sums)) or [])[slot]
    return np.concatenate([seen(kept, table, party, slot, tag) for party in (0, 1)])


def slot_of_text(kept: list[Voted]) -> int:
    secret = ed.scalar_sum(k.begun.share for k in kept)
    for slot, sealed in enumerate(kept[0].cells):
        try:
            if cell.unseal(sealed, secret, kept[0].begun.seat.sid) == TEXT:
                return slot
        except MalformedMessage:
            continue
    raise AssertionError("the text did not come out")


def seen(kept: list[Voted], table: Table, party: Party, slot: int, tag: int) -> Features:
    """Return what is left of an honest member's messages without the corrupt members' pads.

    Bits of the slot where the text stood, how many of all are those of the
    text's cell, and how many power sums are those of the text's tag.
    """
    seat, n = kept[0].begun.seat, len(kept)
    heard, size = kept[0].heard, seat.run.sealed_bytes
    pairs = {p: table.pair(p, party) for p in range(2, n)}
    row = said_in(heard, "vector", Vector)[party].cells
    for pair in pairs.values():
        row = pads.xor_pad(pair.vector, row)
    left = np.unpackbits(np.frombuffer(row[slot * size : (slot + 1) * size], np.uint8))
    due = np.unpackbits(np.frombuffer(kept[0].cells[slot], np.uint8))
    sums = mersenne.decode(said_in(heard, "sums", Sums)[party].sums)
    alone = pads.add_pads([0] * n, party, pairs)
    bare = [(a - b) % mersenne.P for a, b in zip(sums, alone, strict=True)]
    hits = sum(a == b for a, b in zip(bare, mersenne.powers(tag, n), strict=True))
    return np.array([float((left == due).mean()), hits, *map(float, left[:4])])


def guessed(games: int, n: int, *, padded: bool) -> int:
    """Return how often the classifier is right about the half of the games it has not seen."""
    coins = np.frombuffer(secrets.token_bytes(games), np.uint8) % 2
    x = np.array([play(n, int(coin), padded=padded) for coin in coins])
    x = np.column_stack([(x - x.mean(0)) / (x.std(0) + 1e-9), np.ones(games)])
    y, half = 2.0 * coins - 1, games // 2
    ridge = np.eye(x.shape[1])
    weights = np.linalg.solve(x[:half].T @ x[:half] + ridge, x[:half].T @ y[:half])
    return int(((x[half:] @ weights > 0) == (y[half:] > 0)).sum())


def chance(right: int, of: int) -> float:
    """Return how likely who throws a coin is right so often, or more often."""
    return sum(math.comb(of, k) for k in range(right, of + 1)) / 2.0**of


def test_few_games_do_not_tell_who_spoke() -> None:
    assert chance(guessed(44, 4, padded=True), 22) > FALSE_ALARM


def test_control_without_the_pad_of_two_honest_members_all_is_told() -> None:
    right = guessed(44, 4, padded=False)
    assert right == 22
    assert chance(right, 22) < FALSE_ALARM


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_many_games_do_not_tell_who_spoke() -> None:
    right = guessed(1200, 4, padded=True)
    assert chance(right, 600) > FALSE_ALARM
    assert chance(600 - right, 600) > FALSE_ALARM  # always wrong would be as telling


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_control_in_many_games_without_that_pad_all_is_told() -> None:
    assert guessed(1200, 4, padded=False) >= 0.99 * 600


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_slots_are_independent_of_seats() -> None:
    """Of 1,200 runs, each seat has each slot as often as any other: chi-square, 16 cells."""
    n, games = 4, 1200
    counts = np.zeros((n, n))
    for _ in range(games):
        speaker = secrets.randbelow(n)
        group = members(n)
        texts = [TEXT if p == speaker else b"" for p in range(n)]
        kept, _ = up_to_votes(group, group.run(cell_bytes=16), texts)
        counts[speaker, slot_of_text(kept)] += 1
    expected = counts.sum(1, keepdims=True) * counts.sum(0, keepdims=True) / games
    assert ((counts - expected) ** 2 / expected).sum() < 50  # 9 degrees: p = 1e-7
