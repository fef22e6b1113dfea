"""Every message of every protocol, changed by its sender: the right result, or an abort."""

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from quorate.algebra.ring import Words, to_signed
from quorate.errors import Abort, Party
from quorate.mpc import boolean, comparison, decomposition, replicated, truncation
from quorate.mpc.boolean import BitShare
from quorate.mpc.replicated import Share
from quorate.transport.memory import Envelope, Fault
from tests.mpc.cheating import (
    Program,
    assert_right_or_blameless,
    check_honest,
    flipped,
    messages,
)
from tests.mpc.committee import noise, words
from tests.parties import TIMEOUT_S, run_many, run_parties

COUNT = 6
F = 16
X, Y = noise(COUNT), noise(COUNT)
MIXED = np.where(np.arange(COUNT) % 2 == 0, X, np.uint64(0))
SMALL = to_signed(X) >> 36
SQUARE_X, SQUARE_Y = (noise(169).reshape(13, 13) for _ in range(2))


def lowest(x: Share) -> BitShare:
    return BitShare(*((part & np.uint64(1)).astype(np.bool_) for part in (x.own, x.next)))


def exactly(expected: Words) -> Callable[[Words], bool]:
    return lambda found: np.array_equal(found, expected)


def rounded(exact: Words) -> Callable[[Words], bool]:
    return lambda found: set((to_signed(found) - (to_signed(exact) >> F)).tolist()) <= {0, 1}


def lowest_of(x: Words) -> Words:
    return x & np.uint64(1)


PROGRAMS = {
    "reveal": Program(lambda c, x: _unchanged(x), (X,), exactly(X)),
    "product": Program(replicated.mul, (X, Y), exactly(X * Y)),
    "small matrix product": Program(
        lambda c, x, y: replicated.matmul(c, _shaped(x, 2, 3), _shaped(y, 3, 2)),
        (X, Y),
        exactly(X.reshape(2, 3) @ Y.reshape(3, 2)),
    ),
    "matrix product": Program(
        replicated.matmul, (SQUARE_X, SQUARE_Y), exactly(SQUARE_X @ SQUARE_Y)
    ),
    "and": Program(
        lambda c, x, y: boolean.both(c, lowest(x), lowest(y)), (X, Y), exactly(lowest_of(X & Y))
    ),
    "sign": Program(comparison.is_negative, (X,), exactly((to_signed(X) < 0).astype(np.uint64))),
    "zero": Program(comparison.is_zero, (MIXED,), exactly((MIXED == 0).astype(np.uint64))),
    "bits to ring": Program(
        lambda c, x: boolean.to_ring(c, lowest(x)), (X,), exactly(lowest_of(X))
    ),
    "word to bits": Program(
        lambda c, x: decomposition.to_bits(c, x, 4),
        (X,),
        exactly(np.stack([lowest_of(X >> np.uint64(i)) for i in range(4)])),
    ),
    "division": Program(
        lambda c, x: truncation.truncate(c, x, F), (words(SMALL),), rounded(words(SMALL))
    ),
    "fixed product": Program(
        lambda c, x, y: truncation.mul_fixed(c, x, y, F),
        (words(SMALL), words(SMALL)),
        rounded(words(SMALL * SMALL)),
    ),
}
FUZZED = 3050
"""Runs for each program and each party that cheats: more than 10^5 in all, if there is time."""

AT_ONCE = 50
MOST_S = 8.0
"""What each of the 33 may take of a worker's time, so that the long tail has an end."""
every_program = pytest.mark.parametrize("name", PROGRAMS)


async def _unchanged(x: Share) -> Share:
    return x


def _shaped(x: Share, *shape: int) -> Share:
    return Share(x.own.reshape(shape), x.next.reshape(shape))


def only_at(target: Envelope, become: Callable[[Envelope], Sequence[Envelope]]) -> Fault:
    """Change one message of a run."""
    key = (target.sender, target.to, target.label)
    return lambda e: become(e) if (e.sender, e.to, e.label) == key else [e]


