"""Secrets at rest: what only a passphrase opens.

    passphrase --Argon2id [RFC9106]--> key --ChaCha20-Poly1305 [RFC8439]--> vault key
    vault key  --ChaCha20-Poly1305, the secret's name as associated data--> each secret

The vault key is drawn once; another passphrase wraps it anew. Nonces are 96
random bits: a vault seals a handful of secrets, not millions.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from quorate.errors import MalformedMessage, Refused, VerificationFailed

Randomness = Callable[[int], bytes]

PASSES, LANES, MEMORY_KIB = 3, 4, 65_536
"""The second choice of RFC 9106, for machines that do other things too: 64 MiB, about 0.15 s."""

MIN_PASSPHRASE = 8
_NONCE, _SALT, _KEY = 12, 16, 32
_ALONE = threading.Lock()
"""Held while a passphrase is stretched: two at once wait for lanes in OpenSSL for ever."""
_MOST_PASSES, _MOST_LANES, _MOST_MEMORY_KIB = 64, 64, 1 << 20


@dataclass(frozen=True, slots=True)
class Lock:
    """A vault key under a passphrase. May lie anywhere."""

    passes: int
    lanes: int
    memory_kib: int
    salt: bytes
    wrapped: bytes


@dataclass(frozen=True, slots=True)
class Vault:
    """An open vault: it seals and unseals."""

    key: bytes = field(repr=False)
    randomness: Randomness = field(repr=False)

    def seal(self, name: str, secret: bytes) -> bytes:
        """Return `secret` sealed under its name: as another name's it does not open."""
        return _seal(self.key, name.encode(), secret, self.randomness)

    def unseal(self, name: str, sealed: bytes) -> bytes:
        """Return what was sealed as `name`. Raises `VerificationFailed`."""
        try:
            return _unseal(self.key, name.encode(), sealed)
        except InvalidTag:
            raise VerificationFailed(
                "a secret of this node does not open: it was altered, or is another's",
                hint="restore it from a backup: quorate key restore FILE",
            ) from None


def make_vault(passphrase: str, randomness: Randomness) -> tuple[Lock, Vault]:
    """Return a new vault and its lock. Raises `Refused` for a passphrase that is too short."""
    vault = Vault(randomness(_KEY), randomness)
    return lock(vault, passphrase), vault


def lock(vault: Vault, passphrase: str) -> Lock:
    """Return the vault's key under `passphrase`. Takes about 0.15 s and 64 MiB."""
    if len(passphrase) < MIN_PASSPHRASE:
        raise Refused(
            f"the passphrase is shorter than {MIN_PASSPHRASE} characters",
            hint="choose some words that nobody else would choose",
        )
    open_lock = Lock(PASSES, LANES, MEMORY_KIB, vault.randomness(_SALT), b"")
    key = _stretched(open_lock, passphrase)
    wrapped = _seal(key, b"vault", vault.key, vault.randomness)
    return Lock(PASSES, LANES, MEMORY_KIB, open_lock.salt, wrapped)


def unlock(closed: Lock, passphrase: str, randomness: Randomness) -> Vault:
    """Open a vault. Raises `Refused` if the passphrase is wrong, `MalformedMessage` for no lock."""
    fits = (
        1 <= closed.passes <= _MOST_PASSES
        and 1 <= closed.lanes <= _MOST_LANES
        and 8 * closed.lanes <= closed.memory_kib <= _MOST_MEMORY_KIB
        and len(closed.salt) == _SALT
    )
    if not fits:
        raise MalformedMessage("a vault's lock is not one this version would make")
    try:
        return Vault(_unseal(_stretched(closed, passphrase), b"vault", closed.wrapped), randomness)
    except InvalidTag:
        raise Refused("the passphrase is wrong", hint="try again") from None


def _stretched(closed: Lock, passphrase: str) -> bytes:
    argon2 = Argon2id(
        salt=closed.salt,
        length=_KEY,
        iterations=closed.passes,
        lanes=closed.lanes,
        memory_cost=closed.memory_kib,
    )
    with _ALONE:
        return argon2.derive(passphrase.encode())


def _seal(key: bytes, name: bytes, secret: bytes, randomness: Randomness) -> bytes:
    nonce = randomness(_NONCE)
    return nonce + ChaCha20Poly1305(key).encrypt(nonce, secret, name)


def _unseal(key: bytes, name: bytes, sealed: bytes) -> bytes:
    if len(sealed) < _NONCE:
        raise InvalidTag
    return ChaCha20Poly1305(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], name)
