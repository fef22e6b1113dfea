"""Is every share of a key alive? Each holder signs a fresh challenge with its share.

The answer is a Schnorr signature [CGRS23] under the holder's verification share,
over a challenge that was never seen: nobody answers without the share, and no
answer says anything of it or can be used as a share of a group signature.
"""

import asyncio
import os
from dataclasses import dataclass

from quorate import wire
from quorate.errors import Abort, Error, Party, Refused, VerificationFailed
from quorate.node.desk import Desk
from quorate.node.quorum.custody import Custody
from quorate.node.quorum.messages import Alive, Challenge
from quorate.node.quorum.records import Records
from quorate.quorum.key import Key
from quorate.threshold import schnorr

CHALLENGE_BYTES = 32


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What was found out about one holder's share; `trouble` is empty where it is alive."""

    member: str
    trouble: str


@dataclass(slots=True)
class Heartbeats:
    """Challenges and answers of one node."""

    desk: Desk
    records: Records
    custody: Custody

    async def check(self, key: Key) -> tuple[Heartbeat, ...]:
        """Challenge every holder of `key`, this node among them."""
        found = await asyncio.gather(*(self._one(key, name) for name in key.plan.names))
        alive = sum(not one.trouble for one in found)
        of = f"{key.plan.name}: {alive} of {len(found)} shares are alive"
        self.desk.audit.append("shares checked", of)
        return tuple(found)

    async def on_alive(self, party: Party, body: bytes) -> bytes:
        """Answer a challenge with this member's share."""
        challenge = wire.decode(body, Challenge)
        answer = self._answer(challenge)
        asked = self.desk.group.names[party]
        self.desk.audit.append("share shown alive", f"{challenge.key.hex()[:16]} to {asked}")
        return wire.encode(answer)

    def _answer(self, challenge: Challenge) -> Alive:
        if len(challenge.nonce) != CHALLENGE_BYTES:
            raise Refused("a challenge is 32 fresh bytes")
        share = self.custody.share(challenge.key)
        return Alive(schnorr.sign(share.secret, _signed(challenge, share.identifier)))

    async def _one(self, key: Key, name: str) -> Heartbeat:
        challenge = Challenge(key.key_id(), os.urandom(CHALLENGE_BYTES))
        try:
            if name == self.desk.home.name:
                answer = self._answer(challenge)
            else:
                party, timeout_s = self.desk.group.party(name), self.desk.home.timeout_s
                if not self.desk.peers.peers[party].ready.is_set():
                    raise Abort(f"{name} is not connected", suspects=[party])
                answer = await self.desk.peers.ask(
                    party, "alive", challenge, Alive, timeout_s=timeout_s
                )
            verify_alive(key, name, challenge, answer)
        except Error as e:
            return Heartbeat(name, str(e))
        return Heartbeat(name, "")


def verify_alive(key: Key, name: str, challenge: Challenge, answer: Alive) -> None:
    """Raise `VerificationFailed` unless the holder of that name answered with its share."""
    identifier = key.plan.identifier(name)
    point = key.public.verification_share(identifier)
    try:
        schnorr.verify(point, _signed(challenge, identifier), answer.proof)
    except VerificationFailed:
        raise VerificationFailed(f"{name} answered with something else than its share") from None


def _signed(challenge: Challenge, identifier: int) -> bytes:
    return wire.signing_input("alive", (challenge, identifier))
