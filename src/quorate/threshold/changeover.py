"""When an old share may go: what one holder has on its disk while a key changes hands.

Two phases. *Prepare*: the new share is on the disk beside the old one, and only
then is `Ready` said. *Commit*: with the certificate that all new holders said
so, and that their shares work, the new takes the old one's place. So in every
moment, whoever stops wherever, the disks hold enough old shares or enough new
ones; who committed has the certificate, and gives it to whoever has not.

A holder says `Ready` to one resharing of a key only. It may say so to another
once it has `abandoned` the first, for which somebody has to say under its name
that it never will be ready; both shares stay until one is certified.

    old ──prepare──▶ old + new ──commit──▶ new
     │                                      ▲
     └──────────commit (who leaves)──▶ gone └── who joins

Each function returns what is to be written in one transaction, before anything is sent.
"""

from dataclasses import dataclass, field, replace

from quorate import wire
from quorate.errors import Refused, VerificationFailed
from quorate.threshold.dkg import Pending
from quorate.threshold.identity import verify_by
from quorate.threshold.keys import KeyShare, PublicKey, seat
from quorate.threshold.reshare import Certificate, verify_certificate
from quorate.threshold.setup import Setup
from quorate.wire import ABSENT

MAX_PREPARED = 8
"""Resharings begun and abandoned, whose shares are kept until one of them is certified."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One holder's place: the share it uses, and those that wait. All of it secret."""

    share: KeyShare | None = field(repr=False)
    prepared: tuple[Pending, ...] = field(repr=False, default=())
    abandoned: tuple[bytes, ...] = ()  # digests of setups
    certificate: Certificate | None = None  # of the sharing in use, to show to others


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A new holder's word that it has not said `Ready` to a resharing and never will."""

    setup: bytes  # digest
    identifier: int
    signature: bytes


def prepare(standing: Standing, pending: Pending) -> Standing:
    """Return the standing with a new share beside the old: write it, then say `Ready`.

    Raises `Refused` while another resharing could still be certified, and for
    one of a key that is not in use here any more.
    """
    setup = pending.record.setup
    if setup.handover is ABSENT or (standing.share and standing.share.public != setup.handover.old):
        raise Refused("what is to be handed over is not the key in use")
    if pending in standing.prepared:
        return standing
    open_ones = [one for one in standing.prepared if _digest(one) not in standing.abandoned]
    if open_ones or setup.digest() in standing.abandoned:
        raise Refused(
            "another resharing of this key is under way",
            hint="wait for it, or abandon it: one of its new holders must withdraw",
        )
    if len(standing.prepared) >= MAX_PREPARED:
        raise Refused("too many resharings of this key were begun and abandoned")
    return replace(standing, prepared=(*standing.prepared, pending))


def commit(standing: Standing, certificate: Certificate) -> Standing:
    """Return the standing with the new share alone, or with none for who leaves or was away.

    Who was away gets its share from `reshare.catch_up`. Raises
    `VerificationFailed` for a certificate that is none, or of another key.
    """
    verify_certificate(certificate)
    public = certificate.public_key()
    if standing.share is not None:
        if standing.share.public == public:
            return standing
        if standing.share.public != _old(certificate.setup):
            raise VerificationFailed("the certificate is of a key that is not in use here")
    digest = certificate.setup.digest()
    mine = next((p for p in standing.prepared if _digest(p) == digest), None)
    if mine is None:
        return Standing(None, certificate=certificate)
    if mine.public != public:
        raise VerificationFailed("the certificate is of another sharing than was prepared")
    return Standing(KeyShare(mine.identifier, mine.secret, public), certificate=certificate)


def abandon(standing: Standing, setup: Setup, withdrawal: Withdrawal) -> Standing:
    """Return the standing after somebody's word that a resharing can never be certified."""
    verify_withdrawal(setup, withdrawal)
    digest = setup.digest()
    if digest in standing.abandoned:
        return standing
    return replace(standing, abandoned=(*standing.abandoned, digest))


def withdrawal_input(setup: Setup, identifier: int) -> bytes:
    """Return what a new holder signs with its identity key to withdraw."""
    return wire.signing_input("reshare withdrawal", (setup.digest(), identifier))


def verify_withdrawal(setup: Setup, withdrawal: Withdrawal) -> None:
    """Raise `VerificationFailed` unless a new holder that is not away withdrew."""
    identifier = withdrawal.identifier
    due = withdrawal.setup == setup.digest() and 1 <= identifier <= setup.max_signers
    if not due or identifier in setup.away:
        raise VerificationFailed("a withdrawal from another resharing, or of nobody it needs")
    message = withdrawal_input(setup, identifier)
    otherwise = f"new holder {identifier} did not withdraw"
    verify_by(setup.identities[seat(identifier)], withdrawal.signature, message, otherwise)


def _digest(pending: Pending) -> bytes:
    return pending.record.setup.digest()


def _old(setup: Setup) -> PublicKey | None:
    return None if setup.handover is ABSENT else setup.handover.old
