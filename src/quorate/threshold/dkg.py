"""COCKTAIL-DKG [COCKTAIL26] after [CGRS23]: a key that nobody ever holds.

Every holder deals a random polynomial to all, itself included; the key is the
sum of all constants, a share the sum of all shares received. Round 1: dealings,
to all. Round 2: each checks what it got and signs the transcript. Round 3: each
checks all signatures; only then is there a key, and all honest holders that
have one have the same. The three rounds may lie days apart: what `round1` and
`round2` return is all there is to keep, beside the static key.

Adversary: active, up to `min_signers` - 1 holders together with whoever carries
the messages, chosen before the run. They learn nothing of the key and cannot
choose it, but any of them can end the run. A false dealing is proof against its
sender, who signed it (`quorate.threshold.evidence`); silence makes a suspect;
two stories told to two holders are noticed in round 3. Then a person decides
whether to start again without the culprit: nothing is repaired. Unreviewed.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate.algebra import edwards25519 as ed
from quorate.algebra.edwards25519 import Randomness, Scalar
from quorate.errors import Abort, OutOfRange, VerificationFailed
from quorate.threshold import delivery, schnorr, sharing
from quorate.threshold.delivery import Delivered
from quorate.threshold.evidence import open_dealing
from quorate.threshold.keys import KeyShare, PublicKey, seat
from quorate.threshold.record import Record, common_commitment
from quorate.threshold.setup import (
    Dealing,
    Promise,
    Setup,
    SignedDealing,
    possession_input,
    sign_dealing,
    transcript,
    verify_dealing,
    verify_sender,
)

if TYPE_CHECKING:
    from quorate.transport.session import Session

T = TypeVar("T")

NOBODY: Mapping[int, str] = {}


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a holder sends in round 2: SHA-512 of its transcript, and its signature of all of it."""

    transcript: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Pending:
    """What a holder keeps between rounds 2 and 3. Not a key yet: others may have seen another."""

    identifier: int
    secret: Scalar = field(repr=False)
    public: PublicKey
    record: Record
    payloads: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Generated:
    """What a holder has in the end. `record` and its static key give the share again."""

    share: KeyShare
    record: Record
    payloads: tuple[bytes, ...] = field(repr=False)  # by the seat of who sent it


def round1(
    setup: Setup,
    static: Scalar,
    identity: Ed25519PrivateKey,
    randomness: Randomness,
    payloads: Sequence[bytes] = (),
) -> SignedDealing:
    """Return what to send to all holders, and to keep for `round2`.

    `payloads`, one for each seat, travel beside the shares. Raises `OutOfRange`
    if they are too long or too few, or `static` is no holder's.
    """
    return deal(setup, ed.random_scalar(randomness), static, identity, randomness, payloads)


def deal(
    setup: Setup,
    constant: Scalar,
    static: Scalar,
    identity: Ed25519PrivateKey,
    randomness: Randomness,
    payloads: Sequence[bytes] = (),
) -> SignedDealing:
    """Return a dealing of `constant`: random for a new key, due where one is handed over."""
    me = setup.dealer_of(static)
    payloads = payloads or [b""] * setup.max_signers
    longest = delivery.MAX_CIPHERTEXT - delivery.OVERHEAD
    if len(payloads) != setup.max_signers or max(map(len, payloads)) > longest:
        raise OutOfRange(f"one payload of at most {longest} bytes goes to each holder")
    polynomial = sharing.polynomial(constant, setup.access.columns, randomness)
    ephemeral = ed.random_scalar(randomness)
    promise = Promise(sharing.commit(polynomial), b"", ed.base_mul(ephemeral))
    proof = schnorr.sign(polynomial[0], possession_input(setup.context(), promise))
    ciphertexts: list[bytes] = []
    for recipient in range(1, setup.max_signers + 1):
        route = setup.route(me, recipient, promise.ephemeral)
        secrets = delivery.sender_secrets(route, ephemeral, static)
        share = setup.access.share(polynomial, recipient)
        ciphertexts.append(delivery.seal(route, secrets, share, payloads[seat(recipient)]))
    dealing = Dealing(replace(promise, proof=proof), tuple(ciphertexts))
    return sign_dealing(setup, me, dealing, identity)


