"""A party that deviates: what it sends is changed on the way, and it is told nothing of it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from quorate.algebra.ring import Words
from quorate.errors import Abort, Error, Party
from quorate.mpc.boolean import BitShare, reveal_bits
from quorate.mpc.replicated import Committee, Security, Share, reveal
from quorate.mpc.verification import verify
from quorate.transport.memory import Envelope, Fault
from quorate.transport.session import Session
from tests.mpc.committee import ALL, dealt, meet
from tests.parties import run_parties

Function = Callable[..., Awaitable[Share | BitShare]]
Outcome = Words | Error

DEALING = "/dealing"
KEYS = {"/1", "/2"}
"""Labels of the greetings."""


@dataclass(frozen=True, slots=True)
class Program:
    """A function of secret arrays, each dealt by another party, and what it may give."""

    function: Function
    words: tuple[Words, ...]
    is_right: Callable[[Words], bool]

    async def __call__(self, session: Session, security: Security = "malicious") -> Words:
        """Compute, verify, reveal to all."""
        committee = await meet(session, security)
        result = await self.computed(committee)
        await verify(committee)
        return await everything(committee, result)

    async def computed(self, committee: Committee) -> Share | BitShare:
        shares = await dealt(*self.words)(committee.at(DEALING[1:]))
        return await self.function(committee, *shares)


async def everything(committee: Committee, result: Share | BitShare) -> Words:
    if isinstance(result, BitShare):
        bits = await reveal_bits(committee, result, ALL)
        assert bits is not None
        return bits.astype(np.uint64)
    words = await reveal(committee, result, ALL)
    assert words is not None
    return words


@dataclass(slots=True)
class Log:
    """All messages of a run but the greetings and what is dealt: the same in every run."""

    sent: list[Envelope] = field(default_factory=list)

    def note(self, e: Envelope) -> Sequence[Envelope]:
        if e.label not in KEYS and not e.label.startswith(DEALING):
            self.sent.append(e)
        return [e]


def messages(protocol: Callable[[Session], Awaitable[object]]) -> list[Envelope]:
    """Return what parties send in an honest run."""
    log = Log()
    outcomes = run_parties(protocol, 3, log.note)
    assert not [o for o in outcomes.values() if isinstance(o, Exception)]
    return sorted(log.sent, key=lambda e: (e.label, e.sender, e.to))


def honest(outcomes: dict[Party, Outcome], cheat: Party) -> list[Outcome]:
    return [outcome for party, outcome in outcomes.items() if party != cheat]


def assert_right_or_blameless(
    program: Program, fault: Fault, cheat: Party, run: Callable[[Session], Awaitable[Words]]
) -> bool:
    """Return whether an honest party aborted; each that did not has the right result."""
    return check_honest(program, run_parties(run, 3, fault), cheat)


def check_honest(program: Program, outcomes: dict[Party, Outcome], cheat: Party) -> bool:
    """Return whether an honest party aborted; fail where a result is wrong, or an honest blamed."""
    found = honest(outcomes, cheat)
    for outcome in found:
        if isinstance(outcome, Error):
            assert isinstance(outcome, Abort), outcome
            assert outcome.culprits == frozenset()
        else:
            assert program.is_right(outcome), "a cheat went unnoticed"
    return any(isinstance(outcome, Error) for outcome in found)


def added(payload: bytes, word: int, error: int) -> bytes:
    """Add to one word of a message."""
    words = np.frombuffer(payload, np.uint64).copy()
    words[word] += np.uint64(error)
    return words.tobytes()


def flipped(payload: bytes, bit: int) -> bytes:
    data = bytearray(payload)
    data[bit // 8] ^= 1 << bit % 8
    return bytes(data)
