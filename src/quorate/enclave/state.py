"""What an enclave writes down, sealed, and how members notice that an old copy came back.

Hardware without a counter forgets: the host may hand back yesterday's state, or
start two enclaves from one. The members are the counter. Each remembers the
newest head it countersigned and countersigns no other of the same number; an
enclave goes on from a state only if a quorum, asked with a fresh nonce, names
exactly it as the newest. Quorums must overlap in somebody honest: with n members
and f that lie, more than (n + f) / 2.

Adversary: the host, and fewer members than would break the overlap. Unreviewed.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from quorate import wire
from quorate.algebra.signatures import verify_by
from quorate.enclave.approvals import Owner
from quorate.errors import Refused, VerificationFailed

_DOMAIN = "enclave-head"


@dataclass(frozen=True, slots=True)
class Place:
    """Where in an enclave's history a state is."""

    plan: bytes
    program: bytes
    epoch: int
    previous: bytes  # digest of the sealed state before; of none: empty


@dataclass(frozen=True, slots=True)
class SealedState:
    """A state that only this program opens, on this platform."""

    place: Place
    nonce: bytes
    box: bytes

    def head(self) -> "Head":
        return Head(
            self.place.plan,
            self.place.program,
            self.place.epoch,
            wire.digest("enclave-state", self),
        )


@dataclass(frozen=True, slots=True)
class Head:
    """A state by its number and digest: all that members keep of it."""

    plan: bytes
    program: bytes
    epoch: int
    state: bytes


@dataclass(frozen=True, slots=True)
class Witness:
    """A member's word on what the newest state is, if there is one, for one question."""

    name: str
    head: Head | None
    nonce: bytes


@dataclass(frozen=True, slots=True)
class SignedWitness:
    witness: Witness
    signature: bytes


def seal_state(
    key: bytes, place: Place, content: bytes, randomness: Callable[[int], bytes]
) -> SealedState:
    """Return `content` under the platform's sealing key (32 bytes), bound to its place."""
    nonce = randomness(12)
    return SealedState(place, nonce, ChaCha20Poly1305(key).encrypt(nonce, content, _about(place)))


def open_state(
    key: bytes,
    sealed: SealedState,
    owners: tuple[Owner, ...],
    quorum: int,
    witnesses: Iterable[SignedWitness],
    nonce: bytes,
) -> bytes:
    """Return the content, if a quorum of `owners` says, for this `nonce`, that it is the newest.

    Raises `Refused` where fewer do, `VerificationFailed` where it does not open.
    """
    if (found := _agreeing(owners, quorum, witnesses, nonce, sealed.head())) < quorum:
        raise Refused(
            f"{found} members of {quorum} say that this state is the newest",
            hint="an old copy came back, or members have not answered",
        )
    try:
        return ChaCha20Poly1305(key).decrypt(sealed.nonce, sealed.box, _about(sealed.place))
    except InvalidTag:
        raise VerificationFailed("the state does not open: altered, or another program's") from None


def require_first(
    owners: tuple[Owner, ...], quorum: int, witnesses: Iterable[SignedWitness], nonce: bytes
) -> None:
    """Refuse to start without a state, unless a quorum says for this `nonce` that there is none.

    A host that drops the state altogether would otherwise start the count anew. Raises `Refused`.
    """
    if (found := _agreeing(owners, quorum, witnesses, nonce, None)) < quorum:
        raise Refused(
            f"{found} members of {quorum} say that there is no state yet",
            hint="the newest state is missing, or members have not answered",
        )


def follow(last: Head | None, sealed: SealedState) -> Head:
    """Return the head that a member remembers next, and may countersign.

    Raises `Refused` for an older state, another one of the same number, or one that
    does not follow from the last.
    """
    head, previous = sealed.head(), sealed.place.previous
    if last is None:
        if head.epoch != 0 or previous:
            raise Refused("the enclave's first state is not numbered 0")
        return head
    if head == last:
        return head
    if (head.plan, head.program) != (last.plan, last.program):
        raise Refused("the state is of another plan or program")
    if head.epoch != last.epoch + 1 or previous != last.state:
        raise Refused(f"the state is not the one after number {last.epoch}: rolled back, or forked")
    return head


def witness(key: Ed25519PrivateKey, name: str, head: Head | None, nonce: bytes) -> SignedWitness:
    """Return a member's word that `head` is the newest it knows, or that it knows of none."""
    said = Witness(name, head, nonce)
    return SignedWitness(said, key.sign(wire.signing_input(_DOMAIN, said)))


def _agreeing(
    owners: tuple[Owner, ...],
    quorum: int,
    witnesses: Iterable[SignedWitness],
    nonce: bytes,
    head: Head | None,
) -> int:
    """Return how many owners name exactly this head. Raises `Refused` for too small a quorum."""
    if not len(owners) < 2 * quorum <= 2 * len(owners):
        raise Refused(f"a quorum of {quorum} of {len(owners)} could name two states at once")
    return len({each.name for each in _heard(owners, witnesses, nonce) if each.head == head})


def _heard(
    owners: tuple[Owner, ...], witnesses: Iterable[SignedWitness], nonce: bytes
) -> list[Witness]:
    keys = {owner.name: owner.public_key for owner in owners}
    heard: list[Witness] = []
    for signed in witnesses:
        said = signed.witness
        if said.name not in keys or said.nonce != nonce:
            continue
        otherwise = f"a word in the name of {said.name} is not signed by it"
        message = wire.signing_input(_DOMAIN, said)
        verify_by(keys[said.name], signed.signature, message, otherwise)
        heard.append(said)
    return heard


def _about(place: Place) -> bytes:
    return wire.signing_input("enclave-place", place)
