"""No order of steps, and no stop of a holder anywhere, leaves a key without enough shares."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from quorate.errors import Refused, VerificationFailed
from quorate.threshold import reshare
from quorate.threshold.access import Access
from quorate.threshold.changeover import (
    Standing,
    Withdrawal,
    abandon,
    commit,
    prepare,
    withdrawal_input,
)
from quorate.threshold.dkg import Pending
from quorate.threshold.reshare import Certificate, Ready
from tests.threshold.dealt import deal
from tests.threshold.hands import Hands, hand_over

SHARES, PUBLIC = deal(3, 2)
MOVE = hand_over(SHARES[:2], Access(2, 3))
PENDING, READY = MOVE.prepare(MOVE.dealings())
NEW = [reshare.round3(one, READY) for one in PENDING]
CERTIFICATE = reshare.certify(PENDING[0], READY, MOVE.test(NEW[:2], PENDING[0]))

State = tuple[Standing, ...]
"""What is on the disks of all three holders: who crashes has this, and nothing else."""


def works(state: State) -> bool:
    """Whether the disks hold enough shares of one sharing."""
    old = [s.share for s in state if s.share and s.share.public == PUBLIC]
    new = [s for s in state if s.prepared or (s.share and s.share.public != PUBLIC)]
    return len(old) >= 2 or len(new) >= 2


def steps(state: State, said: Callable[[State], bool]) -> Iterator[State]:
    """Every step that a holder may take next; one that crashed for good takes none."""
    for i, standing in enumerate(state):
        if not standing.prepared and standing.share == SHARES[i]:
            yield (*state[:i], prepare(standing, PENDING[i]), *state[i + 1 :])
        if standing.share == SHARES[i] and said(state):
            yield (*state[:i], commit(standing, CERTIFICATE), *state[i + 1 :])


def reachable(said: Callable[[State], bool]) -> set[State]:
    """All states that disks can be in, whatever the order, whoever stops for good and when.

    A holder that stops is one that takes no more steps, so every state found
    on the way is also what a crash there leaves for ever.
    """
    begin = tuple(Standing(share) for share in SHARES)
    found, left = {begin}, [begin]
    while left:
        for state in steps(left.pop(), said):
            if state not in found:
                found.add(state)
                left.append(state)
    return found


def all_said_ready(state: State) -> bool:
    """There is a certificate only once every holder has written its new share."""
    return all(s.prepared or s.certificate for s in state)


def test_wherever_holders_stop_the_key_works() -> None:
    states = reachable(all_said_ready)
    assert len(states) == 8 + 8 - 1  # each may have prepared; then each may have committed
    assert all(map(works, states))
    assert tuple(Standing(share, certificate=CERTIFICATE) for share in NEW) in states


def test_control_where_nobody_waits_for_the_others_a_stop_loses_the_key() -> None:
    def at_once(state: State) -> bool:
        return any(s.prepared or s.certificate for s in state)

    assert not all(map(works, reachable(at_once)))


def test_who_leaves_has_nothing_and_who_joins_has_a_share() -> None:
    assert commit(Standing(SHARES[2]), CERTIFICATE).share is None
    joined = prepare(Standing(None), PENDING[0])
    assert commit(joined, CERTIFICATE).share == NEW[0]


def test_a_commit_is_repeated_without_harm_and_not_for_another_key() -> None:
    done = commit(prepare(Standing(SHARES[0]), PENDING[0]), CERTIFICATE)
    assert commit(done, CERTIFICATE) == done
    foreign = Standing(deal(3, 2)[0][0])
    with pytest.raises(VerificationFailed, match="not in use here"):
        commit(foreign, CERTIFICATE)
    with pytest.raises(Refused, match="not the key in use"):
        prepare(foreign, PENDING[0])


def test_without_a_whole_certificate_no_share_goes() -> None:
    standing = prepare(Standing(SHARES[0]), PENDING[0])
    short: tuple[Ready | None, ...] = (READY[0], READY[1], None)
    for bad in (replace(CERTIFICATE, ready=short), replace(CERTIFICATE, test=b"")):
        with pytest.raises(VerificationFailed):
            commit(standing, bad)


def second() -> tuple[Hands, list[Pending], Certificate]:
    them = hand_over(SHARES[1:], Access(2, 3))
    pending, ready = them.prepare(them.dealings())
    new = [reshare.round3(one, ready) for one in pending]
    return them, pending, reshare.certify(pending[0], ready, them.test(new[:2], pending[0]))


def test_two_changes_at_once_are_not_both_prepared() -> None:
    standing = prepare(Standing(SHARES[0]), PENDING[0])
    assert prepare(standing, PENDING[0]) == standing
    _, other, _ = second()
    with pytest.raises(Refused, match="under way"):
        prepare(standing, other[0])


def test_control_two_changes_both_said_ready_to_split_the_key() -> None:
    """Who said ready to both follows whichever certificate comes first, and forgets the other."""
    _, other, certificate = second()
    both = Standing(SHARES[0], (PENDING[0], other[0]))
    one, two = commit(both, CERTIFICATE), commit(both, certificate)
    assert one.share is not None
    assert two.share is not None
    assert one.share.public != two.share.public
    assert not one.prepared
    assert not two.prepared


def test_after_a_withdrawal_another_may_be_prepared_and_either_committed() -> None:
    key = MOVE.identities[2]
    word = Withdrawal(MOVE.setup.digest(), 3, key.sign(withdrawal_input(MOVE.setup, 3)))
    standing = prepare(Standing(SHARES[0]), PENDING[0])
    free = abandon(standing, MOVE.setup, word)
    assert free.share == SHARES[0]
    _, other, certificate = second()
    both = prepare(free, other[0])
    assert commit(both, certificate).share == reshare_share(other[0])
    assert commit(both, CERTIFICATE).share == NEW[0]  # whoever withdrew had lied
    with pytest.raises(Refused, match="under way"):
        prepare(both, PENDING[1])


def reshare_share(pending: Pending) -> object:
    return replace(NEW[0], secret=pending.secret, public=pending.public)


def test_nobody_withdraws_in_the_name_of_another() -> None:
    digest = MOVE.setup.digest()
    forged = Withdrawal(digest, 3, MOVE.identities[1].sign(withdrawal_input(MOVE.setup, 3)))
    for bad in (forged, replace(forged, identifier=4), replace(forged, setup=bytes(32))):
        with pytest.raises(VerificationFailed):
            abandon(Standing(SHARES[0], (PENDING[0],)), MOVE.setup, bad)
