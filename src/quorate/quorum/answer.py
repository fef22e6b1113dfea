"""A holder's answer to a request or to a planned key: yes or no, and why.

Signed with the holder's own identity key [RFC8032] over the digest of what is
answered, the reason and the expiry. A group signature does not say who made it;
these countersignatures do. They travel and are stored with their signatures and
are verified anew wherever they count.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate import wire
from quorate.errors import Error, VerificationFailed
from quorate.quorum.request import MAX_REASON, is_over
from quorate.studies.schema import check_text
from quorate.studies.times import check_time
from quorate.threshold.identity import verify_by

Word = Literal["approve", "decline"]


@dataclass(frozen=True, slots=True)
class Holder:
    """A member that holds a share of a key."""

    name: str
    operator: str
    public_key: bytes  # its identity key


@dataclass(frozen=True, slots=True)
class Answer:
    subject: bytes  # digest of the request, or of the planned key
    member: str
    word: Word
    reason: str
    time: str  # UTC
    expires: str  # UTC; from then on it counts no more


@dataclass(frozen=True, slots=True)
class SignedAnswer:
    answer: Answer
    signature: bytes


def sign_answer(key: Ed25519PrivateKey, answer: Answer) -> SignedAnswer:
    """Return `answer` under the identity key of its member."""
    return SignedAnswer(answer, key.sign(wire.signing_input("answer", answer)))


def verify_answer(holders: Iterable[Holder], signed: SignedAnswer) -> None:
    """Raise `VerificationFailed` unless one of `holders`, the one named, gave this answer."""
    answer = signed.answer
    holder = next((h for h in holders if h.name == answer.member), None)
    if holder is None:
        raise VerificationFailed("an answer is from somebody who holds no share of the key")
    try:
        check_time(answer.time)
        check_time(answer.expires)
        check_text("the reason", answer.reason, MAX_REASON)
    except Error as e:
        raise VerificationFailed(f"an answer is not usable: {e}", hint=e.hint) from None
    verify_by(
        holder.public_key,
        signed.signature,
        wire.signing_input("answer", answer),
        f"an answer in the name of {answer.member} is not signed by it",
    )


def approvals(
    holders: tuple[Holder, ...], subject: bytes, words: Iterable[SignedAnswer], at: datetime
) -> tuple[SignedAnswer, ...]:
    """Return who approves `subject` at the time `at`: one answer a holder, in their order.

    Every word is verified anew; one that is forged raises `VerificationFailed`.
    """
    found: dict[str, SignedAnswer] = {}
    for signed in words:
        verify_answer(holders, signed)
        answer = signed.answer
        counts = answer.subject == subject and answer.word == "approve"
        if counts and not is_over(answer.expires, at):
            found.setdefault(answer.member, signed)
    return tuple(found[h.name] for h in holders if h.name in found)
