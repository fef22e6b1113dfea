"""What nodes tell each other about keys and requests, outside sessions.

topic      ask         answer
key        Planned     Ack
posting    Posting     Ack
certified  Key         Ack
alive      Challenge   Alive
request    Asked       Ack
commit     Commit      NonceCommitment
sign       Sign        SignedShare
try commit Commit      NonceCommitment   of new shares
try sign   Sign        SignedShare
order      Order       Ack
opener     Sought      ReplyKey
unlock     Unlock      SealedAnswer
opened     Opened      Ack
recovered  Recovered   Ack
publish    Asked       Noted
"""

from dataclasses import dataclass

from quorate.node.audit import AuditEntry
from quorate.node.messages import SignedHead
from quorate.quorum.answer import SignedAnswer
from quorate.quorum.key_plan import KeyPlan
from quorate.quorum.request import Request
from quorate.threshold.frost import NonceCommitment


@dataclass(frozen=True, slots=True)
class Planned:
    """A planned key, with the answers to it that the sender knows of."""

    plan: KeyPlan
    signature: bytes  # its proposer's
    answers: tuple[SignedAnswer, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request and its document, with the answers to it that the sender knows of."""

    request: Request
    document: bytes  # of an order text, else its encoding
    signature: bytes  # its requester's
    answers: tuple[SignedAnswer, ...]


@dataclass(frozen=True, slots=True)
class Commit:
    """Make nonces for one session of signing a request."""

    request: bytes  # digest
    session: bytes  # 32 random bytes
    answers: tuple[SignedAnswer, ...]  # the approvals under which it is signed


@dataclass(frozen=True, slots=True)
class Sign:
    """Sign with the nonces of one session: these are everybody's commitments."""

    session: bytes
    commitments: tuple[NonceCommitment, ...]


@dataclass(frozen=True, slots=True)
class Unlock:
    """Answer a request with your partial decryptions, or with your share."""

    request: bytes  # digest
    answers: tuple[SignedAnswer, ...]  # the approvals under which it is answered


@dataclass(frozen=True, slots=True)
class Noted:
    """That a request stands in a member's audit log: the entry, and the head it made."""

    entry: AuditEntry
    head: SignedHead


@dataclass(frozen=True, slots=True)
class Challenge:
    """Show that your share of this key is alive."""

    key: bytes
    nonce: bytes  # 32 fresh bytes


@dataclass(frozen=True, slots=True)
class Alive:
    """A signature of the challenge under the holder's verification share."""

    proof: bytes
