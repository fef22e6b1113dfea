"""What a sealed file is to be asked for: the first of its stanzas whose key the node knows."""

from collections.abc import Iterator

from quorate.errors import NotFound, Usage
from quorate.node.quorum.client import QuorumClient
from quorate.node.quorum.views import UnlockView
from quorate.threshold.age import keys, x25519
from quorate.threshold.age.header import Header
from quorate.threshold.answers import Sought


def ask_to_open(
    client: QuorumClient,
    header: Header,
    reason: str,
    *,
    record: str = "",
    hours: float = 24,
    key: str = "",
    opener: str = "",
) -> UnlockView:
    """Ask the holders to open the file with this header. Raises `NotFound`, `Usage`."""
    unknown: NotFound | None = None
    for sought in _sought(header, record):
        try:
            return client.ask_to_unlock(sought, reason, hours=hours, key=key, opener=opener)
        except NotFound as e:
            unknown = e
    if unknown is not None:
        raise unknown
    raise NotFound("this file is not sealed to a group's key", hint="quorate key list")


def _sought(header: Header, record: str) -> Iterator[Sought]:
    for stanza in header.stanzas:
        if stanza.kind == keys.KIND:
            yield Sought("sealed", stanza.body, keys.sealed_in(stanza).label.record)
    if any(stanza.kind == x25519.KIND for stanza in header.stanzas):
        if not record:
            raise Usage(
                "a file that is sealed to a plain key does not say which record it is",
                hint="say it with --record",
            )
        yield Sought("plain", header.encode(), record)
