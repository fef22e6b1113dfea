"""What anybody can tell of one message: whether its sender may have said it at all.

Everything here depends on the run and the message alone, so a signed message that
fails is proof against its signer, whoever looks at it.
"""

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from quorate import wire
from quorate.algebra import edwards25519 as ed
from quorate.algebra import mersenne
from quorate.anonymous import cell, pads
from quorate.anonymous.messages import (
    BEFORE_VOTE,
    KINDS,
    Ballots,
    Ciphertexts,
    Closing,
    Keys,
    Message,
    Round,
    Run,
    Sums,
    Vector,
    Vote,
    sums_bytes,
)
from quorate.errors import MalformedMessage, Party

_ANYBODY = X25519PrivateKey.from_private_bytes(b"\1" * 32)


def read(run: Run, sid: bytes, round_: Round, party: Party, body: bytes) -> Message:
    """Return the message that `body` encodes. Raises `MalformedMessage` for none of its round."""
    message = wire.decode(body, KINDS[round_])
    match message:
        case Keys():
            _check_keys(message, sid, party)
        case Ciphertexts(ciphertexts):
            if [len(c) for c in ciphertexts] != [pads.CIPHERTEXT_BYTES] * (run.n - 1):
                raise MalformedMessage("not one ciphertext for each other member")
        case Sums(sums):
            _check_length("power sums", sums, sums_bytes(run.n))
            mersenne.decode(sums)
        case Vector(cells):
            _check_length("cells", cells, run.vector_bytes)
        case Vote(_, transcript, board):
            _check_length("a transcript's digest", transcript, 32)
            _check_length("a board's digest", board, 32)
        case Closing():
            _check_closing(message, run)
        case Ballots(ballots):
            if len(ballots) != run.n:
                raise MalformedMessage("not one ballot of each member")
    return message


def _check_keys(keys: Keys, sid: bytes, party: Party) -> None:
    _check_length("an X25519 key", keys.x25519, 32)
    _check_length("an ML-KEM-768 key", keys.mlkem, pads.KEM_BYTES)
    _check_length("a commitment", keys.commitment, 32)
    _check_length("a proof", keys.proof, 64)
    try:
        MLKEM768PublicKey.from_public_bytes(keys.mlkem)
        pads.agree(_ANYBODY, keys.x25519)  # zero for all private keys alike, or for none
    except ValueError:
        raise MalformedMessage("keys nobody can agree with") from None
    cell.check_proof(keys.proof, ed.decode_point(keys.share), sid, party)


def _check_closing(closing: Closing, run: Run) -> None:
    """Hold a closing to its form; whether it was due is for who knows the votes."""
    if closing.kind == "neither":
        _check_length("the secret of a closing with neither", closing.secret, 0)
    else:
        _check_length("a secret", closing.secret, 32)
    if len(closing.ballots) != (0 if closing.kind == "key" else run.n):
        raise MalformedMessage("a closing without all the ballots it follows from")
    due = (
        [(round_, party) for round_ in BEFORE_VOTE for party in range(run.n)]
        if closing.kind == "neither"
        else []
    )
    if [(claim.round, claim.party) for claim in closing.told] != due:
        raise MalformedMessage("a closing that does not show what its sender was told")


def _check_length(what: str, data: bytes, due: int) -> None:
    if len(data) != due:
        raise MalformedMessage(f"{what} of {len(data)} bytes where {due} were due")