def round2(
    setup: Setup,
    static: Scalar,
    mine: SignedDealing | None,
    dealings: Sequence[SignedDealing | None],
    extension: bytes = b"",
) -> tuple[Pending, Confirmation]:
    """Check all dealings, by seat; return what to keep, and what to send to all holders.

    Where the sum of all shares is right, each is; otherwise each is looked at.
    `extension` is signed with the transcript. Raises `Abort`: who sent nothing,
    or what it did not sign, is a suspect; who signed a false dealing a culprit.
    """
    me = setup.identifier_of(static)
    present = [one for one in _given(dealings, len(setup.dealers), "dealing") if one is not None]
    if mine is not None and present[seat(setup.dealer_of(static))] != mine:
        raise Abort("this holder's own dealing came back altered")
    _check_dealings(setup, present)
    promises = tuple(signed.dealing.promise for signed in present)
    delivered = _open_all(setup, me, static, present)
    secret = ed.scalar_sum(one.share for one in delivered)
    commitment = common_commitment(promises)
    if ed.base_mul(secret) != setup.access.point(commitment, me):
        raise _wrong_shares(setup, me, promises, delivered)
    public = setup.public_key(commitment)
    told = transcript(setup, promises, extension)
    confirmation = Confirmation(hashlib.sha512(told).digest(), schnorr.sign(static, told))
    own = tuple(signed.dealing.ciphertexts[seat(me)] for signed in present)
    record = Record(setup, extension, promises, own, ())
    payloads = tuple(one.payload for one in delivered)
    return Pending(me, secret, public, record, payloads), confirmation


def round3(pending: Pending, confirmations: Sequence[Confirmation | None]) -> Generated:
    """Check that all holders, by seat, confirm the same transcript; return the key.

    Raises `Abort`. It names nobody where transcripts differ: whoever told two
    stories is found by comparing the signed dealings.
    """
    record = pending.record
    given = _given(confirmations, record.setup.max_signers, "confirmation", record.setup.away)
    said = {i: one for i, one in enumerate(given, 1) if one is not None}
    told = transcript(record.setup, record.promises, record.extension)
    digest = hashlib.sha512(told).digest()
    differing = [i for i, one in said.items() if one.transcript != digest]
    if differing:
        raise Abort(
            f"{_listed(differing)} saw other dealings than this holder",
            hint="compare the signed dealings: two different ones of one sender are proof",
        )
    record = replace(record, signatures=tuple(one.signature if one else b"" for one in given))
    wrong = record.unsigned()
    if wrong:
        raise Abort(
            f"the confirmation of {_listed(wrong)} does not verify", suspects=map(seat, wrong)
        )
    share = KeyShare(pending.identifier, pending.secret, pending.public)
    return Generated(share, record, pending.payloads)


async def run(
    session: "Session",
    setup: Setup,
    static: Scalar,
    identity: Ed25519PrivateKey,
    randomness: Randomness,
) -> Generated:
    """Run all three rounds; seat i of the session is seat i of the setup.

    Cost: 2 rounds, (34 min_signers + 50 n + 390) * (n - 1) bytes a party for 2 to 23 holders
    """
    mine = round1(setup, static, identity, randomness)
    dealings = await session.exchange(mine)
    pending, confirmation = round2(setup, static, mine, dealings)
    return round3(pending, await session.exchange(confirmation))


def _given(
    messages: Sequence[T | None], due: int, what: str, away: Sequence[int] = ()
) -> list[T | None]:
    """Return one message for each seat. Raises `Abort` where one lacks that is not away."""
    given = [*messages[:due], *[None] * (due - len(messages))]
    absent = [i for i, one in enumerate(given, 1) if one is None and i not in away]
    if absent or len(messages) > due:
        raise Abort(f"no {what} of {_listed(absent)}", suspects=map(seat, absent))
    return given


def _check_dealings(setup: Setup, dealings: Sequence[SignedDealing]) -> None:
    unsigned: dict[int, str] = {}
    false: dict[int, str] = {}
    for sender, signed in enumerate(dealings, 1):
        try:
            verify_sender(setup, sender, signed)
        except VerificationFailed as e:
            unsigned[sender] = str(e)
            continue
        try:
            verify_dealing(setup, sender, signed.dealing)
        except VerificationFailed as e:
            false[sender] = str(e)
    if false or unsigned:
        raise _false(false, unsigned)


def _open_all(
    setup: Setup, me: int, static: Scalar, dealings: Sequence[SignedDealing]
) -> list[Delivered]:
    delivered: list[Delivered] = []
    false: dict[int, str] = {}
    for sender, signed in enumerate(dealings, 1):
        try:
            delivered.append(open_dealing(setup, me, static, sender, signed.dealing))
        except VerificationFailed as e:
            false[sender] = str(e)
    if false:
        raise _false(false)
    return delivered


def _wrong_shares(
    setup: Setup, me: int, promises: Sequence[Promise], delivered: Sequence[Delivered]
) -> Abort:
    false: dict[int, str] = {}
    for sender, (promise, one) in enumerate(zip(promises, delivered, strict=True), 1):
        try:
            setup.access.verify_share(one.share, me, promise.commitment)
        except VerificationFailed as e:
            false[sender] = str(e)
    return _false(false)


def _false(false: Mapping[int, str], unsigned: Mapping[int, str] = NOBODY) -> Abort:
    reasons = "; ".join(f"{sender}: {why}" for sender, why in {**unsigned, **false}.items())
    return Abort(
        f"dealings that cannot be used: {reasons}",
        culprits=map(seat, false),
        suspects=map(seat, unsigned),
        hint="start again without them, if their owners so decide",
    )


def _listed(identifiers: Sequence[int]) -> str:
    return ", ".join(map(str, identifiers))
