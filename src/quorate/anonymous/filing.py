"""The proof that a text came out of a run, signed by all who took part, naming nobody.

Every vote is a signature over the board: the joint key and the digest of each sealed
cell. So whoever was in a run can show one cell, the secret of the joint key, and
everybody's vote: the cell was there, all signed, and it opens to this text. No
further message is needed, and no member can be left out of the certificate. It
says which members took part. The other cells stay closed to who has not seen them.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from quorate.algebra import edwards25519 as ed
from quorate.anonymous import cell
from quorate.anonymous.board import Board
from quorate.anonymous.decision import Delivered
from quorate.anonymous.messages import (
    Ballot,
    Identity,
    Run,
    Vote,
    is_signed,
    shown_ballot,
)
from quorate.errors import MalformedMessage, NotFound, VerificationFailed


@dataclass(frozen=True, slots=True)
class Certificate:
    """That the cell came out of the run: `votes` are the signatures of `vote`, by seat."""

    run: Run
    vote: Vote
    votes: tuple[bytes, ...]
    board: Board
    joint_secret: bytes
    cell: bytes


def certify(delivered: Delivered, text: bytes) -> Certificate:
    """Return the certificate of a text that a run brought. Raises `NotFound`."""
    secret, sid = ed.decode_scalar(delivered.joint_secret), delivered.run.digest()
    digests = tuple(hashlib.sha256(sealed).digest() for sealed in delivered.cells)
    board = Board(ed.base_mul(secret), digests)
    for sealed in delivered.cells:
        try:
            found = cell.unseal(sealed, secret, sid)
        except MalformedMessage:
            continue
        if found == text:
            return Certificate(
                delivered.run, delivered.vote, delivered.votes, board, secret, sealed
            )
    raise NotFound("that text did not come out of this run")


def verify_certificate(
    certificate: Certificate, group: bytes, members: Iterable[Identity]
) -> bytes:
    """Return the text that all members of a run have signed to be in it.

    `members` are those of the group whose digest is `group`; all of the run must be
    among them. Raises `VerificationFailed`.
    """
    run, vote = certificate.run, certificate.vote
    sid = run.digest()
    if run.group != group or not run.members or not set(run.members) <= set(members):
        raise VerificationFailed("the certificate is of other members than the group's")
    if len(certificate.votes) != run.n or not vote.go:
        raise VerificationFailed("the certificate lacks a vote of each member of the run")
    for party, signature in enumerate(certificate.votes):
        if not is_signed(run, sid, shown_ballot(party, Ballot(vote, signature))):
            raise VerificationFailed(f"{run.name([party])} has not signed this run")
    if certificate.board.digest() != vote.board:
        raise VerificationFailed("the members signed another board")
    if hashlib.sha256(certificate.cell).digest() not in certificate.board.cells:
        raise VerificationFailed("this cell is not on the board that the members signed")
    return _text(certificate, sid)


def _text(certificate: Certificate, sid: bytes) -> bytes:
    try:
        secret = ed.decode_scalar(certificate.joint_secret)
        if ed.base_mul(secret) != certificate.board.joint:
            raise VerificationFailed("this is not the secret of the run's joint key")
        return cell.unseal(certificate.cell, secret, sid)
    except MalformedMessage as e:
        raise VerificationFailed(f"the cell does not open: {e}") from None
