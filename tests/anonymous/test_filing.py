"""A certificate holds for the text that came out of a run of these members, and for no other."""

import secrets
from dataclasses import replace

import pytest

from quorate import wire
from quorate.algebra import edwards25519 as ed
from quorate.anonymous import cell
from quorate.anonymous.decision import Delivered
from quorate.anonymous.filing import Certificate, certify, verify_certificate
from quorate.anonymous.messages import Run, Vote
from quorate.errors import NotFound, VerificationFailed
from tests.anonymous.group import hold, members

GROUP = members(3)
RUN = GROUP.run()


@pytest.fixture(scope="module")
def delivered() -> Delivered:
    outcome = hold(GROUP, RUN, (b"", b"the text", b"another"))[0]
    assert isinstance(outcome, Delivered)
    return outcome


def verify(certificate: Certificate, run: Run = RUN) -> bytes:
    return verify_certificate(certificate, run.group, run.members)


def test_whoever_was_there_proves_what_came_out(delivered: Delivered) -> None:
    certificate = certify(delivered, b"the text")
    travelled = wire.decode(wire.encode(certificate), Certificate)
    assert verify(travelled) == b"the text"
    assert delivered.cells.index(certificate.cell) >= 0
    others = [c for c in delivered.cells if c != certificate.cell]
    assert not any(c in wire.encode(certificate) for c in others), "other cells stay closed"


def test_what_did_not_come_out_is_not_certified(delivered: Delivered) -> None:
    with pytest.raises(NotFound):
        certify(delivered, b"some other text")


def test_no_part_of_a_certificate_can_be_another(delivered: Delivered) -> None:
    right, sid = certify(delivered, b"the text"), RUN.digest()
    joint = ed.decode_point(right.board.joint)
    secret = ed.random_scalar(secrets.token_bytes)
    own = cell.seal(b"made up", joint, sid, RUN.cell_bytes, secrets.token_bytes)
    wrong = [
        replace(right, cell=own),
        replace(right, joint_secret=secret),
        replace(right, joint_secret=bytes(31)),
        replace(right, board=replace(right.board, joint=ed.base_mul(secret)), joint_secret=secret),
        replace(right, votes=right.votes[:-1]),
        replace(right, votes=(*right.votes[:-1], right.votes[0])),
        replace(right, vote=replace(right.vote, go=False)),
        replace(right, vote=Vote(True, right.vote.transcript, bytes(32))),
        replace(right, run=replace(RUN, number=2)),
        replace(right, run=replace(RUN, members=RUN.members[:2]), votes=right.votes[:2]),
        replace(right, run=replace(RUN, members=())),
        replace(right, run=replace(RUN, group=b"x" * 32)),
    ]
    for certificate in wrong:
        with pytest.raises(VerificationFailed):
            verify(certificate)


def test_a_certificate_of_strangers_is_none(delivered: Delivered) -> None:
    with pytest.raises(VerificationFailed, match="other members"):
        verify(certify(delivered, b"the text"), members(3).run())
