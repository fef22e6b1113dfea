"""Keys that give way to others: asked of both keys' holders, and put together when both signed."""

from dataclasses import dataclass
from datetime import timedelta

from quorate.errors import NotFound, Refused
from quorate.node.desk import Desk
from quorate.node.quorum.keys import Keys
from quorate.node.quorum.orders import Orders
from quorate.node.quorum.records import Records, RequestEntry
from quorate.node.quorum.requests import Requests
from quorate.quorum.key import Key
from quorate.quorum.lifecycle import KeyEvent, KeyState, RequestState
from quorate.quorum.order import Order
from quorate.quorum.succeeding import statement_from_text, statement_to_text
from quorate.studies.times import utc_text
from quorate.threshold.succession import SignedSuccession, Succession, verify_succession


@dataclass(slots=True)
class Successions:
    """The keys of one node that give way to others."""

    desk: Desk
    records: Records
    requests: Requests
    orders: Orders
    keys: Keys

    async def propose(
        self, old: Key, new: Key, reason: str, lasts: timedelta
    ) -> tuple[RequestEntry, RequestEntry]:
        """Ask the holders of both keys that `new` takes the place of `old`."""
        if (old.plan.purpose, new.plan.purpose) != ("sign", "sign"):
            raise Refused(
                "only a key that signs names its successor",
                hint="seal records of a key that unlocks to a new key instead",
            )
        decided = utc_text(self.desk.now())
        number = self._number(old) + 1
        statement = Succession(old.public.group, new.public.group, number, reason, decided)
        text = statement_to_text(statement).encode()
        asked = [
            (await self.requests.propose("succeed", key, text, reason, lasts))[0]
            for key in (old, new)
        ]
        return asked[0], asked[1]

    def on_order(self, order: Order) -> None:
        """Let an old key go once both have signed; the caller holds a transaction."""
        statement = statement_from_text(order.document, order.key)
        signed = self.signed(statement)
        if signed is None:
            return
        verify_succession(signed)
        for entry in self.records.all_keys():
            same = entry.key is not None and entry.key.public.group == statement.old
            if same and entry.state is KeyState.READY:
                self.keys.move(entry.plan.digest(), KeyEvent.SUCCEEDED, statement.reason)
                said = f"{entry.plan.name} by {statement.new.hex()[:16]}: {statement.reason}"
                self.desk.audit.append("key succeeded", said)

    def of(self, key: Key) -> SignedSuccession:
        """Return the succession of an old key. Raises `NotFound`."""
        for order in self._signed_orders():
            statement = statement_from_text(order.document, order.key)
            signed = self.signed(statement)
            if statement.old == key.public.group and signed is not None:
                return signed
        raise NotFound(
            f"key {key.plan.name} has no successor that both keys signed",
            hint="see what waits for approval: quorate order list",
        )

    def signed(self, statement: Succession) -> SignedSuccession | None:
        """Return a statement under both keys, if both have signed it."""
        text = statement_to_text(statement)
        by = {o.key.public.group: o.signature for o in self._signed_orders() if o.document == text}
        if not {statement.old, statement.new} <= set(by):
            return None
        return SignedSuccession(statement, by[statement.old], by[statement.new])

    def _signed_orders(self) -> tuple[Order, ...]:
        entries = self.records.requests_in(RequestState.SIGNED)
        return tuple(self.orders.order(e) for e in entries if e.request.type == "succeed")

    def _number(self, key: Key) -> int:
        """Return the number of the succession by which a key came; 0 for the first of its line."""
        found = (statement_from_text(o.document, o.key) for o in self._signed_orders())
        return max((s.number for s in found if s.new == key.public.group), default=0)
