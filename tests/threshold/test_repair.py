"""A share made again by others: the same one, seen by nobody else."""

import os
from dataclasses import replace
from itertools import combinations

import pytest

from quorate import wire
from quorate.algebra import edwards25519 as ed
from quorate.errors import Abort, Refused
from quorate.threshold import repair as kernel
from quorate.threshold.access import Gate
from quorate.threshold.keys import PublicKey
from quorate.threshold.repair import Cut, Part, Repair
from tests.threshold.dealt import deal

SHARES, PUBLIC = deal(5, 3)
LOST = 4


def cuts(repair: Repair) -> tuple[list[Cut], list[list[Part]]]:
    """All cuts, and for each repairer the parts it is sent."""
    both = [kernel.cut(repair, SHARES[i - 1], os.urandom) for i in repair.repairers]
    sent = [parts for _, parts in both]
    return [one for one, _ in both], [list(column) for column in zip(*sent, strict=True)]


def sums(repair: Repair, told: list[Cut], parts: list[list[Part]]) -> list[Part]:
    pairs = zip(repair.repairers, parts, strict=True)
    return [kernel.add_parts(repair, me, told, got) for me, got in pairs]


@pytest.mark.parametrize("repairers", list(combinations((1, 2, 3, 5), 3)), ids=str)
def test_the_share_is_the_one_that_was_lost(repairers: tuple[int, ...]) -> None:
    repair = Repair(PUBLIC, LOST, repairers)
    told, parts = cuts(repair)
    assert kernel.assemble(repair, told, sums(repair, told, parts)) == SHARES[LOST - 1]


def test_a_repair_shows_no_repairers_share() -> None:
    """What who lost its share is sent says nothing of a repairer's: each sum is masked by all."""
    repair = Repair(PUBLIC, LOST, (1, 2, 3))
    told, parts = cuts(repair)
    whole = [ed.scalar_mul(repair.weight(i), SHARES[i - 1].secret) for i in repair.repairers]
    assert not {part.value for part in sums(repair, told, parts)} & set(whole)
    again = sums(repair, *cuts(repair))
    assert not {p.value for p in again} & {p.value for p in sums(repair, told, parts)}


def test_control_without_cutting_who_lost_its_share_has_the_key() -> None:
    """Were each repairer to send its weighted share itself, three of them are everything."""
    repair = Repair(PUBLIC, LOST, (1, 2, 3))
    direct = [ed.scalar_mul(repair.weight(i), SHARES[i - 1].secret) for i in repair.repairers]
    found = [
        ed.scalar_mul(ed.scalar_invert(repair.weight(i)), value)
        for i, value in zip(repair.repairers, direct, strict=True)
    ]
    assert found == [share.secret for share in SHARES[:3]]


def test_whose_words_do_not_fit_is_suspected() -> None:
    repair = Repair(PUBLIC, LOST, (1, 2, 3))
    told, parts = cuts(repair)
    added = sums(repair, told, parts)
    parts[0][1] = replace(parts[0][1], value=ed.ONE)
    with pytest.raises(Abort, match="2 sent a part that is not") as aborted:
        kernel.add_parts(repair, 1, told, parts[0])
    assert aborted.value.suspects == {1}
    with pytest.raises(Abort, match="3 sent a sum of other parts") as aborted:
        kernel.assemble(repair, told, [*added[:2], Part(3, ed.ONE)])
    assert aborted.value.suspects == {2}
    for bad in (told[0].points[::-1][:2], (ed.BASE,) * 3, (b"short", *told[0].points[1:])):
        false = [Cut(1, tuple(map(ed.Point, bad))), *told[1:]]
        with pytest.raises(Abort, match="1 cut something else") as aborted:
            kernel.assemble(repair, false, added)
        assert aborted.value.suspects == {0}
        assert not aborted.value.culprits


def test_too_few_others_make_no_share() -> None:
    for lost, repairers in ((4, (1, 2)), (4, (1, 2, 4)), (4, (2, 1, 3)), (6, (1, 2, 3))):
        with pytest.raises(Refused):
            Repair(PUBLIC, lost, repairers)
    policy = PublicKey("sign", 3, (ed.BASE, ed.BASE), Gate(2, (1, 2, 3)))
    with pytest.raises(Refused, match="with a policy"):
        Repair(policy, 1, (2, 3))
    with pytest.raises(Refused, match="does not help"):
        kernel.cut(Repair(PUBLIC, LOST, (1, 2, 3)), SHARES[4], os.urandom)


def test_costs_what_the_docstrings_say() -> None:
    repair = Repair(PUBLIC, LOST, (1, 2, 3))
    told, parts = cuts(repair)
    assert {len(wire.encode(one)) for one in told} == {34 * PUBLIC.min_signers + 19}
    private = [*sums(repair, told, parts), *parts[0]]
    assert {len(wire.encode(one)) for one in private} == {49}