CHANGES: dict[str, Callable[[Envelope], Sequence[Envelope]]] = {
    "first bit": lambda e: [replace(e, payload=flipped(e.payload, 0))],
    "last bit": lambda e: [replace(e, payload=flipped(e.payload, 8 * len(e.payload) - 1))],
    "noise": lambda e: [replace(e, payload=noise(len(e.payload) // 8).tobytes())],
    # A word of a few bits may be 0 by itself: then all ones, so that something changes.
    "zeros": lambda e: [
        replace(e, payload=(b"\0" if any(e.payload) else b"\xff") * len(e.payload))
    ],
    "a byte less": lambda e: [replace(e, payload=e.payload[1:])],
    "nothing": lambda _: [],
    "too late": lambda e: [replace(e, delay_s=1.1 * TIMEOUT_S)],
    "to another": lambda e: [replace(e, to=3 - e.sender - e.to)],
}


@every_program
@pytest.mark.parametrize("change", ["first bit", "last bit"])
def test_a_bit_flipped_in_any_message_ends_the_run(name: str, change: str) -> None:
    program = PROGRAMS[name]
    for target in messages(program):
        fault = only_at(target, CHANGES[change])
        aborted = assert_right_or_blameless(program, fault, target.sender, program)
        assert aborted, f"{target.label} from {target.sender} to {target.to} may say anything"


@pytest.mark.parametrize("name", ["division", "matrix product", "zero"])
@pytest.mark.parametrize("change", CHANGES)
def test_no_change_of_a_message_gives_a_wrong_result(name: str, change: str) -> None:
    program = PROGRAMS[name]
    for target in messages(program):
        fault = only_at(target, CHANGES[change])
        assert assert_right_or_blameless(program, fault, target.sender, program)


@pytest.mark.parametrize("name", ["division", "matrix product", "zero"])
def test_a_message_that_comes_twice_gives_no_wrong_result(name: str) -> None:
    program = PROGRAMS[name]
    for target in messages(program):
        fault = only_at(target, lambda e: [e, e])
        assert_right_or_blameless(program, fault, target.sender, program)


@pytest.mark.slow
@every_program
@pytest.mark.parametrize("change", CHANGES)
def test_no_change_of_any_message_of_any_protocol_gives_a_wrong_result(
    name: str, change: str
) -> None:
    program = PROGRAMS[name]
    for target in messages(program):
        fault = only_at(target, CHANGES[change])
        assert assert_right_or_blameless(program, fault, target.sender, program)


@pytest.mark.parametrize("name", ["division", "sign"])
def test_messages_in_one_anothers_place_give_no_wrong_result(name: str) -> None:
    """Each message is replaced by an earlier or a later one of its sender, of the same length."""
    program = PROGRAMS[name]
    sent = messages(program)
    for target, other in zip(sent, sent[1:] + sent[:1], strict=True):
        if len(target.payload) == len(other.payload) and target.sender == other.sender:
            fault = _exchanged(target, other)
            assert_right_or_blameless(program, fault, target.sender, program)


def _exchanged(one: Envelope, other: Envelope) -> Fault:
    """Put the payload that one message has in an honest run into the other, and back."""
    instead = {(a.sender, a.to, a.label): b.payload for a, b in ((one, other), (other, one))}

    def fault(e: Envelope) -> Sequence[Envelope]:
        return [replace(e, payload=instead.get((e.sender, e.to, e.label), e.payload))]

    return fault


@pytest.mark.slow
@every_program
@pytest.mark.parametrize("cheat", [0, 1, 2])
def test_any_number_of_changes_gives_no_wrong_result(name: str, cheat: Party) -> None:
    """In each run a party changes a few of its messages: 100,650 in all, if there is time."""
    program = PROGRAMS[name]
    own = [e for e in messages(program) if e.sender == cheat]
    aborted = runs = 0
    until = time.monotonic() + MOST_S
    while not runs or (runs < FUZZED and time.monotonic() < until):
        faults = [some_changed(own) for _ in range(AT_ONCE)]
        for outcomes in run_many(program, 3, faults):
            aborted += check_honest(program, outcomes, cheat)
        runs += AT_ONCE
    assert aborted > runs // 2  # what a party owes twice over may be changed to what it is


def some_changed(own: Sequence[Envelope]) -> Fault:
    """Return a fault in one to four of a party's messages."""
    changes = list(CHANGES.values())
    chosen = {
        (e.sender, e.to, e.label): secrets.choice(changes)
        for e in (secrets.choice(own) for _ in range(1 + secrets.randbelow(4)))
    }

    def fault(e: Envelope) -> Sequence[Envelope]:
        change = chosen.get((e.sender, e.to, e.label))
        return [e] if change is None else change(e)

    return fault


@every_program
def test_messages_that_are_only_late_change_nothing(name: str) -> None:
    program = PROGRAMS[name]
    for outcome in run_parties(program, 3, lambda e: [replace(e, delay_s=e.sender * 3.0)]).values():
        assert not isinstance(outcome, Exception)
        assert program.is_right(outcome)


@every_program
def test_control_where_nothing_is_checked_a_flipped_bit_gives_a_wrong_result(name: str) -> None:
    """In every protocol, for some message: so that the tests above flip what matters."""
    program = PROGRAMS[name]

    async def trusting(session: object) -> Words:
        return await program(session, "semi-honest")  # type: ignore[arg-type]

    wrong = 0
    for target in messages(trusting):
        fault = only_at(target, CHANGES["first bit"])
        for outcome in run_parties(trusting, 3, fault).values():
            assert not isinstance(outcome, Abort)
            wrong += not isinstance(outcome, Exception) and not program.is_right(outcome)
    assert wrong
