"""A key that changes hands, all dealers and all new holders in one process."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate.algebra import edwards25519 as ed
from quorate.algebra.edwards25519 import Scalar
from quorate.threshold import frost, reshare
from quorate.threshold.access import Access
from quorate.threshold.dkg import Pending
from quorate.threshold.keys import KeyShare
from quorate.threshold.reshare import Certificate, Ready
from quorate.threshold.setup import Handover, Setup, SignedDealing, static_key


@dataclass(frozen=True, slots=True)
class Hands:
    """Everybody's secrets in one resharing."""

    setup: Setup
    shares: tuple[KeyShare, ...]  # of the dealers, in their order
    dealer_statics: tuple[Scalar, ...]
    dealer_identities: tuple[Ed25519PrivateKey, ...]
    statics: tuple[Scalar, ...]
    identities: tuple[Ed25519PrivateKey, ...]

    def dealings(self) -> list[SignedDealing]:
        keys = zip(self.shares, self.dealer_statics, self.dealer_identities, strict=True)
        return [reshare.round1(self.setup, *one, os.urandom) for one in keys]

    def prepare(
        self, dealings: Sequence[SignedDealing | None]
    ) -> tuple[list[Pending], list[Ready | None]]:
        """Return what all new holders keep, and what those who are not away say."""
        both = [reshare.round2(self.setup, static, dealings) for static in self.statics]
        ready = [None if i in self.setup.away else r for i, (_, r) in enumerate(both, 1)]
        return [pending for pending, _ in both], ready

    def finish(self) -> tuple[list[KeyShare], Certificate]:
        pending, ready = self.prepare(self.dealings())
        shares = [reshare.round3(one, ready) for one in pending]
        return shares, reshare.certify(pending[0], ready, self.test(shares, pending[0]))

    def test(self, shares: Sequence[KeyShare], pending: Pending) -> bytes:
        if self.setup.purpose != "sign":
            return b""
        return sign(shares, reshare.trial(self.setup, pending.record.promises))


def hand_over(
    dealers: Sequence[KeyShare], to: Access, away: tuple[int, ...] = (), session: bytes = b""
) -> Hands:
    """Return a resharing by these holders of the old key, in ascending order, to new ones."""
    n, k = len(dealers), to.max_signers
    statics = [static_key(os.urandom(32)) for _ in range(n + k)]
    identities = [Ed25519PrivateKey.generate() for _ in statics]
    points = tuple(map(ed.base_mul, statics))
    publics = tuple(one.public_key().public_bytes_raw() for one in identities)
    old = dealers[0].public
    handover = Handover(
        old, tuple(one.identifier for one in dealers), points[:n], publics[:n], away
    )
    setup = Setup(
        old.purpose,
        to.min_signers,
        session or os.urandom(32),
        points[n:],
        publics[n:],
        to.policy,
        handover,
    )
    return Hands(
        setup,
        tuple(dealers),
        tuple(statics[:n]),
        tuple(identities[:n]),
        tuple(statics[n:]),
        tuple(identities[n:]),
    )


def sign(shares: Sequence[KeyShare], message: bytes) -> bytes:
    """Return the signature of these holders."""
    both = [frost.commit(share, os.urandom) for share in shares]
    package = frost.package(message, [sent for _, sent in both])
    answers = [frost.sign(s, kept, package) for s, (kept, _) in zip(shares, both, strict=True)]
    return frost.aggregate(shares[0].public, package, answers)
