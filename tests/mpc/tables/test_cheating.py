"""One party changes what it sends of a shuffle, a sort or sums: right rows, or an abort."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from quorate.algebra.ring import Words
from quorate.errors import Error, Refused
from quorate.mpc.boolean import BitShare, to_ring
from quorate.mpc.replicated import Committee, Share, public
from quorate.mpc.tables import groups
from quorate.mpc.tables.compaction import compact
from quorate.mpc.tables.keys import Column, Layout
from quorate.mpc.tables.owned import gathered
from quorate.mpc.tables.shuffle import shuffle
from quorate.mpc.tables.sorting import sort
from quorate.mpc.tables.table import Table, none_of, read, settled
from quorate.transport.memory import Envelope, Fault
from tests.mpc.cheating import Program, assert_right_or_blameless, flipped, honest, messages
from tests.mpc.committee import noise
from tests.parties import run_parties

ROWS = 5
KEYS = np.array([7, 3, 7, 1, 3])
KEY = Layout((Column(10),))
BITS = KEY.packed([KEYS])
KEY_SHIFT, ONE = np.uint64(KEY.places[0].shift), np.uint64(1)
NUMBERS = (noise(ROWS) >> np.uint64(30)).reshape(ROWS, 1)
SUMS = np.array([NUMBERS[key == KEYS].sum() for key in (1, 3, 7)], np.uint64)


async def shuffled_bits(committee: Committee, _: Share) -> Share:
    """Return shuffled bits as a sum: each is masked and shared anew as a number of the ring."""
    found = await shuffle(committee, Table(public(committee, BITS), none_of(ROWS)))
    bit = BitShare(*((part >> KEY_SHIFT & ONE).astype(np.bool_) for part in _parts(found.bits)))
    return await to_ring(committee, bit)


async def shuffled_numbers(committee: Committee, numbers: Share) -> Share:
    return settled((await shuffle(committee, Table(none_of(ROWS), numbers))).numbers)


async def sorted_numbers(committee: Committee, numbers: Share) -> Share:
    table = Table(public(committee, BITS), numbers)
    return settled((await sort(committee, table, KEY)).numbers)


async def compacted(committee: Committee, numbers: Share) -> Share:
    marks = public(committee, (KEYS > 2).astype(np.uint64))
    return settled((await compact(committee, Table(none_of(ROWS), numbers), marks)).numbers)


async def sums(committee: Committee, numbers: Share) -> Share:
    order = np.argsort(KEYS, kind="stable")
    rows = Table(public(committee, BITS[order]), Share(numbers.own[order], numbers.next[order]))
    found = await groups.sums(committee, rows, KEY.mask(0), 3)
    return settled(Share(*(part[:, :1].copy() for part in (found.numbers.own, found.numbers.next))))


def _parts(x: Share) -> tuple[Words, Words]:
    return x.own, x.next


def same_bits(found: Words) -> bool:
    return int(found.sum()) == int((BITS >> KEY_SHIFT & ONE).sum()) and set(found.flat) <= {0, 1}


def same_rows(found: Words) -> bool:
    return sorted(read(found).ravel().tolist()) == sorted(NUMBERS.ravel().tolist())


def these(expected: Words, found: Words) -> bool:
    return np.array_equal(read(found).ravel(), expected.ravel())


PROGRAMS = {
    "shuffle": Program(shuffled_numbers, (NUMBERS,), same_rows),
    "sort": Program(
        sorted_numbers, (NUMBERS,), partial(these, NUMBERS[np.argsort(KEYS, kind="stable")])
    ),
    "compact": Program(
        compacted,
        (NUMBERS,),
        partial(these, NUMBERS[np.argsort(KEYS <= 2, kind="stable")]),
    ),
    "sums": Program(sums, (NUMBERS,), partial(these, SUMS)),
}
CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "first bit": lambda data: flipped(data, 0),
    "last bit": lambda data: flipped(data, 8 * len(data) - 1),
    "all": lambda data: bytes(byte ^ 0x55 for byte in data),
}


def only(
    target: Envelope, change: Callable[[bytes], bytes], changed: list[Envelope] | None = None
) -> Fault:
    """Change one message of a run, and note it: a sort may end before it comes to that message."""
    key = (target.sender, target.to, target.label)

    def fault(e: Envelope) -> Sequence[Envelope]:
        if (e.sender, e.to, e.label) != key:
            return [e]
        if changed is not None:
            changed.append(e)
        return [replace(e, payload=change(e.payload))]

    return fault


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_changed_message_of_any_step_ends_the_run(name: str) -> None:
    program, reached = PROGRAMS[name], 0
    targets = messages(program)[:: 1 if name != "sort" else 3]
    for target in targets:
        changed: list[Envelope] = []
        fault = only(target, CHANGES["first bit"], changed)
        aborted = assert_right_or_blameless(program, fault, target.sender, program)
        reached += bool(changed)
        # Of x_0, from which a shuffle starts, party 2's copy is not used: nothing changed.
        unused = (target.sender, target.to) == (0, 2)
        assert aborted or unused or not changed, target.label
    assert reached > len(targets) // 2


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", ["shuffle", "compact"])
def test_no_change_of_a_message_gives_wrong_rows(name: str, change: str) -> None:
    program = PROGRAMS[name]
    for target in messages(program):
        assert_right_or_blameless(program, only(target, CHANGES[change]), target.sender, program)


@pytest.mark.parametrize("name", PROGRAMS)
def test_control_a_committee_that_does_not_check_takes_wrong_rows(name: str) -> None:
    program = PROGRAMS[name]
    run = partial(program, security="semi-honest")
    wrong = 0
    for target in messages(run):
        outcomes = honest(run_parties(run, 3, only(target, CHANGES["all"])), target.sender)
        wrong += any(isinstance(o, np.ndarray) and not program.is_right(o) for o in outcomes)
    assert wrong


def test_gathering_is_refused_where_it_could_not_be_checked() -> None:
    program = Program(lambda c, x: gathered(c, 0, x, np.arange(ROWS)), (NUMBERS,), lambda _: False)
    outcomes = run_parties(program, 3)
    assert all(isinstance(outcome, Error) for outcome in outcomes.values())
    assert any(isinstance(outcome, Refused) for outcome in outcomes.values())


def test_bits_that_are_shuffled_are_held_to_their_tags() -> None:
    program = Program(shuffled_bits, (NUMBERS,), same_bits)
    for target in messages(program):
        fault = only(target, CHANGES["last bit"])
        if not assert_right_or_blameless(program, fault, target.sender, program):
            assert (target.sender, target.to) == (0, 2), target.label
