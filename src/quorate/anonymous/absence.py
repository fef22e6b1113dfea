"""That a member gave nothing in a run, as all others of that run say under their names.

Silence is no proof: any one may say of any other that it was silent. So nobody is left out by
others' words alone. All members of a run but the silent one must say so of the same run, and
of several, and a node lets no text of its own member go without one that is there unless it has
said so itself: a set is not made smaller around an author behind its back.

Who makes a member look silent to all others, by holding up what it sends, has it left out.
Then as ever what remains must be large enough (`meter`).
"""

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate import wire
from quorate.algebra.signatures import verify_by
from quorate.anonymous.messages import Run
from quorate.errors import VerificationFailed

DOMAIN = "anonymous/silent"

RUNS = 3
"""In so many runs all others have heard nothing of a member that is left out."""


@dataclass(frozen=True, slots=True)
class Silent:
    """What `by` says: that in the run of this digest `member` gave it nothing."""

    run: bytes
    member: str
    by: str


@dataclass(frozen=True, slots=True)
class Word:
    silent: Silent
    signature: bytes


@dataclass(frozen=True, slots=True)
class Unheard:
    """That nobody heard `member` in a run: the signatures of all others, in the order of seats."""

    run: Run
    member: str
    signatures: tuple[bytes, ...]

    def words(self) -> tuple[Word, ...]:
        """Return what each of the others says. Raises `VerificationFailed` for too few."""
        sid, others = self.run.digest(), others_of(self.run, self.member)
        if len(others) != len(self.signatures) or len(others) == self.run.n:
            raise VerificationFailed("not the word of each other member of the run")
        pairs = zip(others, self.signatures, strict=True)
        return tuple(Word(Silent(sid, self.member, by), signature) for by, signature in pairs)


def say(identity: Ed25519PrivateKey, silent: Silent) -> Word:
    return Word(silent, identity.sign(wire.signing_input(DOMAIN, silent)))


def verify_word(word: Word, run: Run) -> None:
    """Raise `VerificationFailed` unless a member of `run` says so of another."""
    silent = word.silent
    key = next((m.public_key for m in run.members if m.name == silent.by), None)
    is_there = silent.member in {m.name for m in run.members} - {silent.by}
    if key is None or not is_there or silent.run != run.digest():
        raise VerificationFailed("that is no word of one member of the run of another")
    message = wire.signing_input(DOMAIN, silent)
    verify_by(key, word.signature, message, f"{silent.by} has not said that")


def verify_unheard(unheard: Unheard) -> None:
    """Raise `VerificationFailed` unless all others of that run say so."""
    for word in unheard.words():
        verify_word(word, unheard.run)


def others_of(run: Run, member: str) -> tuple[str, ...]:
    """Return who else was in a run, in the order of seats."""
    return tuple(m.name for m in run.members if m.name != member)
