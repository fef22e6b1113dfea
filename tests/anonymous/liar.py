"""A member that breaks the rules in one round, after it has heard all others in it.

What it says instead is signed as it should be: unsigned bytes are the network's faults.
"""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate import wire
from quorate.anonymous import dcnet, decision, rounds
from quorate.anonymous.messages import KINDS, ROUNDS, Message, Round, Run, Signed, sign
from quorate.errors import Party
from quorate.transport.session import Session
from tests.anonymous.group import Members

Heard = dict[Party, Signed]


@dataclass(slots=True)
class Liar:
    """What the liar has: its key, what it keeps, and what it heard, by round."""

    run: Run
    me: Party
    identity: Ed25519PrivateKey
    kept: dict[Round, object] = field(default_factory=dict)
    heard: dict[Round, Heard] = field(default_factory=dict)

    def signs(self, round_: Round, message: Message) -> Signed:
        return sign(self.identity, self.run.digest(), round_, self.me, message)

    def alters(self, round_: Round, said: Signed, **changes: object) -> Signed:
        """Its own message with other fields, signed anew."""
        message: Any = wire.decode(said.body, KINDS[round_])
        return self.signs(round_, replace(message, **changes))


Said = Signed | Mapping[Party, Signed] | None
"""The same to all, something else to each, or silence; what it says to 0 it says to itself."""

Lie = Callable[[Liar, Signed], Said]


async def lie_in(session: Session, group: Members, run: Run, lies: Mapping[Round, Lie]) -> None:
    """Take part as the rules say, but for the rounds of `lies`."""
    liar = Liar(run, session.me, group.keys[session.me])
    identity, store = liar.identity, group.stores[session.me]

    async def tell(round_: Round, kept: object, said: Signed) -> tuple[Signed, ...]:
        label = session.label()
        heard = await asyncio.gather(
            *(session.channel.expect(p, label, wire.MAX_RECORD) for p in session.others)
        )
        by_seat = zip(session.others, heard, strict=True)
        liar.heard[round_] = {p: wire.decode(data, Signed) for p, data in by_seat}
        liar.kept[round_] = kept
        told = lies[round_](liar, said) if round_ in lies else said
        for party in session.others:
            one = told if isinstance(told, Signed) else (told or {}).get(party)
            if one is not None:
                data = wire.encode(one)
                await session.channel.send(party, label, len(data), data)
        own = told if isinstance(told, Signed) else (told or {}).get(0, said)
        everyones = {**liar.heard[round_], session.me: own}
        return tuple(everyones[p] for p in range(session.n))

    begun, said = rounds.begin(run, session.me, identity, store, secrets.token_bytes)
    encapsulated, said = rounds.encapsulate(begun, await tell("keys", begun, said), identity)
    heard = await tell("ciphertexts", encapsulated, said)
    reserved, said = rounds.reserve(encapsulated, heard, identity)
    heard = await tell("sums", reserved, said)
    spoken, said = rounds.speak(reserved, heard, b"", identity, secrets.token_bytes)
    voted, said = rounds.vote(spoken, await tell("vector", spoken, said), identity)
    decided = decision.decide(voted, await tell("vote", voted, said), store)
    closing = decision.close(decided, identity)
    closings = await tell("closing", decided, closing)
    if "ballots" not in lies:
        await dcnet._seventh(session, decided, closings, identity)


def silent(_: Liar, __: Signed) -> None:
    """Say nothing to anybody."""


ALL_ROUNDS = ROUNDS[:6]
