"""One signature of a key's shares, gathered from those of its holders who can be asked now.

    coordinator                each asked
    commit →                   keeps nonces in memory, answers commitments
    sign (the commitments) →   signs once, and states for which package

The first that suffice are who signs: one that hangs delays nobody. Whose
answer is wrong is named, with proof where it signed it. Two rounds.
"""

import os
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import TypeVar

from quorate.errors import Abort, Error, Party
from quorate.node.desk import Desk
from quorate.node.quorum.errands import ask_enough
from quorate.node.quorum.messages import Commit, Sign
from quorate.quorum.answer import SignedAnswer
from quorate.quorum.key_plan import KeyPlan
from quorate.threshold import frost, statement
from quorate.threshold.frost import NonceCommitment
from quorate.threshold.keys import PublicKey, seat
from quorate.threshold.statement import SignedShare

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A signature that a key's holders are to make."""

    plan: KeyPlan
    public: PublicKey
    subject: bytes  # digest under which holders know what it is for
    message: bytes  # which each of them has itself: it is not sent
    approved: tuple[SignedAnswer, ...]


@dataclass(frozen=True, slots=True)
class Ways:
    """How holders are asked: the topics, and this node's own answers."""

    commit: str
    sign: str
    commit_here: Callable[[Party, Commit], NonceCommitment]
    sign_here: Callable[[Party, Sign], SignedShare]


async def collect(desk: Desk, wanted: Wanted, able: tuple[str, ...], ways: Ways) -> bytes:
    """Return a signature by some of the holders `able`. Raises `Abort` with seats of holders."""
    plan, session = wanted.plan, os.urandom(32)
    ask = Commit(wanted.subject, session, wanted.approved)
    commitments = await _answers(
        plan,
        plan.suffice,
        ask_enough(
            desk,
            able,
            ways.commit,
            ask,
            NonceCommitment,
            lambda me: ways.commit_here(me, ask),
            plan.suffice,
        ),
    )
    names = _fewest(plan, commitments)
    chosen = [commitments[name] for name in names]
    _check_identifiers(plan, names, [one.identifier for one in chosen])
    package = frost.package(wanted.message, chosen)
    order = Sign(session, package.commitments)

    def all_signed(done: Collection[str]) -> bool:
        return len(done) == len(names)

    shares = await _answers(
        plan,
        all_signed,
        ask_enough(
            desk,
            names,
            ways.sign,
            order,
            SignedShare,
            lambda me: ways.sign_here(me, order),
            all_signed,
        ),
    )
    _check_identifiers(plan, tuple(shares), [s.share.identifier for s in shares.values()])
    identities = [holder.public_key for holder in plan.holders]
    return statement.aggregate(wanted.public, session, package, tuple(shares.values()), identities)


async def _answers(
    plan: KeyPlan,
    enough: Callable[[Collection[str]], bool],
    asking: Awaitable[dict[str, T | Error]],
) -> dict[str, T]:
    """Return the answers by name. Raises `Abort` naming who did not do its part."""
    results = await asking
    failed = {name: r for name, r in results.items() if isinstance(r, Error)}
    done = {name: r for name, r in results.items() if not isinstance(r, Error)}
    if not enough(done):
        raise Abort(
            "; ".join(str(error) for error in failed.values()),
            suspects=[seat(plan.identifier(name)) for name in failed],
        )
    return done


def _fewest(plan: KeyPlan, done: Collection[str]) -> tuple[str, ...]:
    """Return the first of these that suffice."""
    names = tuple(done)
    while plan.suffice(names[:-1]):
        names = names[:-1]
    return names


def _check_identifiers(plan: KeyPlan, names: tuple[str, ...], found: list[int]) -> None:
    """Raise `Abort` naming who answered in another's place."""
    wrong = [
        seat(plan.identifier(name))
        for name, identifier in zip(names, found, strict=True)
        if plan.identifier(name) != identifier
    ]
    if wrong:
        who = ", ".join(plan.names[one] for one in wrong)
        raise Abort(f"{who} answered in another holder's place", suspects=wrong)
