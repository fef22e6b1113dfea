"""What comes out of a run: who has which slot, and the cells that stand on the board."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from quorate import wire
from quorate.algebra import edwards25519 as ed
from quorate.algebra import mersenne
from quorate.algebra.edwards25519 import Point
from quorate.anonymous.messages import Keys, Run, Sums, Vector
from quorate.anonymous.parts import combine


@dataclass(frozen=True, slots=True)
class Board:
    """The joint key of a run and the SHA-256 of each sealed cell, by slot. Votes are over it."""

    joint: bytes
    cells: tuple[bytes, ...]

    def digest(self) -> bytes:
        return wire.digest("anonymous/board", self)


def joint_key(keys: Sequence[Keys]) -> Point:
    """Return the sum of all members' checked shares."""
    return ed.sum_points(ed.decode_point(k.share) for k in keys)


def slots_of(sums: Sequence[Sums]) -> list[int] | None:
    """Return all tags, ascending: slot k belongs to the k-th. None where somebody spoilt them."""
    columns = zip(*(mersenne.decode(s.sums) for s in sums), strict=True)
    return mersenne.distinct_roots([sum(column) % mersenne.P for column in columns])


def board_of(run: Run, joint: Point, vectors: Sequence[Vector]) -> tuple[Board, tuple[bytes, ...]]:
    """Return the board and the sealed cells: the exclusive or of all vectors, by slot."""
    row, size = combine([v.cells for v in vectors]), run.sealed_bytes
    cells = tuple(row[at : at + size] for at in range(0, len(row), size))
    return Board(joint, tuple(hashlib.sha256(c).digest() for c in cells)), cells
