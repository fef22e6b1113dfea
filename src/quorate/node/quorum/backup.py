"""A share's way out of a node and back: a file that only a passphrase opens.

The file carries the key in clear, so that it says whose share of what it is,
and the share under a vault of its own. It is restored on a node of the same
member only: with another identity it would be a second share in one hand.
"""

import asyncio
import os
from dataclasses import dataclass

from quorate import wire
from quorate.errors import Refused, VerificationFailed
from quorate.node.desk import Desk
from quorate.node.quorum.custody import Custody
from quorate.node.quorum.keys import Keys
from quorate.node.quorum.vault import Lock, make_vault, unlock
from quorate.quorum.key import Key, verify_key
from quorate.studies import document
from quorate.threshold.keys import KeyShare

TAG = "share 1"
_NAME = "share"


@dataclass(frozen=True, slots=True)
class Backup:
    """One share, sealed."""

    member: str
    key: Key
    lock: Lock
    sealed: bytes


async def make_backup(desk: Desk, custody: Custody, key: Key, passphrase: str) -> str:
    """Return the backup of this member's share of `key`, as the text of a file."""
    share = custody.share(key.key_id())
    lock, vault = await asyncio.to_thread(make_vault, passphrase, os.urandom)
    sealed = vault.seal(_NAME, wire.encode(share))
    desk.audit.append("share backed up", key.plan.name)
    return document.write(TAG, Backup(desk.home.name, key, lock, sealed))


async def restore(desk: Desk, custody: Custody, keys: Keys, text: str, passphrase: str) -> Key:
    """Keep the share of a backup. Raises `MalformedMessage`, `Refused`, `VerificationFailed`."""
    custody.vault()
    backup = document.read(TAG, text, Backup)
    key = backup.key
    verify_key(key, keys.roster(key.plan.group))
    me = desk.home.member()
    mine = [h for h in key.plan.holders if h.name == me.name and h.public_key == me.public_key]
    if not mine or backup.member != me.name:
        raise Refused(
            f"this is the share of {backup.member}, and this node is {me.name}",
            hint="a share is restored on a node with its holder's own identity",
        )
    vault = await asyncio.to_thread(unlock, backup.lock, passphrase, os.urandom)
    share = wire.decode(vault.unseal(_NAME, backup.sealed), KeyShare)
    if share.public != key.public or share.identifier != key.plan.identifier(me.name):
        raise VerificationFailed("the backup holds another share than it says")
    custody.keep_share(share)
    keys.take_key(key)
    desk.audit.append("share restored", key.plan.name)
    return key
