"""All holders of a key in one process: for programs and tests that play every part themselves."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate.algebra import edwards25519 as ed
from quorate.algebra.edwards25519 import Randomness
from quorate.threshold import dkg
from quorate.threshold.keys import KeyShare, PublicKey, Purpose
from quorate.threshold.rule import Rule
from quorate.threshold.setup import Setup, static_key


def generate_key(
    max_signers: int, min_signers: int, randomness: Randomness, purpose: Purpose = "sign"
) -> tuple[tuple[KeyShare, ...], PublicKey]:
    """Return one share for each of `max_signers` holders, and the group's public key.

    The holders run the key generation of `quorate.threshold.dkg` among
    themselves: no dealer, and the key exists nowhere. Raises `Refused` for a
    rule that is none.
    """
    Rule(min_signers, max_signers)
    statics = [static_key(randomness(32)) for _ in range(max_signers)]
    identities = [Ed25519PrivateKey.from_private_bytes(randomness(32)) for _ in statics]
    setup = Setup(
        purpose,
        min_signers,
        randomness(32),
        tuple(map(ed.base_mul, statics)),
        tuple(identity.public_key().public_bytes_raw() for identity in identities),
    )
    dealings = [
        dkg.round1(setup, static, identity, randomness)
        for static, identity in zip(statics, identities, strict=True)
    ]
    checked = [
        dkg.round2(setup, static, mine, dealings)
        for static, mine in zip(statics, dealings, strict=True)
    ]
    confirmations = [sent for _, sent in checked]
    shares = tuple(dkg.round3(pending, confirmations).share for pending, _ in checked)
    return shares, shares[0].public
