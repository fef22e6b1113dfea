"""Signed orders on one node: made where a signature was gathered, told to all, kept by each."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from quorate import wire
from quorate.errors import NotFound, Party
from quorate.node.desk import Desk
from quorate.node.messages import Ack
from quorate.node.quorum.messages import Asked
from quorate.node.quorum.records import Records, RequestEntry
from quorate.node.quorum.requests import Requests
from quorate.quorum.answer import SignedAnswer
from quorate.quorum.countersign import answers_of
from quorate.quorum.key import Key
from quorate.quorum.key_plan import holders_of
from quorate.quorum.lifecycle import RequestEvent, RequestState
from quorate.quorum.order import FORMAT, Order, verify_order
from quorate.quorum.request import SIGNED
from quorate.studies.group import Group

log = structlog.get_logger()


@dataclass(slots=True)
class Orders:
    """The signed orders of one node."""

    desk: Desk
    records: Records
    requests: Requests
    roster: Callable[[bytes], Group]
    """Returns the group's roster with a digest, the present one or one before; or `NotFound`."""

    on_succession: Callable[[Order], None] = lambda _: None
    """Called with a signed statement of a succession that has just been kept."""

    def order(self, entry: RequestEntry) -> Order:
        """Return the signed order of a request. Raises `NotFound`."""
        if entry.result is None or entry.request.type not in SIGNED:
            raise NotFound(
                f"order {entry.request.short_id} is {entry.state.value}: it is not signed",
                hint=f"quorate order show {entry.request.short_id}",
            )
        return wire.decode(entry.result, Order)

    def finish(
        self, entry: RequestEntry, key: Key, approved: tuple[SignedAnswer, ...], signature: bytes
    ) -> Order:
        """Keep the order that a signature completes, and return it to be told to all."""
        (requester,) = holders_of(self.desk.group, [entry.request.requester])
        order = Order(
            FORMAT,
            entry.request,
            entry.document.decode(),
            requester,
            entry.signature,
            key,
            answers_of(key, approved),
            signature,
        )
        self.take(order)
        return order

    async def on_order(self, party: Party, body: bytes) -> bytes:
        """Take in a signed order, whoever passes it on."""
        order = wire.decode(body, Order)
        self.take(order)
        log.info("order", id=order.request.short_id, via=self.desk.group.names[party])
        return wire.encode(Ack())

    async def catch_up(self, party: Party) -> None:
        """Tell a member that has just connected which orders were signed of late."""
        for entry in self.requests.lately(RequestState.SIGNED):
            if entry.request.type in SIGNED:
                await self.desk.tell(party, "order", self.order(entry))

    def take(self, order: Order) -> None:
        """Keep an order that verifies, if it is the first. Raises `VerificationFailed`."""
        verify_order(order, self.roster(order.key.plan.group), self.desk.group)
        request = order.request
        with self.desk.store.transaction():
            self.records.key_of(request.key)
            told = Asked(request, order.document.encode(), order.requested, order.answers)
            if not self.requests.finish(told, order, RequestEvent.SIGNED):
                return
            if request.type == "succeed":
                self.on_succession(order)
            self.desk.audit.append(
                "order signed", f"{request.short_id} under {order.key.plan.name}"
            )
