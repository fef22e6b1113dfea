"""What a witness waits for: that a request stands in the audit logs of enough members.

    witness                     each other member
    publish (the request) →     keeps it, like any request, and says so in its log;
                                answers the entry, and the head that its log had with it, signed

The head is of the entry itself, so nothing else of a log is shown. Its digest covers all
that was before; the witness holds it as it holds other heads, so a member that drops the
entry later contradicts itself. The entry names the request by its digest, whole. What
this shows: that many members' own nodes have noted who asks, why and until when, before the
witness's share acts. A member that lies about its own log speaks for itself alone.

Adversary: requester, seniors and network together; members that do not count among those needed.
"""

from dataclasses import dataclass, field

from quorate import wire
from quorate.errors import Error, Party, Refused, VerificationFailed
from quorate.node.desk import Desk
from quorate.node.heads import Heads
from quorate.node.quorum.errands import ask_enough, is_there
from quorate.node.quorum.messages import Asked, Noted
from quorate.node.quorum.records import Records, RequestEntry
from quorate.node.quorum.requests import Requests
from quorate.quorum.key_plan import Witnesses
from quorate.quorum.lifecycle import RequestState
from quorate.quorum.request import Request, noted_as
from quorate.wire import ABSENT

PATIENCE = 0.5
"""Of a time-out: who waits for the witness itself should still hear why it does not act."""


@dataclass(slots=True)
class Publication:
    """Which requests stand in whose logs, as this node was shown."""

    desk: Desk
    records: Records
    requests: Requests
    heads: Heads
    shown: dict[bytes, dict[str, str]] = field(default_factory=dict)
    """Of each request, by member: nothing where its entry was shown, or why it was not."""
    published: set[bytes] = field(default_factory=set)
    """Of which this node's log says that they are."""

    async def on_publish(self, party: Party, body: bytes) -> bytes:
        """Note a request in this node's log, and show the entry to a witness of its key."""
        asked, name = wire.decode(body, Asked), self.desk.group.names[party]
        witnesses = self.records.key_of(asked.request.key).plan.witnesses
        if witnesses is ABSENT or name not in witnesses.names:
            raise Refused(f"{name} is no witness of this key")
        self.requests.take(asked)
        return wire.encode(self._noted(asked.request))

    async def publish(self, digest: bytes) -> None:
        """Have members note a request until enough have, if this node is a witness of it."""
        entry = self.records.request(digest)
        witnesses = self._witnessed(entry)
        if witnesses is None or self._is_shown(digest, witnesses):
            return
        asked, shown = self.requests.asked(entry), self.shown.setdefault(digest, {})
        missing = [name for name in self.desk.group.names if shown.get(name, "unknown")]
        away = [name for name in missing if not is_there(self.desk, name)]
        shown.update(dict.fromkeys(away, "not connected"))

        lacking = witnesses.members - _count(shown)

        def here(_: Party) -> Noted:
            return self._noted(entry.request)

        found = await ask_enough(
            self.desk,
            [name for name in missing if name not in away],
            "publish",
            asked,
            Noted,
            here,
            lambda done: len(done) >= lacking,
            patience=PATIENCE,
        )
        for name, noted in found.items():
            shown[name] = self._trouble(name, entry.request, noted)
        if self._is_shown(digest, witnesses) and digest not in self.published:
            self.published.add(digest)
            where = ", ".join(n for n in self.desk.group.names if not shown.get(n, "unknown"))
            said = f"{entry.request.short_id}: in the logs of {where}"
            self.desk.audit.append("request published", said)

    def check(self, entry: RequestEntry) -> None:
        """Raise `Refused` if this node is a witness, and the request is not in enough logs."""
        witnesses, digest = self._witnessed(entry), entry.request.digest()
        if witnesses is None or self._is_shown(digest, witnesses):
            return
        shown = self.shown.get(digest, {})
        why = "; ".join(f"{name}: {trouble}" for name, trouble in shown.items() if trouble)
        raise Refused(
            f"this witness waits: the request stands in the logs of {_count(shown)} members, "
            f"where {witnesses.members} must have it" + (f" ({why})" if why else ""),
            hint="the others start their nodes; then it goes on",
        )

    async def tell_gatherers(self) -> None:
        """Tell who waits for this witness what it can answer now, after a member came back."""
        for entry in self.records.requests_in(RequestState.APPROVED):
            witnesses, digest = self._witnessed(entry), entry.request.digest()
            if witnesses is None or self._is_shown(digest, witnesses):
                continue
            await self.publish(digest)
            if self._is_shown(digest, witnesses):
                await self.desk.tell_all("request", self.requests.asked(entry))

    def _witnessed(self, entry: RequestEntry) -> Witnesses | None:
        """Return what this node waits for with this request, if it is a witness."""
        witnesses = self.records.key_of(entry.request.key).plan.witnesses
        if witnesses is ABSENT or self.desk.home.name not in witnesses.names:
            return None
        return witnesses

    def _is_shown(self, digest: bytes, witnesses: Witnesses) -> bool:
        return _count(self.shown.get(digest, {})) >= witnesses.members

    def _noted(self, request: Request) -> Noted:
        """Return the entry of a request in this node's log. Raises `NotFound`."""
        entry = self.desk.audit.find(*noted_as(request, whole=True))
        return Noted(entry, self.heads.signed(entry.number, entry.digest()))

    def _trouble(self, name: str, request: Request, noted: Noted | Error) -> str:
        """Return why a member's answer does not show the request in its log; nothing if it does."""
        if isinstance(noted, Error):
            return str(noted)
        try:
            check_noted(noted, request)
            if name != self.desk.home.name:
                self.heads.take_shown(noted.head, name)
        except (VerificationFailed, Refused) as e:
            return str(e)
        return ""


def check_noted(noted: Noted, request: Request) -> None:
    """Raise `VerificationFailed` unless the entry is this request's, and the head is of the entry.

    Whose head it is, and that it is signed, is for `heads.take_shown`.
    """
    entry, head = noted.entry, noted.head.head
    if (entry.event, entry.details) != noted_as(request, whole=True):
        raise VerificationFailed("an entry of an audit log that is not this request's")
    if (entry.number, entry.digest()) != (head.number, head.digest):
        raise VerificationFailed("a head of an audit log that is not of this entry")


def _count(shown: dict[str, str]) -> int:
    return sum(not trouble for trouble in shown.values())
