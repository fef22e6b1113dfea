"""What enclaves say to each other through their hosts, who see ciphertext, lengths and times.

    each pair      hello, signature, tag (`channel`) --> a key for each direction
    then           counter (8) | ChaCha20-Poly1305 of a whole message, its label authenticated

Any protocol of this project runs over it unchanged: its session is one whose channel seals. A
message opens once, at its own step, from its own sender, or not at all.

Who holds what: each enclave the keys of its pairs, which never leave it. Adversary: the network
and all hosts, who can end a run and see how long messages are. From [RFC8439] and `channel`.
Unreviewed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from quorate.enclave.binding import Admitted, Binding
from quorate.enclave.channel import End, Keys, finish, hello, sign
from quorate.errors import Abort, Party, Refused, VerificationFailed
from quorate.transport.session import PIECE, Buffer, Channel, Session, together

COUNTER = 8
SEAL = COUNTER + 16
"""Bytes by which a message grows."""

SEALED = "sealed"


@dataclass(frozen=True, slots=True)
class Own:
    """This enclave, as it shows itself to others."""

    binding: Binding
    evidence: bytes  # digest
    signing: Ed25519PrivateKey = field(repr=False)


@dataclass(frozen=True, slots=True)
class Peer:
    """Another enclave, whose evidence this one has admitted."""

    admitted: Admitted
    evidence: bytes  # digest


@dataclass(slots=True)
class SealedChannel:
    """A channel whose messages only the enclave at the other end can open."""

    inner: Channel
    names: tuple[str, ...]
    keys: Mapping[Party, Keys] = field(repr=False)
    _whole: dict[tuple[Party, str], bytearray] = field(default_factory=dict, repr=False)
    _sent: dict[Party, int] = field(default_factory=dict)

    async def send(self, to: Party, label: str, total: int, piece: Buffer) -> None:
        whole = self._whole.setdefault((to, label), bytearray())
        whole += piece
        if len(whole) < total:
            return
        count = self._sent[to] = self._sent.get(to, 0) + 1
        counter = count.to_bytes(COUNTER)
        plain = self._whole.pop((to, label))
        cipher = ChaCha20Poly1305(self.keys[to].send)
        sealed = memoryview(counter + cipher.encrypt(_nonce(counter), plain, label.encode()))
        for at in range(0, len(sealed), PIECE):
            await self.inner.send(to, label, len(sealed), sealed[at : at + PIECE])

    async def expect(self, sender: Party, label: str, at_most: int) -> Buffer:
        sealed = memoryview(await self.inner.expect(sender, label, at_most + SEAL))
        counter, box = bytes(sealed[:COUNTER]), sealed[COUNTER:]
        cipher = ChaCha20Poly1305(self.keys[sender].receive)
        try:
            return cipher.decrypt(_nonce(counter), box, label.encode())
        except (InvalidTag, ValueError):
            raise Abort(
                f"what came from {self.names[sender]} is not what its enclave sent",
                suspects=[sender],
            ) from None

    def last_heard(self, sender: Party) -> float:
        return self.inner.last_heard(sender)

    def close(self, error: BaseException | None) -> None:
        self.inner.close(error)


async def open_tunnel(
    session: Session, own: Own, peers: Mapping[Party, Peer], randomness: Callable[[int], bytes]
) -> Session:
    """Return a session of the same parties, all of whose messages are sealed between enclaves.

    Raises `Abort` where another is not the one that was admitted, or not bound to the same.

    Cost: 3 rounds, to each other 96 bytes and a `Hello`; then `SEAL` bytes on each message
    """
    steps = {party: session.at(_pair(session.me, party)) for party in session.others}
    agreed = await together(
        *(_agree(step, party, own, peers[party], randomness) for party, step in steps.items())
    )
    keys = dict(zip(steps, agreed, strict=True))
    return session.over(SealedChannel(session.channel, session.names, keys), SEALED)


async def _agree(
    session: Session, party: Party, own: Own, peer: Peer, randomness: Callable[[int], bytes]
) -> Keys:
    """Return the keys with one other enclave: the lower seat calls."""
    end: End = "caller" if session.me < party else "called"
    kept, sent = hello(end, own.binding, own.evidence, randomness)
    try:
        theirs = (await session.route(sent, to=[party], senders=[party], like=sent))[party]
        signature = sign(kept, theirs, own.signing)
        signed = await session.route(signature, to=[party], senders=[party], like=signature)
        keys = finish(kept, theirs, peer.evidence, peer.admitted, signed[party])
        tags = await session.route(keys.tag, to=[party], senders=[party], like=keys.tag)
        keys.confirm(tags[party])
    except (Refused, VerificationFailed) as e:
        raise Abort(
            f"there is no channel to the enclave of {session.names[party]}: {e}", suspects=[party]
        ) from None
    return keys


def _pair(one: Party, other: Party) -> str:
    return f"channel {min(one, other)} {max(one, other)}"


def _nonce(counter: bytes) -> bytes:
    """Return the nonce of a message; a key seals so many, and no two with one counter."""
    return counter.rjust(12, b"\0")
