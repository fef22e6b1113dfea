"""Members keep the ends of each other's audit logs, so that none can rewrite its own unnoticed.

Whenever two nodes meet, and after each run, each tells the other the signed
head of its log. What is held is noted in the holder's own log, so hiding that
takes another rewriting, of which others hold the head. Two signed heads with
one number and two digests prove that a member rewrote its log; a number that
goes back shows that it lost or dropped entries.
"""

from dataclasses import dataclass

import structlog

from quorate import wire
from quorate.errors import Abort, Party, Refused, VerificationFailed
from quorate.node.audit import Chained
from quorate.node.desk import Desk
from quorate.node.messages import Ack, Head, Held, SignedHead
from quorate.transport.session import together

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Witness:
    """What one other member says of this node's log: what it holds, or why it does not."""

    member: str
    number: int  # 0 if it holds nothing
    agrees: bool
    trouble: str


@dataclass(slots=True)
class Heads:
    """The exchange of heads on one node."""

    desk: Desk

    def mine(self) -> SignedHead | None:
        """Return the signed head of this node's log."""
        last = self.desk.store.audit_head()
        return None if last is None else self.signed(*last)

    def signed(self, number: int, digest: bytes) -> SignedHead:
        """Return the head of this node's log as it was at one entry, signed."""
        head = Head(self.desk.home.name, number, digest)
        return SignedHead(head, self.desk.home.identity.sign(wire.signing_input("head", head)))

    async def tell(self, party: Party) -> None:
        """Tell one member the head of this node's log."""
        head = self.mine()
        if head is None or not self.desk.peers.peers[party].ready.is_set():
            return
        try:
            await self.desk.peers.ask(party, "head", head, Ack, timeout_s=self.desk.home.timeout_s)
        except (Abort, Refused) as e:
            log.info("head not told", member=self.desk.group.names[party], why=str(e))

    async def on_head(self, party: Party, body: bytes) -> bytes:
        """Keep the head another member tells, if its log has only grown."""
        self._take(wire.decode(body, SignedHead), self.desk.group.names[party])
        return wire.encode(Ack())

    def take_shown(self, shown: SignedHead, member: str) -> None:
        """Keep a head of another member's log, unless a later one is held already.

        Raises `VerificationFailed`, and `Refused` where another is held for the same entry.
        """
        self._verify(shown, member)
        held = self._held(member)
        if held is None or shown.head.number >= held.head.number:
            self._take(shown, member)

    def _take(self, told: SignedHead, member: str) -> None:
        self._verify(told, member)
        before = self._held(member)
        if before is not None:
            self._compare(member, before.head, told.head)
        if before is None or told.head.number > before.head.number:
            with self.desk.store.transaction():
                self.desk.store.set_head(member, wire.encode(told))
                short = told.head.digest.hex()[:16]
                self.desk.audit.append("head held", f"{member}: entry {told.head.number}, {short}")

    async def on_held(self, party: Party, body: bytes) -> bytes:
        """Tell a member which head of its log is held here."""
        wire.decode(body, Ack)
        return wire.encode(Held(self._held(self.desk.group.names[party])))

    async def witnesses(self, chain: tuple[Chained, ...]) -> tuple[Witness, ...]:
        """Ask all other members at once which head they hold, and compare with this node's log."""
        return tuple(await together(*(self._ask_witness(p, chain) for p in self.desk.peers.peers)))

    async def _ask_witness(self, party: Party, chain: tuple[Chained, ...]) -> Witness:
        name = self.desk.group.names[party]
        try:
            held = await self.desk.peers.ask(
                party, "held", Ack(), Held, timeout_s=self.desk.home.timeout_s
            )
        except (Abort, Refused) as e:
            return Witness(name, 0, agrees=False, trouble=str(e))
        return self._witness(name, held, chain)

    async def check_past(self) -> None:
        """Raise `VerificationFailed` if another member has seen a later log of this node."""
        for witness in await self.witnesses(self.desk.audit.verified()):
            if witness.number and not witness.agrees:
                raise VerificationFailed(
                    f"{witness.member} has seen a later past of this node than it has itself",
                    hint="bring back the latest copy of its folder: what was spent is in there",
                )

    def _witness(self, name: str, held: Held, chain: tuple[Chained, ...]) -> Witness:
        if held.head is None:
            return Witness(name, 0, agrees=True, trouble="holds no head yet")
        try:
            self._verify(held.head, self.desk.home.name)
        except VerificationFailed:
            return Witness(name, 0, agrees=False, trouble="holds a head this node never signed")
        head = held.head.head
        same = head.number <= len(chain) and chain[head.number - 1].digest == head.digest
        return Witness(name, head.number, same, "" if same else "holds another entry: see its head")

    def _held(self, member: str) -> SignedHead | None:
        encoded = self.desk.store.head(member)
        return None if encoded is None else wire.decode(encoded, SignedHead)

    def _verify(self, signed: SignedHead, member: str) -> None:
        keeper = self.desk.group.members[self.desk.group.party(member)]
        otherwise = f"a head in the name of {member} is not signed by it"
        keeper.verify(signed.signature, "head", signed.head, otherwise)
        if signed.head.member != member or signed.head.number < 1:
            raise VerificationFailed(f"that is not a head of the log of {member}")

    def _compare(self, member: str, before: Head, now: Head) -> None:
        """Note in this node's log, and refuse, a head that contradicts the one before."""
        if now.number > before.number or now == before:
            return
        same_place = now.number == before.number
        what = "rewrote its audit log" if same_place else "lost entries of its audit log"
        at = f"entry {now.number} was {before.digest.hex()[:16]}, is {now.digest.hex()[:16]}"
        behind = f"had {before.number} entries, has {now.number}"
        self.desk.audit.append(
            "log contradiction", f"{member} {what}: {at if same_place else behind}"
        )
        log.warning("audit log contradiction", member=member, what=what)
        raise Refused(f"this node holds another head: {member} {what}")
