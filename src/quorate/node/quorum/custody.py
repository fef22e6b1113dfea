"""The shares this member holds: sealed in the node's database, open only after the passphrase.

A node starts without the passphrase too; its shares then stay locked, and
whoever asks for one is told so. No share, nor anything that leads to one, goes
into a log, an answer or an error.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from quorate import wire
from quorate.errors import NotFound, Unavailable
from quorate.node.quorum.records import Records
from quorate.node.quorum.vault import Lock, Vault, lock, make_vault, unlock
from quorate.threshold.keys import KeyShare

T = TypeVar("T")

LOCK = "lock"
"""The name under which the vault's lock is kept, beside the secrets it locks."""

VaultState = Literal["none", "locked", "open"]


@dataclass(slots=True)
class Custody:
    """The vault of one node."""

    records: Records
    randomness: Callable[[int], bytes]
    on_open: Callable[[], None] = lambda: None
    """Called when the vault has been opened."""
    opened: Vault | None = field(default=None, repr=False)

    @property
    def state(self) -> VaultState:
        if self.opened is not None:
            return "open"
        return "none" if self.records.sealed(LOCK) is None else "locked"

    async def unlock(self, passphrase: str) -> None:
        """Open the vault, or make it if there is none. Raises `Refused` for a wrong passphrase."""
        closed = self.records.sealed(LOCK)
        if closed is not None:
            found = wire.decode(closed, Lock)
            self.opened = await asyncio.to_thread(unlock, found, passphrase, self.randomness)
        else:
            made, vault = await asyncio.to_thread(make_vault, passphrase, self.randomness)
            self.records.set_sealed(LOCK, wire.encode(made))
            self.opened = vault
        self.on_open()

    async def change(self, passphrase: str) -> None:
        """Give the open vault another passphrase."""
        self.records.set_sealed(
            LOCK, wire.encode(await asyncio.to_thread(lock, self.vault(), passphrase))
        )

    def vault(self) -> Vault:
        """Return the open vault. Raises `Unavailable` where it is locked, or never was."""
        if self.opened is None:
            what = "has no passphrase yet" if self.state == "none" else "has its shares locked"
            raise Unavailable(f"this node {what}", hint="give it with: quorate node unlock")
        return self.opened

    def keep(self, name: str, secret: object) -> None:
        """Seal a record under its name, in place of what was there."""
        self.records.set_sealed(name, self.vault().seal(name, wire.encode(secret)))

    def find(self, name: str, kind: type[T]) -> T | None:
        """Return the record that was sealed under `name`, if there is one."""
        sealed = self.records.sealed(name)
        if sealed is None:
            return None
        return wire.decode(self.vault().unseal(name, sealed), kind)

    def keep_share(self, share: KeyShare) -> None:
        """Seal a share. Raises `VerificationFailed` unless it belongs to its key."""
        share.verify()
        self.keep(share_name(share.public.key_id()), share)

    def share(self, key_id: bytes) -> KeyShare:
        """Return this member's share of a key. Raises `NotFound`, `Unavailable`."""
        share = self.find(share_name(key_id), KeyShare)
        if share is None:
            raise NotFound(
                "this node holds no share of the key",
                hint="if it once did: quorate key restore FILE",
            )
        return share

    def has_share(self, key_id: bytes) -> bool:
        """Return whether a share of the key is kept here, locked or not."""
        return self.records.sealed(share_name(key_id)) is not None


def share_name(key_id: bytes) -> str:
    """Return the name under which the share of a key is sealed."""
    return f"share {key_id.hex()}"
