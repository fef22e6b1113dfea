"""What runs inside an enclave: check all that the host hands in, compute, sign what was received.

    start   checks plan, approvals and words; fresh keys; a quote that binds all of it
    finish  opens each owner's rows, runs the plan (`studies.plain`), signs a receipt

The host chooses when, and what to hand in; it cannot make the program run another plan, or for
others, without the quote saying so. Whether it can look depends on the platform. Unreviewed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from quorate.algebra.ring import Words
from quorate.enclave.approvals import approvals_digest
from quorate.enclave.binding import Binding
from quorate.enclave.evidence import Evidence
from quorate.enclave.receipt import Intake, Receipt, SignedReceipt, sign_receipt, watermark
from quorate.enclave.rows import SignedParcel, open_rows
from quorate.errors import MalformedMessage, Refused, VerificationFailed
from quorate.mpc.agreement import Randomness
from quorate.studies.attested import (
    RUN,
    Begun,
    Brief,
    check_brief,
    owners_of,
    results_digest,
    subject_of,
)
from quorate.studies.plain import execute, results_of_words
from quorate.studies.plan import Plan
from quorate.studies.rows import Rows, check_coded, columns_sent, most_rows_sent

Quote = Callable[[bytes], Evidence]
"""Asks the platform for evidence over 64 bytes of report data."""

PIECE = 48 << 20
"""Bytes of rows that are sealed at once."""

TAG = 16


@dataclass(frozen=True, slots=True)
class Sent:
    """One owner's rows on their way in."""

    parcel: SignedParcel
    sealed: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    words: Words = field(repr=False)
    receipt: SignedReceipt


@dataclass(frozen=True, slots=True)
class Inside:
    """A started enclave: its keys never leave it."""

    brief: Brief
    begun: Begun
    sealing: X25519PrivateKey = field(repr=False)
    signing: Ed25519PrivateKey = field(repr=False)


class Machine(Protocol):
    """An enclave as its host holds it, for one run. Both block."""

    def begin(self, brief: Brief) -> Begun:
        """Start the program. Raises what it refuses with."""
        ...

    def finish(self, sent: Sequence[Sent]) -> Outcome:
        """Hand in everybody's rows, by seat, and stop the program."""
        ...


def start(brief: Brief, quote: Quote, randomness: Randomness) -> Inside:
    """Return the enclave, with its evidence. Raises `Refused`, `VerificationFailed`."""
    words = check_brief(brief)
    sealing = X25519PrivateKey.from_private_bytes(randomness(32))
    signing = Ed25519PrivateKey.from_private_bytes(randomness(32))
    binding = Binding(
        role="compute",
        subject=subject_of(brief.plan),
        approvals=approvals_digest(words),
        sealing_key=sealing.public_key().public_bytes_raw(),
        signing_key=signing.public_key().public_bytes_raw(),
        nonces=tuple(sorted((one.nonce for one in brief.offers), key=lambda nonce: nonce.name)),
        boot=randomness(32),
        epoch=0,
        run=RUN,
    )
    begun = Begun(binding, quote(binding.report_data()))
    return Inside(brief, begun, sealing, signing)


def finish(inside: Inside, sent: Sequence[Sent], randomness: Randomness) -> Outcome:
    """Compute on everybody's rows, by seat. Raises `VerificationFailed` naming whose are wrong."""
    plan, group, binding = inside.brief.plan, inside.brief.group, inside.begun.binding
    if len(sent) != len(group.members):
        raise Refused(f"rows of {len(sent)} members of {len(group.members)}")
    rows: list[tuple[Rows, int]] = []
    intake: list[Intake] = []
    for owner, one in zip(owners_of(group), sent, strict=True):
        opened = open_rows(binding, inside.sealing, owner, one.parcel, one.sealed)
        frame = b"".join(opened)
        try:
            rows.append(rows_in(plan, frame))
        except MalformedMessage as e:
            raise VerificationFailed(f"from {owner.name}: {e}") from None
        intake.append(Intake(owner.name, one.parcel.parcel.commitment, len(frame)))
    words = execute(plan, rows, randomness)
    result = results_digest(plan, results_of_words(plan, words))
    mark = watermark(inside.begun.evidence.kind)
    receipt = Receipt(binding, tuple(intake), result, mark)
    return Outcome(words, sign_receipt(inside.signing, receipt))


def rows_in(plan: Plan, frame: bytes) -> tuple[Rows, int]:
    """Return rows as `plain.rows_to_send` gave them, and how many. Raises `MalformedMessage`."""
    if len(frame) < 8 or len(frame) % 8:
        raise MalformedMessage("rows are not in whole words")
    flat = np.frombuffer(frame, "<i8")
    count, width = int(flat[0]), len(columns_sent(plan))
    if not 0 <= count <= most_rows_sent(plan) or flat.size != 1 + width * count:
        raise MalformedMessage("other rows than were counted, or more than the plan allows")
    rows = flat[1:].astype(np.int64, copy=False).reshape(width, count)
    check_coded(plan, rows)
    return rows, count


def pieces_of(frame: memoryview) -> tuple[bytes, ...]:
    """Return rows cut to be sealed."""
    return tuple(bytes(frame[at : at + PIECE]) for at in range(0, len(frame), PIECE))


def sealed_size(size: int) -> int:
    """Return how many bytes `size` bytes of rows are, once sealed."""
    return size + TAG * -(-size // PIECE)


def cut_sealed(sealed: bytes) -> tuple[bytes, ...]:
    """Return sealed rows piece by piece."""
    step = PIECE + TAG
    return tuple(sealed[at : at + step] for at in range(0, len(sealed), step))
