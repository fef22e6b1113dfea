"""Talks to a node about anonymous reports: one method for each route."""

from dataclasses import dataclass

from quorate.errors import NotFound
from quorate.node.anonymous.views import (
    FileView,
    MeterBody,
    MeterView,
    RunView,
    ThreadView,
    WaitingView,
    WriteBody,
)
from quorate.node.client import Client


@dataclass(frozen=True, slots=True)
class ReportClient:
    """What one may ask of a node over `client`. Every method raises what the node raised."""

    client: Client

    def meter(self, body: MeterBody) -> MeterView:
        """Return behind whom this member would stand in a run held now."""
        return self.client.post("/reports/meter", MeterView, body)

    def write(self, body: WriteBody) -> tuple[WaitingView, ...]:
        return self.client.post("/reports", tuple[WaitingView, ...], body)

    def reply(self, id_: str, body: WriteBody) -> tuple[WaitingView, ...]:
        """Go on with an own thread, or answer another's."""
        return self.client.post(_route(id_, "reply"), tuple[WaitingView, ...], body)

    def reseal(self) -> tuple[WaitingView, ...]:
        """Seal anew what waits for keys that are no longer the members'."""
        return self.client.post("/reports/queue/reseal", tuple[WaitingView, ...])

    def files(self, id_: str) -> tuple[FileView, ...]:
        """Return the files of a thread that have come whole and this member may read."""
        return self.client.get(_route(id_, "files"), tuple[FileView, ...])

    def open(self, id_: str) -> ThreadView:
        """Approve, as a recipient, that a thread is opened."""
        return self.client.post(_route(id_, "open"), ThreadView)

    def queue(self) -> tuple[WaitingView, ...]:
        return self.client.get("/reports/queue", tuple[WaitingView, ...])

    def inbox(self) -> tuple[ThreadView, ...]:
        return self.client.get("/reports", tuple[ThreadView, ...])

    def thread(self, id_: str) -> ThreadView:
        return self.client.get(_route(id_), ThreadView)

    def claim(self, id_: str) -> ThreadView:
        return self.client.post(_route(id_, "claim"), ThreadView)

    def certificates(self, id_: str) -> str:
        """Return the text of a thread's filing certificates."""
        return self.client.ask("GET", _route(id_, "certificates"))

    def runs(self) -> tuple[RunView, ...]:
        return self.client.get("/reports/runs", tuple[RunView, ...])

    def hold(self) -> RunView:
        """Have a run held now, and wait for its end."""
        return self.client.post("/reports/runs", RunView)


def _route(id_: str, action: str = "") -> str:
    """Return the route of a thread. Its name is hexadecimal digits."""
    plain = id_.replace("-", "").lower()
    if not plain or not set(plain) <= set("0123456789abcdef"):
        raise NotFound("that is not a thread", hint="see the threads with: quorate report inbox")
    return f"/reports/threads/{plain}/{action}".rstrip("/")
