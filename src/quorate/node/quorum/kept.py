"""What a holder keeps sealed while a key is made, and the share that comes of it."""

from dataclasses import dataclass, field

from quorate.errors import Abort
from quorate.node.quorum.custody import Custody
from quorate.quorum.key import Key
from quorate.quorum.key_plan import KeyPlan
from quorate.threshold.dkg import Pending
from quorate.threshold.keys import KeyShare
from quorate.threshold.setup import SignedDealing


@dataclass(frozen=True, slots=True)
class Kept:
    """A holder's secrets between the steps of a generation."""

    seed: bytes = field(repr=False)  # of its static key
    dealing: SignedDealing | None
    pending: Pending | None


def kept_of(custody: Custody, plan: KeyPlan) -> Kept:
    """Return what this node kept for a key. Raises `Abort` if it is gone, `Unavailable`."""
    kept = custody.find(sealed_name(plan), Kept)
    if kept is None:
        raise Abort("what this node kept of the generation is gone")
    return kept


def keep_share_of(custody: Custody, key: Key) -> None:
    """Keep this member's share of a key that now exists, if it took part in making it."""
    name = sealed_name(key.plan)
    if custody.records.sealed(name) is None or custody.state != "open":
        return
    pending = kept_of(custody, key.plan).pending
    if pending is not None and pending.public == key.public:
        custody.keep_share(KeyShare(pending.identifier, pending.secret, key.public))
        custody.records.drop_sealed(name)


def sealed_name(plan: KeyPlan) -> str:
    """Return the name under which a generation's secrets are sealed."""
    return f"generation {plan.digest().hex()}"
