"""A key generation among holders of one process."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate.algebra import edwards25519 as ed
from quorate.algebra.edwards25519 import Scalar
from quorate.threshold import dkg
from quorate.threshold.dkg import Confirmation, Generated, Pending
from quorate.threshold.keys import Purpose
from quorate.threshold.setup import Setup, SignedDealing, static_key


@dataclass(frozen=True, slots=True)
class Holders:
    """Everybody's secrets, and what all agreed on."""

    setup: Setup
    statics: tuple[Scalar, ...]
    identities: tuple[Ed25519PrivateKey, ...]

    def dealings(self) -> list[SignedDealing]:
        keys = zip(self.statics, self.identities, strict=True)
        return [dkg.round1(self.setup, static, key, os.urandom) for static, key in keys]

    def check(
        self, seat: int, dealings: Sequence[SignedDealing | None], mine: SignedDealing | None = None
    ) -> tuple[Pending, Confirmation]:
        mine = mine or dealings[seat]
        assert mine is not None
        return dkg.round2(self.setup, self.statics[seat], mine, dealings)

    def generate(self) -> tuple[Generated, ...]:
        dealings = self.dealings()
        checked = [self.check(seat, dealings) for seat in range(self.setup.max_signers)]
        confirmations = [sent for _, sent in checked]
        return tuple(dkg.round3(pending, confirmations) for pending, _ in checked)


def holders(max_signers: int, min_signers: int, purpose: Purpose = "sign") -> Holders:
    statics = tuple(static_key(os.urandom(32)) for _ in range(max_signers))
    identities = tuple(Ed25519PrivateKey.generate() for _ in range(max_signers))
    setup = Setup(
        purpose,
        min_signers,
        os.urandom(32),
        tuple(map(ed.base_mul, statics)),
        tuple(key.public_key().public_bytes_raw() for key in identities),
    )
    return Holders(setup, statics, identities)
