"""The certificate of a key generation, and a share made again from it [COCKTAIL26].

A record holds nothing secret in clear. With the holder's static key it gives
the share again, so a backup is the record and that key. It is certified: every
holder signed the same transcript.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from quorate.algebra import edwards25519 as ed
from quorate.algebra.edwards25519 import Scalar
from quorate.errors import MalformedMessage, OutOfRange, VerificationFailed
from quorate.threshold import schnorr, sharing
from quorate.threshold.delivery import Delivered, open_sealed, recipient_secrets
from quorate.threshold.keys import KeyShare, PublicKey
from quorate.threshold.setup import Promise, Setup, transcript
from quorate.threshold.sharing import Commitment


def common_commitment(promises: Iterable[Promise]) -> Commitment:
    """Return the commitment to the polynomial that all dealt together."""
    return sharing.add_commitments(promise.commitment for promise in promises)


@dataclass(frozen=True, slots=True)
class Record:
    """What one holder stores of a key generation: the same for all but for `ciphertexts`."""

    setup: Setup
    extension: bytes
    promises: tuple[Promise, ...]  # by seat, as the rest
    ciphertexts: tuple[bytes, ...]  # what each dealt to this holder
    signatures: tuple[bytes, ...]

    def public_key(self) -> PublicKey:
        commitment = common_commitment(self.promises)
        return self.setup.public_key(commitment)

    def unsigned(self) -> list[int]:
        """Return the identifiers of holders whose signature of the transcript does not verify."""
        told = transcript(self.setup, self.promises, self.extension)
        wrong: list[int] = []
        for i, (key, signature) in enumerate(
            zip(self.setup.static_keys, self.signatures, strict=True), 1
        ):
            if i in self.setup.away and not signature:
                continue
            try:
                schnorr.verify(key, told, signature)
            except VerificationFailed:
                wrong.append(i)
        return wrong


def recover(record: Record, static: Scalar) -> KeyShare:
    """Return the share that `static` opens. Raises `VerificationFailed` for a bad record."""
    setup, dealt = record.setup, record.setup.dealers
    if any(len(part) != len(dealt) for part in (record.promises, record.ciphertexts)):
        raise VerificationFailed("the record is not of as many dealers as its setup names")
    if len(record.signatures) != setup.max_signers:
        raise VerificationFailed("the record is not of as many holders as its setup names")
    if any(len(promise.commitment) != setup.access.columns for promise in record.promises):
        raise VerificationFailed("a commitment in the record is not of the right length")
    if wrong := record.unsigned():
        raise VerificationFailed(f"the record is not signed by {', '.join(map(str, wrong))}")
    try:
        me = record.setup.identifier_of(static)
        public = record.public_key()
    except (MalformedMessage, OutOfRange) as e:
        raise VerificationFailed(f"the record gives no key: {e}") from None
    shares = [_open(record, me, static, sender).share for sender in dealt]
    share = KeyShare(me, ed.scalar_sum(shares), public)
    share.verify()
    return share


def _open(record: Record, me: int, static: Scalar, sender: int) -> Delivered:
    promise = record.promises[sender - 1]
    route = record.setup.route(sender, me, promise.ephemeral)
    delivered = open_sealed(route, recipient_secrets(route, static), record.ciphertexts[sender - 1])
    record.setup.access.verify_share(delivered.share, me, promise.commitment)
    return delivered
