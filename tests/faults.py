"""Ways a network may misbehave, as `Fault` functions and Hypothesis strategies."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace

from hypothesis import strategies as st

from quorate.errors import Party
from quorate.transport.memory import Envelope, Fault, MemoryNetwork
from tests.parties import TIMEOUT_S


def silence(*senders: Party) -> Fault:
    """Lose everything these parties send."""
    return lambda e: [] if e.sender in senders else [e]


def tell(sender: Party, to: Party, label: str, payload: bytes) -> Fault:
    """Replace one message: how a test says "party `sender` lies to party `to`"."""
    return alter(sender, to, label, lambda _: payload)


def alter(sender: Party, to: Party, label: str, change: Callable[[bytes], bytes]) -> Fault:
    """Change the bytes of one message."""
    target = (sender, to, label)
    return lambda e: (
        [replace(e, payload=change(e.payload))] if (e.sender, e.to, e.label) == target else [e]
    )


def repeat(sender: Party, label: str) -> Fault:
    """Deliver one step's messages of one party twice."""
    return lambda e: [e, e] if (e.sender, e.label) == (sender, label) else [e]


class CrashAfter:
    """Let a party die once it has sent so many messages."""

    def __init__(self, party: Party, messages: int) -> None:
        self.party, self.left = party, messages
        self.network: MemoryNetwork | None = None

    def watch(self, network: MemoryNetwork) -> None:
        self.network = network

    def __call__(self, e: Envelope) -> Iterable[Envelope]:
        if e.sender != self.party:
            return [e]
        self.left -= 1
        if self.left == 0 and self.network is not None:
            self.network.crash(self.party)
        return [e] if self.left >= 0 else []


@st.composite
def benign(draw: st.DrawFn, parties: int, messages: int = 8) -> Fault:
    """Draw a network that may lose or delay messages, but neither alters nor repeats them."""
    link = st.tuples(st.integers(0, parties - 1), st.integers(0, parties - 1))
    nth = st.integers(0, messages)
    fate = st.sampled_from(["lost", "late", "too late"])
    fates = draw(st.dictionaries(st.tuples(link, nth), fate, max_size=6), label="fates")
    sent: Counter[tuple[Party, Party]] = Counter()

    def fault(e: Envelope) -> Iterable[Envelope]:
        nth = sent[e.sender, e.to]
        sent[e.sender, e.to] += 1
        match fates.get(((e.sender, e.to), nth)):
            case "lost":
                return []
            case "late":
                return [replace(e, delay_s=0.9 * TIMEOUT_S)]
            case "too late":
                return [replace(e, delay_s=1.1 * TIMEOUT_S)]
            case _:
                return [e]

    return fault
