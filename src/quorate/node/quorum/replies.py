"""The keys to which this member has answers sealed: each for one request, until that is over.

A key is offered first, in memory, then kept sealed once a request names it. Its
name in the vault begins with the hour at which it is thrown away, so that
nothing sealed to it can be read again.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from quorate.errors import NotFound, Party, Refused
from quorate.node.desk import Desk
from quorate.node.quorum.custody import Custody
from quorate.quorum.request import Request
from quorate.studies.times import utc_text
from quorate.threshold.answers import ReplyKey, Sought, Whole, make_reply_key

PREFIX = "reply "
MAX_OFFERED = 10
"""Keys that wait for a member's request; of more, the oldest is forgotten."""


@dataclass(slots=True)
class Replies:
    """The reply keys of one node."""

    desk: Desk
    custody: Custody
    offered: dict[Party, dict[bytes, X25519PrivateKey]] = field(default_factory=dict, repr=False)

    def offer(self, to: Party, sought: Sought | Whole) -> ReplyKey:
        """Return a fresh key for a request that `to` is about to make. Raises `Unavailable`."""
        self.custody.vault()
        home = self.desk.home
        secret, reply = make_reply_key(home.identity, home.name, sought, os.urandom)
        theirs = self.offered.setdefault(to, {})
        theirs[reply.key] = secret
        if len(theirs) > MAX_OFFERED:
            del theirs[next(iter(theirs))]
        return reply

    def keep_own(self, request: Request, named: Iterable[ReplyKey]) -> None:
        """Seal the secrets of those keys that are this node's. Raises `Refused` if not offered."""
        for reply in named:
            if reply.member == self.desk.home.name:
                self._keep(request, reply)

    def secret(self, request: Request) -> X25519PrivateKey:
        """Return the secret kept for a request. Raises `NotFound`, `Unavailable`."""
        kept = self.custody.find(_name(request), bytes)
        if kept is None:
            raise NotFound(
                f"what request {request.short_id} opened is not kept here any more",
                hint="ask for it again",
            )
        return X25519PrivateKey.from_private_bytes(kept)

    def forget(self, now: datetime) -> None:
        """Throw away the secrets of requests that are over."""
        due = f"{PREFIX}{utc_text(now)}~"
        for name in self.custody.records.sealed_names(PREFIX):
            if name < due:
                self.custody.records.drop_sealed(name)

    def _keep(self, request: Request, reply: ReplyKey) -> None:
        theirs = self.offered.get(self.desk.group.party(request.requester), {})
        if reply.key not in theirs:
            raise Refused(
                f"{self.desk.home.name} did not offer this key to answer to, or not lately",
                hint="ask again",
            )
        self.custody.keep(_name(request), theirs[reply.key].private_bytes_raw())
        del theirs[reply.key]


def _name(request: Request) -> str:
    return f"{PREFIX}{request.expires} {request.digest().hex()}"
