"""What nodes tell each other about studies and audit logs, outside sessions.

topic     ask                answer
proposal  Proposal           Ack
approval  SignedApproval     Ack      (or a word against it)
head      SignedHead         Ack
held      Ack                Held     (which head of yours do you have of me?)
prepare   Prepare            Prepared
go        Go                 Ack
cancel    Go                 Ack
"""

from dataclasses import dataclass

from quorate import wire
from quorate.studies.approval import SignedApproval
from quorate.studies.plan import Plan
from quorate.studies.release import Release


@dataclass(frozen=True, slots=True)
class Ack:
    """Heard, and done."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A plan, with the words on it that the sender knows of, and the others of its bundle."""

    plan: Plan
    approvals: tuple[SignedApproval, ...]
    beside: tuple[Plan, ...] = ()

    @property
    def plans(self) -> tuple[Plan, ...]:
        """Return all plans of the bundle, which may be one."""
        return self.plan, *self.beside


@dataclass(frozen=True, slots=True)
class Prepare:
    """Get ready to run: compute your own part and open session `session` for it."""

    plan: bytes  # digest
    session: int  # 1 .. 2^63 - 1, random
    time: str  # UTC; goes into the certificate
    approvals: tuple[SignedApproval, ...]  # one a member, by seat; goes into the certificate
    group_key: bytes  # identifier of the group's own key, under which it is signed too; or empty
    earlier: tuple[bytes, ...] | wire.Absent = wire.ABSENT  # releases a guarded one is beside


@dataclass(frozen=True, slots=True)
class Prepared:
    """Ready; or the release, where this study was run to its end before."""

    release: Release | None
    answer: bytes = b""  # under privacy, what the ledger keeps of that release: its noisy totals


@dataclass(frozen=True, slots=True)
class Go:
    """Begin, or forget, the prepared session."""

    session: int


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a member's audit log at some moment."""

    member: str
    number: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class SignedHead:
    """A head under its member's identity key: two that contradict each other are proof."""

    head: Head
    signature: bytes


@dataclass(frozen=True, slots=True)
class Held:
    """The last head of the asking member that the asked one has, if any."""

    head: SignedHead | None
