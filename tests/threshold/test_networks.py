"""Keys and signatures on networks that lose, delay and alter: right, or nobody is convicted."""

import os
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.errors import Abort, Error
from quorate.threshold import dkg, frost
from quorate.threshold.dkg import Generated
from quorate.transport.memory import Envelope, Fault
from quorate.transport.session import Session
from tests.faults import benign, silence
from tests.parties import run_parties
from tests.threshold.ceremony import holders
from tests.threshold.dealt import deal

THEM = holders(3, 2)
SHARES, PUBLIC = deal(3, 2)
few = settings(max_examples=40, deadline=None)


def generating(fault: Fault) -> dict[int, Generated | Error]:
    async def run(session: Session) -> Generated:
        me = session.me
        keys = THEM.statics[me], THEM.identities[me]
        return await dkg.run(session, THEM.setup, *keys, os.urandom)

    return run_parties(run, 3, fault)


def signing(fault: Fault) -> dict[int, bytes | Error]:
    return run_parties(
        lambda session: frost.run(session, SHARES[session.me], b"m", os.urandom), 3, fault
    )


@st.composite
def altered(draw: st.DrawFn, messages: int) -> Fault:
    """Flip one bit of one message on its way."""
    sender, to = draw(st.permutations(range(3)))[:2]
    nth, place = draw(st.integers(0, messages - 1)), draw(st.integers(0, 2**16))
    seen = [0]

    def fault(e: Envelope) -> list[Envelope]:
        if (e.sender, e.to) != (sender, to):
            return [e]
        seen[0] += 1
        if seen[0] != nth + 1:
            return [e]
        payload = bytearray(e.payload)
        payload[place % len(payload)] ^= 1 << place % 8
        return [replace(e, payload=bytes(payload))]

    return fault


@few
@given(st.one_of(benign(parties=3), altered(2)))
def test_a_key_that_all_who_have_it_share_or_an_abort_that_convicts_nobody(fault: Fault) -> None:
    outcomes = generating(fault).values()
    for outcome in outcomes:
        if isinstance(outcome, Abort):
            assert not outcome.culprits
        else:
            assert isinstance(outcome, Generated)
            outcome.share.verify()
    assert len({one.share.public for one in outcomes if isinstance(one, Generated)}) <= 1


@few
@given(st.one_of(benign(parties=3), altered(3)))
def test_a_signature_or_an_abort_that_convicts_nobody(fault: Fault) -> None:
    for outcome in signing(fault).values():
        if isinstance(outcome, Abort):
            assert not outcome.culprits
        else:
            assert isinstance(outcome, bytes)
            frost.verify(PUBLIC.group, b"m", outcome)


def test_whoever_is_silent_is_the_only_suspect() -> None:
    for outcomes in (generating(silence(1)), signing(silence(1))):
        for seat in (0, 2):
            outcome = outcomes[seat]
            assert isinstance(outcome, Abort)
            assert outcome.suspects == {1}
