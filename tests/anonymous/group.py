"""Members with identity keys, who take part in runs in one process."""

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate.algebra.edwards25519 import Randomness
from quorate.anonymous import rounds
from quorate.anonymous.dcnet import take_part
from quorate.anonymous.decision import Delivered
from quorate.anonymous.messages import Identity, Run, Signed
from quorate.anonymous.rounds import Begun, Reserved, Voted
from quorate.errors import Error, Party, SessionReused
from quorate.transport.memory import Fault, perfect
from quorate.transport.session import Session
from tests.parties import names_of, run_parties

K = TypeVar("K")


@dataclass(slots=True)
class MemoryStore:
    """What a node would write to its disk."""

    claimed: set[bytes] = field(default_factory=set)
    decided: dict[bytes, str] = field(default_factory=dict)

    def claim(self, run: bytes) -> None:
        if run in self.claimed:
            raise SessionReused("this node takes part in this run already")
        self.claimed.add(run)

    def decide(self, run: bytes, decision: str) -> None:
        if run in self.decided:
            raise SessionReused("this run is decided already")
        self.decided[run] = decision


@dataclass(frozen=True, slots=True)
class Members:
    """n members, their keys and their stores."""

    keys: tuple[Ed25519PrivateKey, ...]
    stores: tuple[MemoryStore, ...]

    @property
    def n(self) -> int:
        return len(self.keys)

    def run(self, number: int = 1, cell_bytes: int = 64) -> Run:
        names = names_of(self.n)
        identities = tuple(
            Identity(name, key.public_key().public_bytes_raw())
            for name, key in zip(names, self.keys, strict=True)
        )
        return Run(bytes(32), number, bytes(32), cell_bytes, identities)


def members(n: int) -> Members:
    keys = tuple(Ed25519PrivateKey.generate() for _ in range(n))
    return Members(keys, tuple(MemoryStore() for _ in range(n)))


def hold(
    group: Members, run: Run, texts: Sequence[bytes], fault: Fault = perfect
) -> dict[Party, Delivered | Error]:
    """Let all take part over the memory network; return what each ends with."""
    return run_parties(lambda session: member(session, group, run, texts), group.n, fault)


async def member(session: Session, group: Members, run: Run, texts: Sequence[bytes]) -> Delivered:
    me = session.me
    return await take_part(
        session,
        run,
        texts[me],
        identity=group.keys[me],
        store=group.stores[me],
        randomness=secrets.token_bytes,
    )


def drawn_freely(_: Begun) -> Randomness:
    """Where the randomness of a cell comes from: the operating system."""
    return secrets.token_bytes


def up_to_votes(
    group: Members,
    run: Run,
    texts: Sequence[bytes],
    cells_from: Callable[[Begun], Randomness] = drawn_freely,
    altered: Callable[[Reserved, Signed], Signed] = lambda _, said: said,
) -> tuple[list[Voted], tuple[Signed, ...]]:
    """Take all members through the rounds without a network: what each keeps, and the votes.

    `altered` may change the vectors: how a test takes a defence away.
    """

    def told(steps: Iterable[tuple[K, Signed]]) -> tuple[list[K], tuple[Signed, ...]]:
        kept, said = zip(*steps, strict=True)
        return list(kept), said

    keys = group.keys
    begun, said = told(
        rounds.begin(run, p, keys[p], group.stores[p], secrets.token_bytes) for p in range(group.n)
    )
    sent, said = told(rounds.encapsulate(k, said, keys[k.seat.me]) for k in begun)
    kept, said = told(rounds.reserve(k, said, keys[k.begun.seat.me]) for k in sent)
    spoken, said = told(
        rounds.speak(k, said, texts[p], keys[p], cells_from(k.begun)) for p, k in enumerate(kept)
    )
    said = tuple(map(altered, kept, said))
    return told(rounds.vote(k, said, keys[k.begun.seat.me]) for k in spoken)
