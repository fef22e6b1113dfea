"""Who provably cheated in a session whose messages were signed, judged from statements alone.

The judge knows the keys of the roster and nothing else; what is missing accuses nobody.

* Two different statements of one sender about one step: who follows a protocol says one thing
  at one step, to whomever.
* A part that is revealed and is not the one that its sender promised (`promises`), or a
  promise that is none.
* Two promises of one part that differ: one of its two holders lies. That clears
  the third, and convicts neither.

No key, no share and no input is opened for it: what would show more, would show secrets
(docs/spec/malicious.md). An honest party cannot be made a culprit by anybody's statements:
it signs one thing at one step of one session, and sends what it promised.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from quorate import wire
from quorate.errors import Abort, Disrupted, Party, VerificationFailed
from quorate.mpc.agreement import Randomness
from quorate.mpc.promises import DIGEST_BYTES, PARTS, PROMISES, disputes
from quorate.mpc.replicated import SEATS
from quorate.transport.session import Session
from quorate.transport.signed import Heard, SignedChannel, Signing, verify_heard

Run = tuple[bytes, bytes]
"""What a session was for, and its identifier."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Who cheated, by seat; and the pairs of which one did, it is not known which."""

    culprits: frozenset[Party]
    between: frozenset[frozenset[Party]]


def judge(evidence: Iterable[Heard], roster: tuple[bytes, ...]) -> Verdict:
    """Return whom statements convict, be they of one member or of several.

    Raises `VerificationFailed` for a forged statement, and where nothing is proven.
    """
    known = dict.fromkeys(evidence)
    for heard in known:
        verify_heard(heard, roster)
    verdict = verdict_of(known)
    if not verdict.culprits and not verdict.between:
        raise VerificationFailed("these statements prove nothing against anybody")
    return verdict


def signed_channel(
    session: Session,
    context: bytes,
    session_id: bytes,
    signing: Signing,
    randomness: Randomness,
) -> SignedChannel:
    """Return a channel for what is said in `session` from now on, which keeps what convicts.

    `session_id` has been claimed: nothing is ever signed for it again.
    """
    names, me = session.names, session.me
    return SignedChannel(
        session.channel, names, me, context, session_id, signing, randomness, shows
    )


def disrupted(error: Abort, channel: SignedChannel) -> Disrupted:
    """Return `error` with what this party heard, and with whom that convicts."""
    records = tuple(wire.encode(heard) for heard in channel.heard)
    culprits = verdict_of(channel.heard).culprits
    suspects = error.suspects - culprits
    return Disrupted(
        str(error), culprits=culprits, suspects=suspects, evidence=records, hint=error.hint
    )


def verdict_of(known: Iterable[Heard]) -> Verdict:
    """Return whom statements convict that the caller has verified, if anybody."""
    said: dict[tuple[Run, str, Party], Heard] = {}
    culprits = set[Party]()
    for heard in known:
        told = heard.statement
        place = (told.context, told.session), told.label, told.sender
        first = said.setdefault(place, heard)
        if first.statement != told:
            culprits.add(told.sender)
        elif heard.body or not first.inner:
            said[place] = heard  # what is opened furthest
    culprits.update(_wrong_parts(said))
    pairs = (pair for pair in _disputed(said) if not pair & culprits)
    return Verdict(frozenset(culprits), frozenset(pairs))


def shows(label: str) -> tuple[bool, bool]:
    """Return whether a step's statements may be opened to a digest, and to the message."""
    name = _name(label)
    return name in (PARTS, PROMISES), name == PROMISES


def _wrong_parts(said: dict[tuple[Run, str, Party], Heard]) -> Iterator[Party]:
    """Yield who promised what is no promise, or sent another part than it promised."""
    for (run, label, sender), heard in said.items():
        if _name(label) != PROMISES or not heard.body or sender >= SEATS:
            continue
        part = said.get((run, label.replace(f"/{PROMISES}/", f"/{PARTS}/"), sender))
        if len(heard.body) != 2 * DIGEST_BYTES or (
            part is not None and part.inner and part.inner != heard.body[:DIGEST_BYTES]
        ):
            yield sender


def _disputed(said: dict[tuple[Run, str, Party], Heard]) -> Iterator[frozenset[Party]]:
    """Yield the holders of a part who promised it differently."""
    promises: dict[tuple[Run, str], dict[Party, bytes]] = {}
    for (run, label, sender), heard in said.items():
        if _name(label) == PROMISES and sender < SEATS and len(heard.body) == 2 * DIGEST_BYTES:
            promises.setdefault((run, label), {})[sender] = heard.body
    for bodies in promises.values():
        yield from disputes(bodies)


def _name(label: str) -> str:
    """Return the last name in a step's path: its labels end with a number."""
    return label.rpartition("/")[0].rpartition("/")[2]
