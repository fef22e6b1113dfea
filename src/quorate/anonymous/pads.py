"""What a member's openable seed becomes, and the pads of each pair of members.

From a seed of 32 bytes follow an X25519 key [RFC7748], an ML-KEM-768 key [FIPS203] and
a tag. A pair's pads follow from three secrets at once: the X25519 agreement
and one encapsulation each way, so that whoever records a run must break both to
lift a pad. All of this can be computed again by who is shown the seeds; that
is what blame does, and why nothing that seals a text is derived here.
"""

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from quorate import wire
from quorate.algebra.mersenne import P
from quorate.errors import Party

SEED_BYTES = 32
KEM_BYTES = 1184
CIPHERTEXT_BYTES = 1088


@dataclass(frozen=True, slots=True)
class Grown:
    """What a seed holds: two private keys and the tag, a number of the field of 2^127 - 1."""

    x25519: X25519PrivateKey = field(repr=False)
    mlkem: MLKEM768PrivateKey = field(repr=False)
    tag: int = field(repr=False)

    @property
    def x25519_public(self) -> bytes:
        return self.x25519.public_key().public_bytes_raw()

    @property
    def mlkem_public(self) -> bytes:
        return self.mlkem.public_key().public_bytes_raw()


@dataclass(frozen=True, slots=True)
class PairKeys:
    """The keys of the pads that two members share: for power sums, and for cells."""

    sums: bytes = field(repr=False)
    vector: bytes = field(repr=False)


def commit(sid: bytes, party: Party, seed: bytes) -> bytes:
    """Return the commitment to a seed; its seat is inside, so that nobody copies another's."""
    return wire.digest("anonymous/seed", (sid, party, seed))


def grow(sid: bytes, seed: bytes) -> Grown:
    """Return the keys and the tag of `seed` in the run `sid`."""
    material = HKDF(SHA256(), 128, salt=sid, info=b"quorate/v1/anonymous/grow").derive(seed)
    return Grown(
        X25519PrivateKey.from_private_bytes(material[:32]),
        MLKEM768PrivateKey.from_seed_bytes(material[32:96]),
        int.from_bytes(material[96:], "little") % P,
    )


def pair_keys(
    sid: bytes, me: Party, other: Party, agreed: bytes, to_other: bytes, to_me: bytes
) -> PairKeys:
    """Return the keys of `me` and `other`: the same at both.

    `agreed` is their X25519 agreement, `to_other` the secret that `me` sent,
    `to_me` the one it was sent; all of 32 bytes.
    """
    upward, downward = (to_other, to_me) if me < other else (to_me, to_other)
    pair = f"quorate/v1/anonymous/pair/{min(me, other)}/{max(me, other)}"
    kdf = HKDF(SHA256(), 64, salt=sid, info=pair.encode())
    material = kdf.derive(agreed + upward + downward)
    return PairKeys(material[:32], material[32:])


def agree(private: X25519PrivateKey, public: bytes) -> bytes:
    """Return the X25519 agreement. Raises `ValueError` for a key of low order, whoever asks."""
    return private.exchange(X25519PublicKey.from_public_bytes(public))


def add_pads(powers: list[int], me: Party, keys: dict[Party, PairKeys]) -> list[int]:
    """Add to the powers the pads of each pair: one of the two adds them, the other subtracts."""
    padded = list(powers)
    for other, pair in keys.items():
        stream = xor_pad(pair.sums, bytes(32 * len(powers)))
        sign = 1 if me > other else -1
        for k in range(len(powers)):
            # 32 bytes modulo a prime of 127 bits: uniform up to 2^-129.
            pad = int.from_bytes(stream[32 * k : 32 * k + 32], "little")
            padded[k] = (padded[k] + sign * pad) % P
    return padded


def xor_pad(key: bytes, data: bytes) -> bytes:
    """Return `data` under the pad of `key`, which serves once: ChaCha20 [RFC8439] from block 0."""
    return Cipher(ChaCha20(key, bytes(16)), None).encryptor().update(data)
