"""The proof that a text came out of a run, signed by all who took part, naming nobody.

Every vote is a signature over the board: the joint key and the digest of each sealed
cell. So whoever was in a run can show one cell, the secret of the joint key, and
everybody's vote: the cell was there, all signed, and it opens to this text. No
further message is needed, and no member can be left out of the certificate. It
says which members took part. The other cells stay closed to who has not seen them.
"""

import hashlib
from collections.abc import Iterable, Sequence
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
    board = _board(secret, delivered.cells)
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
    verify_votes(certificate.run, certificate.vote, certificate.votes, group, members)
    _check_board(certificate.board, certificate.vote)
    if hashlib.sha256(certificate.cell).digest() not in certificate.board.cells:
        raise VerificationFailed("this cell is not on the board that the members signed")
    try:
        secret = ed.decode_scalar(certificate.joint_secret)
        if ed.base_mul(secret) != certificate.board.joint:
            raise VerificationFailed("this is not the secret of the run's joint key")
        return cell.unseal(certificate.cell, secret, certificate.run.digest())
    except MalformedMessage as e:
        raise VerificationFailed(f"the cell does not open: {e}") from None


def verify_delivered(delivered: Delivered, group: bytes, members: Iterable[Identity]) -> None:
    """Raise `VerificationFailed` unless all members of a run signed just these cells and texts."""
    run, vote = delivered.run, delivered.vote
    verify_votes(run, vote, delivered.votes, group, members)
    try:
        secret = ed.decode_scalar(delivered.joint_secret)
    except MalformedMessage as e:
        raise VerificationFailed(f"no secret of a joint key: {e}") from None
    _check_board(_board(secret, delivered.cells), vote)
    if cell.texts_in(delivered.cells, secret, run.digest()) != delivered.texts:
        raise VerificationFailed("the run brought other texts")


def verify_votes(
    run: Run, vote: Vote, votes: Sequence[bytes], group: bytes, members: Iterable[Identity]
) -> None:
    """Raise `VerificationFailed` unless all members of that run, who are of `group`, said go."""
    if run.group != group or not run.members or not set(run.members) <= set(members):
        raise VerificationFailed("the run is of other members than the group's")
    if len(votes) != run.n or not vote.go:
        raise VerificationFailed("a vote of each member of the run is lacking")
    sid = run.digest()
    for party, signature in enumerate(votes):
        if not is_signed(run, sid, shown_ballot(party, Ballot(vote, signature))):
            raise VerificationFailed(f"{run.name([party])} has not signed this run")


def _check_board(board: Board, vote: Vote) -> None:
    if board.digest() != vote.board:
        raise VerificationFailed("the members signed another board")


def _board(joint_secret: ed.Scalar, cells: Iterable[bytes]) -> Board:
    digests = tuple(hashlib.sha256(sealed).digest() for sealed in cells)
    return Board(ed.base_mul(joint_secret), digests)
