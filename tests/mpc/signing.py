"""Three parties that sign what they say, one of which may say, and sign, anything."""

import secrets
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate import wire
from quorate.algebra.ring import Words
from quorate.errors import Abort, Disrupted, Party
from quorate.mpc.evidence import disrupted, signed_channel
from quorate.mpc.promises import reveal_promised
from quorate.mpc.replicated import Committee, Share, convene
from quorate.mpc.verification import verify
from quorate.transport.memory import Envelope, Fault
from quorate.transport.session import Session
from quorate.transport.signed import (
    DOMAIN,
    SALT_BYTES,
    Heard,
    Signing,
    Statement,
    digest_of,
    sha256,
)

KEYS = tuple(Ed25519PrivateKey.from_private_bytes(bytes([seat]) * 32) for seat in range(5))
ROSTER = tuple(key.public_key().public_bytes_raw() for key in KEYS)
CONTEXT = b"test"
SIGNED = "/signed"
TRAILER = " signature"


@dataclass(slots=True)
class SignedProgram:
    """A function of a committee and its inputs; what it gives is promised, then revealed."""

    function: Callable[[Committee], Awaitable[Share]]
    like: Words
    ids: list[bytes] = field(default_factory=list)

    async def __call__(self, session: Session) -> Words:
        committee = await convene(session, CONTEXT, self.ids.append, secrets.token_bytes)
        signing = Signing(KEYS[session.me], ROSTER)
        channel = signed_channel(session, CONTEXT, self.ids[-1], signing, secrets.token_bytes)
        signed = session.over(channel, SIGNED[1:])
        try:
            return await self.revealed(replace(committee, session=signed))
        except Abort as e:
            raise disrupted(e, channel) from e

    async def revealed(self, committee: Committee) -> Words:
        share = await self.function(committee)
        await verify(committee)
        return await reveal_promised(committee.session.at("reveal"), committee, share, self.like)


@dataclass(slots=True)
class Liar:
    """A party that signs whatever it comes to send: `fault` says what that is."""

    seat: Party
    fault: Fault
    session_id: Callable[[], bytes]
    key: Ed25519PrivateKey | None = None
    context: bytes = CONTEXT
    _said: dict[tuple[Party, str], Sequence[Envelope]] = field(default_factory=dict)

    def __call__(self, e: Envelope) -> Iterable[Envelope]:
        if e.sender != self.seat or not e.label.startswith(SIGNED):
            return [e]
        if not e.label.endswith(TRAILER):
            self._said[e.to, e.label] = told = tuple(self.fault(e))
            return told
        salt, said = e.payload[:SALT_BYTES], self._said[e.to, e.label.removesuffix(TRAILER)]
        return [
            replace(one, label=e.label, payload=salt + self.signature(one, salt)) for one in said
        ]

    def signature(self, e: Envelope, salt: bytes) -> bytes:
        digest = digest_of(salt, sha256(e.payload))
        label = e.label.removesuffix(TRAILER)
        size = len(e.payload)
        statement = Statement(self.context, self.session_id(), label, self.seat, size, digest)
        return (self.key or KEYS[self.seat]).sign(wire.signing_input(DOMAIN, statement))


def signed(statement: Statement, by: Party | None = None) -> Heard:
    """Return `statement` with the signature of its sender, or of another."""
    key = KEYS[statement.sender if by is None else by]
    return Heard(statement, key.sign(wire.signing_input(DOMAIN, statement)))


def evidence_of(outcomes: Iterable[object]) -> list[Heard]:
    """Return all statements that those who aborted have."""
    return [
        wire.decode(record, Heard)
        for outcome in outcomes
        if isinstance(outcome, Disrupted)
        for record in outcome.evidence
    ]
