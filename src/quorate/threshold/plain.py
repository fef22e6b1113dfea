"""Plain mode: the group's key as an ordinary X25519 recipient of age, opened by a quorum.

Anybody seals with any age program, without a plugin and without a node. A
holder's part is x_i E for the sender's ephemeral E; together they give bit for
bit what X25519 would [RFC7748]. Points outside the prime-order subgroup are
refused, so no holder's share leaks; honest senders make none.

The stanza proves nothing. Who blinds another's stanza (r E) and has it opened as
its own learns the other's secret, unless the one who adds the parts up keeps
what does not open. So the parts go to an *opener*, one of the approving holders,
which passes on the file key alone, and only where the stanza's body opens and
the MAC of the whole header is right; and every holder's register knows each
stanza under one record only. `RISK` says what remains. **Unreviewed.**
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from quorate.algebra import edwards25519 as ed
from quorate.algebra.edwards25519 import Point, Scalar
from quorate.algebra.montgomery import point_of, u_of
from quorate.errors import NotFound, OutOfRange, Refused, VerificationFailed
from quorate.threshold.age import x25519
from quorate.threshold.age.header import Header, Stanza
from quorate.threshold.keys import KeyShare, PublicKey
from quorate.threshold.partial import Asked, Partial, check_purpose, combine
from quorate.threshold.sharing import recover

RISK = (
    "a plain key is an ordinary age recipient: the sealed file says neither what it is nor "
    "proves who made it. whoever asks for it first names its record, and the opener and the "
    "requester together can have other files opened under a record of their own. where the "
    "program can, seal to the group's age1quorate1 recipient instead"
)
"""What no check of ours removes, for the eyes of whoever is given a plain key."""


MAX_RECIPIENTS = 8


@dataclass(frozen=True, slots=True)
class Opened:
    """A file key, and the identifiers of holders whose parts were wrong."""

    file_key: bytes = field(repr=False)
    wrong: tuple[int, ...]


class Register(Protocol):
    """Which record each stanza was first asked for under, kept by a holder's node."""

    def claim(self, share: bytes, record: str) -> str:
        """Keep `record` for an ephemeral share unless one is kept; return the one kept."""
        ...


def recipient(public: PublicKey) -> str:
    """Return the line `age1...` to which any age program seals."""
    check_purpose(public, "plain")
    return x25519.recipient_text(u_of(public.group))


def stanzas(header: Header) -> tuple[Stanza, ...]:
    """Return the X25519 stanzas of a header: any of them may be for this key.

    Raises `NotFound` where there is none, `MalformedMessage` where one is no
    stanza of an honest sender, and `Refused` for more than a file needs.
    """
    found = tuple(stanza for stanza in header.stanzas if stanza.kind == x25519.KIND)
    if not found:
        raise NotFound("this file is not sealed to an ordinary age recipient")
    if len(found) > MAX_RECIPIENTS:
        raise Refused(f"sealed to {len(found)} recipients; a quorum tries {MAX_RECIPIENTS}")
    for stanza in found:
        base_of(stanza)
    return found


def base_of(stanza: Stanza) -> Point:
    """Return E, the point that holders multiply. Raises `MalformedMessage`."""
    return point_of(x25519.ephemeral_share(stanza))


def check_register(register: Register, header: Header, record: str) -> None:
    """Raise `Refused` where one of the stanzas was asked for before as another record."""
    for stanza in stanzas(header):
        known = register.claim(x25519.ephemeral_share(stanza), record)
        if known != record:
            raise Refused(
                "this sealed file was asked for before, as another record",
                hint=f"ask for it as the record it is: {known}",
            )


def open_header(
    public: PublicKey, header: Header, asked: Asked, parts: Iterable[tuple[Partial, ...]]
) -> Opened:
    """Return the file key, at the opener; each holder's parts are one for each stanza.

    Raises `VerificationFailed` where no stanza is for this key, or it was
    blinded, or the header altered: the shared secrets then stay here.
    """
    own, given, wrong = u_of(public.group), tuple(parts), set[int]()
    for place, stanza in enumerate(stanzas(header)):
        combined = combine(public, base_of(stanza), asked, [part[place] for part in given])
        wrong.update(combined.wrong)
        try:
            key = x25519.unwrap(stanza, own, u_of(combined.point))
        except VerificationFailed:
            continue  # an X25519 stanza does not say to whom it is
        header.verify(key)
        return Opened(key, tuple(sorted(wrong)))
    raise VerificationFailed("no stanza of this file opens with this key")


def emergency_identity(public: PublicKey, shares: Iterable[KeyShare]) -> str:
    """Return the whole key as the line `AGE-SECRET-KEY-1...` of an ordinary identity file.

    This ends the sharing: whoever reads the line opens everything, alone. The
    line is k = 8 m, with m = x/8 or -x/8 modulo the order, whichever is the
    larger: a number that X25519 uses as it stands, of the same public key.
    """
    check_purpose(public, "plain")
    held = {share.identifier: share for share in shares}
    for share in held.values():
        share.verify()
    if len(held) < public.min_signers:
        raise Refused(f"{len(held)} of the shares are here, and {public.min_signers} are needed")
    if any(share.public != public for share in held.values()):
        raise VerificationFailed("a share of another key")
    x = recover([(share.identifier, share.secret) for share in held.values()])
    eighth = ed.scalar_mul(x, ed.scalar_invert(ed.scalar(8)))
    m = max(_number(eighth), _number(ed.scalar_negate(eighth)))
    if not 1 << 251 <= m < 1 << 252:
        raise OutOfRange("this key has no form that age reads")  # one key in 2^125
    return x25519.identity_text((8 * m).to_bytes(32, "little"))


def _number(secret: Scalar) -> int:
    return int.from_bytes(secret, "little")
