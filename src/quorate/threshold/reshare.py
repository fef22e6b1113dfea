"""The same key in other hands: to new holders, to another number of them, or afresh to the same.

Who holds what: holders of an old key who suffice to act, the dealers, each a
share s_i; the new holders in the end shares of the same secret that fit no old
one. Dealer i deals w_i s_i, w_i its weight among the dealers, as `dkg` deals a
constant; that it is this and nothing else follows from the old key's public
half. The sum of all is the old secret [DJ97, WWW02]. Old and new may be any
access structures, so a number may become another, or a policy. Dealt to the
same holders under the same rule it is a refresh: shares stolen before are of
another polynomial and help with none after [HJKY95].

The dealers are fixed in the setup, and every new holder signs the same
transcript of what they dealt, or nobody has anything [AS20]. It also proves
that it knows its new share. Until all have, the old shares are the key:
`quorate.threshold.changeover` says when they may go.

Adversary: active, too few old holders to act and too few new ones, and whoever
carries the messages. They can end it, and are named as in `dkg`; then the old
key is as it was. Whoever leaves and keeps a copy of the old share is not
stopped by this: enough such copies act as before. Unreviewed.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate import wire
from quorate.algebra import edwards25519 as ed
from quorate.algebra.edwards25519 import Point, Randomness, Scalar
from quorate.errors import Abort, MalformedMessage, Refused, VerificationFailed
from quorate.threshold import dkg, frost, schnorr
from quorate.threshold.dkg import Confirmation, Pending
from quorate.threshold.keys import KeyShare, PublicKey, seat
from quorate.threshold.record import Record, common_commitment, recover
from quorate.threshold.setup import Handover, Promise, Setup, SignedDealing, transcript
from quorate.wire import ABSENT


@dataclass(frozen=True, slots=True)
class Ready:
    """What a new holder sends once its share is on its disk: the transcript, and that it has it."""

    confirmation: Confirmation
    proof: bytes  # of possession of the new share, over the transcript


@dataclass(frozen=True, slots=True)
class Certificate:
    """That every new holder who is not away has its share of one and the same sharing.

    `test` is a signature made with the new shares, where the key signs.
    """

    setup: Setup
    promises: tuple[Promise, ...]
    ready: tuple[Ready | None, ...]  # by seat
    test: bytes

    def public_key(self) -> PublicKey:
        return self.setup.public_key(common_commitment(self.promises))


def round1(
    setup: Setup,
    share: KeyShare,
    static: Scalar,
    identity: Ed25519PrivateKey,
    randomness: Randomness,
) -> SignedDealing:
    """Return what a dealer sends to all new holders. Raises `Refused` for another key's share.

    Cost: 34 columns + 50 n + 236 bytes to each of n new holders, of at most 23; the
    columns are `min_signers`, or those of a policy
    """
    handover = _handover(setup)
    dealer = setup.dealer_of(static)
    if share.public != handover.old or handover.dealers[seat(dealer)] != share.identifier:
        raise Refused("this share is not the one that is to be handed over")
    share.verify()
    weight = share.public.access.weight(share.identifier, handover.dealers)
    return dkg.deal(setup, ed.scalar_mul(weight, share.secret), static, identity, randomness)


def round2(
    setup: Setup, static: Scalar, dealings: Sequence[SignedDealing | None]
) -> tuple[Pending, Ready]:
    """Check all dealings, by place of the dealer; return what to keep, and then to send to all.

    `Ready` may leave the machine only when `Pending` is on its disk. Raises
    `Abort`; its seats are places of dealers, from 0.

    Cost: 240 bytes to each new holder
    """
    _handover(setup)
    pending, confirmation = dkg.round2(setup, static, None, dealings)
    told = _told(setup, pending.record.promises)
    return pending, Ready(confirmation, schnorr.sign(pending.secret, told))


def round3(pending: Pending, ready: Sequence[Ready | None]) -> KeyShare:
    """Check that all new holders are ready with the same; return the share to test.

    Raises `Abort`, its seats those of new holders. The share counts only once
    there is a `Certificate`.
    """
    dkg.round3(pending, [one.confirmation if one else None for one in ready])
    _check_possession(pending.record.setup, pending.record.promises, ready)
    return KeyShare(pending.identifier, pending.secret, pending.public)


def trial(setup: Setup, promises: Sequence[Promise]) -> bytes:
    """Return what the new shares sign together, and nothing else ever is, to show that they can."""
    return wire.signing_input("reshare test", (setup.digest(), tuple(promises)))


def certify(pending: Pending, ready: Sequence[Ready | None], test: bytes) -> Certificate:
    """Return what lets old shares go. Raises `VerificationFailed` if it does not hold."""
    record = pending.record
    certificate = Certificate(record.setup, record.promises, tuple(ready), test)
    verify_certificate(certificate)
    return certificate


def verify_certificate(certificate: Certificate) -> None:
    """Raise `VerificationFailed` unless all new holders are ready and their shares work.

    The key itself is the old one: that each promise is a dealer's due is checked again.
    To make up a certificate for holders of one's own takes the whole key: their
    proofs of possession come from a set that suffices.
    """
    setup, promises = certificate.setup, certificate.promises
    handover = _handover(setup)
    given = len(certificate.ready)
    if given != setup.max_signers or len(promises) != len(handover.dealers):
        raise VerificationFailed("a certificate is not of these dealers and holders")
    for dealer, promise in enumerate(promises, 1):
        _check_promise(setup, handover.due(dealer), promise)
    told = _told(setup, promises)
    digest = hashlib.sha512(told).digest()
    for i, one in enumerate(certificate.ready, 1):
        if one is None and i in setup.away:
            continue
        if one is None or one.confirmation.transcript != digest:
            raise VerificationFailed(f"new holder {i} is not ready with this sharing")
        schnorr.verify(setup.static_keys[seat(i)], told, one.confirmation.signature)
    try:
        _check_possession(setup, promises, certificate.ready)
    except (Abort, MalformedMessage) as e:
        raise VerificationFailed(str(e)) from None
    if setup.purpose == "sign":
        frost.verify(handover.old.group, trial(setup, promises), certificate.test)


def catch_up(record: Record, certificate: Certificate, static: Scalar) -> KeyShare:
    """Return the share of a holder who was away, from what was dealt to it and kept for it.

    Raises `VerificationFailed`; a dealing that fails here is proof as in round 2.
    """
    verify_certificate(certificate)
    if record.setup != certificate.setup or record.promises != certificate.promises:
        raise VerificationFailed("what was kept is of another resharing")
    return recover(record, static)


def _check_promise(setup: Setup, due: Point, promise: Promise) -> None:
    try:
        for point in promise.commitment:
            ed.decode_point(point)
    except MalformedMessage as e:
        raise VerificationFailed(f"a certificate holds what is {e}") from None
    if len(promise.commitment) != setup.access.columns or promise.commitment[0] != due:
        raise VerificationFailed("a certificate hands over another key")


def _check_possession(
    setup: Setup, promises: Sequence[Promise], ready: Sequence[Ready | None]
) -> None:
    public, told = setup.public_key(common_commitment(promises)), _told(setup, promises)
    lacking: list[int] = []
    for i, one in enumerate(ready, 1):
        if one is None:
            continue  # away, or it would have been missed before
        try:
            schnorr.verify(public.verification_share(i), told, one.proof)
        except VerificationFailed:
            lacking.append(i)
    if lacking:
        raise Abort(
            f"{', '.join(map(str, lacking))} did not prove to have a new share",
            suspects=map(seat, lacking),
        )


def _told(setup: Setup, promises: Sequence[Promise]) -> bytes:
    return transcript(setup, promises, b"")


def _handover(setup: Setup) -> Handover:
    if setup.handover is ABSENT:
        raise Refused("this makes a new key, it hands none over")
    return setup.handover
