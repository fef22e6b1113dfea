"""A lost share, made again by others who keep theirs: nobody else's changes [LS18].

Repairers, as many as must act, hold s_i; the one who lost its share, r, holds
nothing. s_r = sum of w_i s_i, with w_i the weight of i at the place r. Round 1:
repairer i cuts w_i s_i into one random part a repairer, and sends each its part in
private. Round 2: repairer j adds what it was sent, and sends the sum to r in
private. r adds up. The commitments to all parts are told to all, so each checks
what it gets, and r's share is checked against the key in the end.

Adversary: active, fewer holders than must act, r among them or not. They learn
no share but the one repaired; they can prevent it, and whose words do not fit
is a suspect: private words prove nothing to others. Keys by policy have no
repair: hand them over to the same holders instead. Unreviewed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from quorate.algebra import edwards25519 as ed
from quorate.algebra.edwards25519 import Point, Randomness, Scalar
from quorate.errors import Abort, MalformedMessage, Refused, VerificationFailed
from quorate.threshold.keys import KeyShare, PublicKey, seat
from quorate.threshold.sharing import lagrange
from quorate.wire import ABSENT


@dataclass(frozen=True, slots=True)
class Repair:
    """Whose share is made again, and by whom. Raises `Refused` where they cannot."""

    public: PublicKey
    lost: int
    repairers: tuple[int, ...]  # in ascending order

    def __post_init__(self) -> None:
        holders = self.public.identifiers()
        if self.public.policy is not ABSENT:
            raise Refused(
                "a share of a key with a policy is not repaired",
                hint="hand the key over to the same holders: each gets a new share",
            )
        if sorted(set(self.repairers)) != list(self.repairers) or self.lost in self.repairers:
            raise Refused("the repairers are not distinct others, in ascending order")
        if not {self.lost, *self.repairers} <= set(holders):
            raise Refused("a repair among others than the key's holders")
        if len(self.repairers) != self.public.min_signers:
            raise Refused(f"{self.public.min_signers} holders make a share again, no more, no less")

    def weight(self, repairer: int) -> Scalar:
        return lagrange(repairer, self.repairers, self.lost)


@dataclass(frozen=True, slots=True)
class Cut:
    """What a repairer tells all: the points of its parts, in the order of the repairers."""

    repairer: int
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """What one holder sends another in private."""

    sender: int
    value: Scalar = field(repr=False)


def cut(repair: Repair, share: KeyShare, randomness: Randomness) -> tuple[Cut, tuple[Part, ...]]:
    """Return what to tell all, and the part of each repairer, one's own too: round 1.

    Cost: 34 min_signers + 19 bytes to all, 49 to each other, for identifiers below 24
    """
    me = share.identifier
    if share.public != repair.public or me not in repair.repairers:
        raise Refused("this share does not help in that repair")
    share.verify()
    random = [ed.random_scalar(randomness) for _ in repair.repairers[1:]]
    whole = ed.scalar_mul(repair.weight(me), share.secret)
    values = [ed.scalar_sub(whole, ed.scalar_sum(random)), *random]
    points = tuple(map(ed.base_mul, values))
    return Cut(me, points), tuple(Part(me, value) for value in values)


def add_parts(repair: Repair, me: int, cuts: Sequence[Cut], parts: Sequence[Part]) -> Part:
    """Return what repairer `me` sends to who lost its share: round 2. Raises `Abort`.

    Cost: 49 bytes
    """
    points = _points(repair, cuts)
    place = repair.repairers.index(me)
    if tuple(part.sender for part in parts) != repair.repairers:
        raise Abort("not one part of each repairer")
    wrong = [p.sender for p, row in zip(parts, points, strict=True) if not _fits(p, row[place])]
    if wrong:
        raise _suspected("sent a part that is not the one it told of", wrong)
    return Part(me, ed.scalar_sum(part.value for part in parts))


def assemble(repair: Repair, cuts: Sequence[Cut], sums: Sequence[Part]) -> KeyShare:
    """Return the lost share. Raises `Abort`: who sent a wrong sum is a suspect."""
    points = _points(repair, cuts)
    if tuple(part.sender for part in sums) != repair.repairers:
        raise Abort("not one sum of each repairer")
    due = [ed.sum_points(column) for column in zip(*points, strict=True)]
    wrong = [part.sender for part, point in zip(sums, due, strict=True) if not _fits(part, point)]
    if wrong:
        raise _suspected("sent a sum of other parts", wrong)
    share = KeyShare(repair.lost, ed.scalar_sum(part.value for part in sums), repair.public)
    share.verify()
    return share


def _points(repair: Repair, cuts: Sequence[Cut]) -> list[tuple[Point, ...]]:
    """Return each repairer's points, which add up to its share times its weight."""
    if tuple(one.repairer for one in cuts) != repair.repairers:
        raise Abort("not one cut of each repairer")
    wrong: list[int] = []
    for one in cuts:
        try:
            verify_cut(repair, one)
        except VerificationFailed:
            wrong.append(one.repairer)
    if wrong:
        raise _suspected("cut something else than its share", wrong)
    return [one.points for one in cuts]


def verify_cut(repair: Repair, one: Cut) -> None:
    """Raise `VerificationFailed` unless these are parts of its repairer's share."""
    try:
        points = [ed.decode_point(point) for point in one.points]
    except MalformedMessage as e:
        raise VerificationFailed(f"a cut holds what is {e}") from None
    due = ed.mul(repair.weight(one.repairer), repair.public.verification_share(one.repairer))
    if len(points) != len(repair.repairers) or ed.sum_points(points) != due:
        raise VerificationFailed("these are not parts of the repairer's share")


def _fits(part: Part, point: Point) -> bool:
    try:
        return ed.base_mul(ed.decode_scalar(part.value)) == point
    except MalformedMessage:
        return False


def _suspected(what: str, identifiers: Sequence[int]) -> Abort:
    listed = ", ".join(map(str, identifiers))
    return Abort(f"{listed} {what}", suspects=map(seat, identifiers))
