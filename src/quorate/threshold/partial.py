"""One holder's part of x E, where the holders share x: proven right, and added up [SG02].

Holder i returns U_i = x_i E and a proof that U_i is to E as its verification
share is to the base point [CP92]. The proof is about one request and about one
sealed thing: under another request it is no proof. `min_signers` right ones
give x E; a wrong one is found before it is used, and whose it is.
**Unreviewed.**
"""

from collections.abc import Iterable
from dataclasses import dataclass

from quorate import wire
from quorate.algebra.edwards25519 import Point, Randomness, decode_point, mul, multi_mul
from quorate.errors import Abort, MalformedMessage, OutOfRange, Refused, VerificationFailed
from quorate.threshold import dleq
from quorate.threshold.keys import KeyShare, PublicKey, Purpose, seat


@dataclass(frozen=True, slots=True)
class Asked:
    """What a quorum was asked to open: both are digests."""

    request: bytes
    sealed: bytes


@dataclass(frozen=True, slots=True)
class Partial:
    """96 bytes of one holder, and which one."""

    identifier: int
    point: bytes  # U_i
    proof: dleq.Proof


@dataclass(frozen=True, slots=True)
class Combined:
    """x E, and the identifiers of holders whose parts were wrong and left out."""

    point: Point
    wrong: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Context:
    asked: Asked
    key: bytes
    identifier: int


def make_partial(share: KeyShare, base: Point, asked: Asked, randomness: Randomness) -> Partial:
    """Return this holder's part of x `base`, with its proof. The caller has approved `asked`."""
    point = mul(share.secret, base)
    statement = _statement(share.public, base, asked, share.identifier, point)
    return Partial(share.identifier, point, dleq.prove(statement, share.secret, randomness))


def verify_partial(public: PublicKey, base: Point, asked: Asked, partial: Partial) -> Point:
    """Return U_i. Raises `VerificationFailed` unless it is that holder's, for exactly `asked`."""
    try:
        point = decode_point(partial.point)
        statement = _statement(public, base, asked, partial.identifier, point)
    except (MalformedMessage, OutOfRange) as e:
        raise VerificationFailed(f"a partial decryption is not usable: {e}") from None
    dleq.verify(statement, partial.proof)
    return point


def combine(public: PublicKey, base: Point, asked: Asked, partials: Iterable[Partial]) -> Combined:
    """Return x `base` from the first right parts that suffice: the sum of lambda_i U_i.

    Raises `Abort` where too few are right; whose parts are wrong are suspects,
    for a part alone does not prove who sent it.
    """
    right: dict[int, Point] = {}
    wrong: set[int] = set()
    for partial in partials:
        try:
            right[partial.identifier] = verify_partial(public, base, asked, partial)
        except VerificationFailed:
            wrong.add(partial.identifier)
        if public.access.suffice(right):
            break
    else:
        raise Abort(
            f"{len(right)} partial decryptions are right, and {public.access.wanted} are needed",
            suspects=map(seat, wrong),
            hint="ask other holders of the key to approve",
        )
    identifiers = sorted(right)
    weights = [public.access.weight(identifier, identifiers) for identifier in identifiers]
    point = multi_mul(weights, [right[identifier] for identifier in identifiers])
    return Combined(point, tuple(sorted(wrong - right.keys())))


def check_purpose(public: PublicKey, purpose: Purpose) -> None:
    """Raise `Refused` unless the key was generated for `purpose`."""
    if public.purpose != purpose:
        raise Refused(
            f"this key was generated to {public.purpose}, not to {purpose}",
            hint="each purpose has a key of its own: quorate key create",
        )


def _statement(
    public: PublicKey, base: Point, asked: Asked, identifier: int, point: Point
) -> dleq.Statement:
    context = wire.digest("partial-decryption", _Context(asked, public.key_id(), identifier))
    return dleq.Statement(context, public.verification_share(identifier), base, point)
