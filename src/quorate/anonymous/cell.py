"""A text in a cell that opens only when all members let it.

The joint key of a run is the sum of one share of every member, each proven to be
known to its sender (else the last could cancel the others' shares). A cell is an
ElGamal key agreement with the joint key and an AEAD under it:

    R = r BASE    S = r (E_1 + ... + E_n)    ChaCha20-Poly1305(H(S, R, run), padded text)

Whoever lacks one e_j sees 48 bytes more of noise than the cell holds. The
number r comes from the operating system and never from the openable seed. A
member with nothing to say seals the empty text, by the same steps. Against a
quantum computer the cells of a run that *failed* are not safe: they rest on
this curve alone.
"""

from collections.abc import Iterable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from quorate import wire
from quorate.algebra import edwards25519 as ed
from quorate.algebra.edwards25519 import Point, Randomness, Scalar
from quorate.errors import MalformedMessage, OutOfRange, Party, VerificationFailed
from quorate.threshold import schnorr

LENGTH_BYTES = 4
_NONCE = bytes(12)  # every key seals one cell


def capacity(cell_bytes: int) -> int:
    """Return the bytes of the longest text that fits into a cell."""
    return cell_bytes - LENGTH_BYTES


def pad(text: bytes, cell_bytes: int) -> bytes:
    """Return `text` at its full length: all cells look alike. Raises `OutOfRange`."""
    if len(text) > capacity(cell_bytes):
        raise OutOfRange(
            f"{len(text)} bytes do not fit into a cell of {cell_bytes}, which holds "
            f"{capacity(cell_bytes)}"
        )
    return (len(text).to_bytes(LENGTH_BYTES, "little") + text).ljust(cell_bytes, b"\0")


def unpad(padded: bytes) -> bytes:
    """Return the text. Raises `MalformedMessage` for what `pad` does not make."""
    size = int.from_bytes(padded[:LENGTH_BYTES], "little")
    text = padded[LENGTH_BYTES : LENGTH_BYTES + size]
    if len(text) < size or padded != pad(text, len(padded)):
        raise MalformedMessage("a cell is not padded as it should be")
    return text


def seal(text: bytes, joint: Point, sid: bytes, cell_bytes: int, randomness: Randomness) -> bytes:
    """Return `text` sealed to the joint key: `cell_bytes` + 48 bytes. Raises `OutOfRange`."""
    padded = pad(text, cell_bytes)
    r = ed.random_scalar(randomness)
    ephemeral = ed.base_mul(r)
    key = _key(ed.mul(r, joint), ephemeral, sid)
    return ephemeral + ChaCha20Poly1305(key).encrypt(_NONCE, padded, sid)


def unseal(sealed: bytes, joint_secret: Scalar, sid: bytes) -> bytes:
    """Return the text. Raises `MalformedMessage` for a cell that its own sender spoilt."""
    ephemeral = ed.decode_point(sealed[:32])
    key = _key(ed.mul(joint_secret, ephemeral), ephemeral, sid)
    try:
        return unpad(ChaCha20Poly1305(key).decrypt(_NONCE, sealed[32:], sid))
    except InvalidTag:
        raise MalformedMessage("a cell that does not open with the joint key") from None


def texts_in(cells: Iterable[bytes], joint_secret: Scalar, sid: bytes) -> tuple[bytes, ...]:
    """Return what cells say, by slot. One that does not open was spoilt by whose it is."""
    texts: dict[bytes, None] = {}  # a copy of somebody's cell says nothing new
    for sealed in cells:
        try:
            text = unseal(sealed, joint_secret, sid)
        except MalformedMessage:
            continue
        if text:
            texts[text] = None
    return tuple(texts)


def prove(secret: Scalar, sid: bytes, party: Party) -> bytes:
    """Return a proof of knowledge of a share's secret, for one seat in one run: 64 bytes."""
    return schnorr.sign(secret, _statement(sid, party))


def check_proof(proof: bytes, share: Point, sid: bytes, party: Party) -> None:
    """Raise `MalformedMessage` unless the proof shows that its maker knows the share's secret."""
    try:
        schnorr.verify(share, _statement(sid, party), proof)
    except VerificationFailed:
        raise MalformedMessage("a share of the joint key whose secret nobody proves") from None


def _statement(sid: bytes, party: Party) -> bytes:
    return wire.signing_input("anonymous/share", (sid, party))


def _key(shared: Point, ephemeral: Point, sid: bytes) -> bytes:
    return wire.digest("anonymous/cell", (shared, ephemeral, sid))
