"""The keys by which members are sealed to, as one node knows them.

A node has one since its vault was first opened, with reports to open or not. It tells
it to all; whoever connects is told all cards known here, so that all come to know the same.
"""

import asyncio
import os
from dataclasses import dataclass

import structlog

from quorate import wire
from quorate.anonymous.cards import Card, SignedCard, digest_of, sign_card, verify_card
from quorate.anonymous.recipients import Recipient, RecipientKey
from quorate.errors import Error, NotFound, Party, Refused
from quorate.node.anonymous.book import Sealing
from quorate.node.anonymous.others import identities
from quorate.node.anonymous.tables import report_cards
from quorate.node.desk import Desk
from quorate.node.messages import Ack
from quorate.node.quorum.custody import Custody
from quorate.node.runs import CLOCK_S

NAME = "recipient"
"""The name under which this member's own key is sealed."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Cards:
    """This member's own key, and everybody's card."""

    desk: Desk
    custody: Custody
    tasks: asyncio.TaskGroup

    def key(self) -> RecipientKey:
        """Return this member's key. Raises `Unavailable` with a locked vault."""
        seed = self.custody.find(NAME, bytes)
        if seed is None:
            raise NotFound("this node has no key to be sealed to yet")
        return RecipientKey(seed)

    def make_own(self) -> None:
        """Make this member's key and card when its vault is first open, and tell all."""
        if self.custody.find(NAME, bytes) is None:
            self.custody.keep(NAME, os.urandom(32))
        name, public_key, mine = self.desk.home.name, self.key().public_key(), self.own()
        if mine is None or mine.card.recipient.public_key != public_key:
            number = max(self._now_s(), 0 if mine is None else mine.card.number + 1)
            card = Card(self.desk.group.digest(), number, Recipient(name, public_key))
            mine = sign_card(self.desk.home.identity, card)
            self.take(mine)
        self.tasks.create_task(self._tell_all(mine))

    def all(self) -> tuple[SignedCard, ...]:
        """Return all cards known here, in the order of names."""
        with self.desk.store.transaction() as db:
            rows = db.execute(report_cards.select().order_by(report_cards.c.member)).all()
        return tuple(wire.decode(row.card, SignedCard) for row in rows)

    def own(self) -> SignedCard | None:
        """Return this member's card, if it has one."""
        name = self.desk.home.name
        return next((signed for signed in self.all() if signed.name == name), None)

    def digest(self) -> bytes:
        return digest_of(self.all())

    def take(self, signed: SignedCard) -> None:
        """Keep a card if it is newer. Raises `VerificationFailed`, `Refused`."""
        known = {one.name: one for one in self.all()}.get(signed.name)
        if signed == known:
            return
        verify_card(signed, self.desk.group.digest(), identities(self.desk))
        if signed.card.number > self._now_s() + CLOCK_S:
            raise Refused("the card is of the future", hint="set the clocks")
        if known is not None and not signed.replaces(known):
            return
        with self.desk.store.transaction() as db:
            db.execute(report_cards.delete().where(report_cards.c.member == signed.name))
            db.execute(report_cards.insert().values(member=signed.name, card=wire.encode(signed)))

    def sealing(self, names: tuple[str, ...], min_recipients: int) -> Sealing:
        """Return what seals to these members. Raises `NotFound` for one without a card."""
        cards = self.all()
        by_name = {signed.name: signed.card.recipient for signed in cards}
        for name in names:
            self.desk.group.party(name)
            if name not in by_name:
                raise NotFound(
                    f"{name} has no key to be sealed to yet",
                    hint="its node makes one when its vault is opened: quorate node unlock",
                )
        return Sealing(tuple(by_name[name] for name in names), min_recipients, digest_of(cards))

    async def on_card(self, _: Party, body: bytes) -> bytes:
        """Take in a member's card, whoever passes it on."""
        self.take(wire.decode(body, SignedCard))
        return wire.encode(Ack())

    async def catch_up(self, party: Party) -> None:
        """Tell a member that has just connected all cards known here. Raises `Abort`, `Refused`."""
        for signed in self.all():
            await self.desk.tell(party, "report card", signed)

    async def _tell_all(self, signed: SignedCard) -> None:
        try:
            await self.desk.tell_all("report card", signed)
        except Error as e:
            log.info("card not passed on", why=str(e))

    def _now_s(self) -> int:
        return int(self.desk.now().timestamp())
