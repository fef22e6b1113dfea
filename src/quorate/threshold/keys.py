"""A key that a group holds: its public half, and one holder's share.

The public half is the commitment to the shared polynomial, whole: the group's
key is its first point, and the verification share of every holder follows from
it, so that no two of them can disagree. A key serves one purpose, which is part
of its name: what unlocks never signs.
"""

from dataclasses import dataclass, field
from typing import Literal

from quorate import wire
from quorate.algebra import edwards25519 as ed
from quorate.algebra.edwards25519 import Point, Scalar
from quorate.errors import MalformedMessage, OutOfRange, Party, VerificationFailed
from quorate.threshold.access import UNREVIEWED, Access, Gate, check_access, fewest
from quorate.threshold.rule import Rule
from quorate.threshold.sharing import Commitment
from quorate.wire import ABSENT, Absent

Purpose = Literal["sign", "unlock", "plain"]
"""To sign, to unlock what is sealed with TDH2, or to be an ordinary recipient of age: the least."""


def seat(identifier: int) -> Party:
    """Return the seat, 0 to `max_signers` - 1, of the holder with this identifier."""
    return identifier - 1


@dataclass(frozen=True, slots=True)
class PublicKey:
    """What everybody may know. Raises `MalformedMessage` where it cannot be one."""

    purpose: Purpose
    max_signers: int
    commitment: Commitment
    policy: Gate | Absent = ABSENT

    def __post_init__(self) -> None:
        try:
            check_access(self.access)
        except MalformedMessage as e:
            raise MalformedMessage(f"not a public key: {e}") from None
        if len(self.commitment) != self.access.columns:
            raise MalformedMessage("not a public key: its commitment does not fit its policy")
        for point in self.commitment:
            ed.decode_point(point)

    @property
    def min_signers(self) -> int:
        """The fewest that can act; by a policy not any so many."""
        return len(self.commitment) if self.policy is ABSENT else fewest(self.policy)

    @property
    def access(self) -> Access:
        return Access(self.min_signers, self.max_signers, self.policy)

    @property
    def caution(self) -> str:
        """What whoever is shown this key must be told; empty where there is nothing."""
        return "" if self.policy is ABSENT else UNREVIEWED

    @property
    def rule(self) -> Rule:
        return Rule(self.min_signers, self.max_signers)

    @property
    def group(self) -> Point:
        """The group's key: an ordinary Ed25519 public key where the purpose is to sign."""
        return self.commitment[0]

    def identifiers(self) -> range:
        return range(1, self.max_signers + 1)

    def verification_share(self, identifier: int) -> Point:
        """Return the point of the share of `identifier`. Raises `OutOfRange` if it has none."""
        if not 1 <= identifier <= self.max_signers:
            raise OutOfRange(f"no holder of this key has the identifier {identifier}")
        return self.access.point(self.commitment, identifier)

    def key_id(self) -> bytes:
        """Return the 32 bytes that name this key, its rule and its purpose."""
        return wire.digest("threshold key", self)


@dataclass(frozen=True, slots=True)
class KeyShare:
    """What one holder keeps. Whoever has `min_signers` of these has the key."""

    identifier: int
    secret: Scalar = field(repr=False)
    public: PublicKey

    def verify(self) -> None:
        """Raise `VerificationFailed` unless the share belongs to its public key."""
        try:
            share = ed.decode_scalar(self.secret)
            due = self.public.verification_share(self.identifier)
        except (MalformedMessage, OutOfRange) as e:
            raise VerificationFailed(f"a stored share is not usable: {e}") from None
        if ed.base_mul(share) != due:
            raise VerificationFailed("a stored share does not belong to its key")
