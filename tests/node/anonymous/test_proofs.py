"""A run that a member spoils, and one in which a node stops: who is named, what is let out."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate import wire
from quorate.algebra.edwards25519 import Randomness
from quorate.anonymous import rounds, verify_evidence
from quorate.anonymous.messages import Run, Signed, Vector, sign
from quorate.anonymous.rounds import Received, Reserved, Spoken
from quorate.errors import Party, Refused, SessionReused
from quorate.node.anonymous.messages import Proof
from quorate.node.anonymous.proofs import Proofs
from quorate.node.anonymous.records import Records
from quorate.node.anonymous.tables import report_culprits, report_evidence
from quorate.node.store import Store
from quorate.transport.channel import LinkChannel
from quorate.transport.session import Buffer
from tests.node.anonymous.circle import BORING, CHEAT, FIVE, SIX, Circle, bodies, hold, in_a_circle
from tests.node.three import Hospital, until


def culprits(node: Hospital) -> frozenset[str]:
    return node.reports.records.culprits(0)


@pytest.mark.usefixtures("fay_cheats")
def test_who_spoils_a_run_is_named_on_every_node_and_sits_out() -> None:
    async def body(circle: Circle) -> None:
        circle["cleo"].reports.writer.write(BORING, ())
        held = await hold(circle)
        sid = held.run.digest()
        await until(lambda: all(culprits(node) == {CHEAT} for node in circle.values()))
        for node in circle.values():
            records = node.reports.records
            assert verify_evidence(held.run, records.evidence(sid)) == {5}
            assert f"{CHEAT} spoilt run {sid.hex()[:16]}; evidence is kept" in node.details()
            assert records.run(sid).decision == "seed"
            assert bodies(node) == []
        with pytest.raises(Refused, match="sits out"):
            circle["ada"].reports.runs._check(held.run, "ada", 1)
        del circle[CHEAT]
        again = await hold(circle)
        assert [m.name for m in again.run.members] == list(FIVE)
        assert [bodies(node) for node in circle.values()] == [[BORING]] * 5

    in_a_circle(body, SIX)


def _without_evidence(circle: Circle, name: str, run: Run) -> tuple[bytes, ...]:
    """Take a run's evidence from a node, as if it had been stopped before it had any."""
    store = circle[name].desk.store
    records = circle[name].reports.records.evidence(run.digest())
    with store.transaction() as db:
        db.execute(report_evidence.delete())
        db.execute(report_culprits.delete())
    return records


@pytest.mark.usefixtures("fay_cheats")
def test_evidence_that_comes_from_others_is_judged_here() -> None:
    async def body(circle: Circle) -> None:
        held = await hold(circle)
        await until(lambda: all(culprits(node) == {CHEAT} for node in circle.values()))
        records = _without_evidence(circle, "ben", held.run)
        ben, ada = circle["ben"], circle["ada"].reports
        assert culprits(ben) == frozenset()

        async def tell(*told: bytes) -> None:
            for index, record in enumerate(told):
                proof = Proof(held.run.digest(), index, len(told), record)
                await ada.desk.tell(1, "report proof", proof)

        with pytest.raises(Refused):  # a bit of a body flipped: nobody has signed that
            await tell(*records[:-1], bytes([records[-1][0] ^ 1]) + records[-1][1:])
        with pytest.raises(Refused, match="no evidence"):
            await ada.desk.tell(1, "report proof", Proof(held.run.digest(), 1, 2, b""))
        with pytest.raises(Refused, match="took no part"):
            await ada.desk.tell(1, "report proof", Proof(bytes(32), 0, 1, b""))
        assert culprits(ben) == frozenset()
        await tell(*records)
        assert culprits(ben) == {CHEAT}

    in_a_circle(body, SIX)


def test_a_node_that_stops_in_a_run_lets_out_neither() -> None:
    """What a node needs to let anything out is in memory only; the record refuses a second word."""

    async def body(circle: Circle) -> None:
        ada = circle["ada"].reports
        held = await hold(circle)
        run = replace(held.run, number=held.run.number + 1)
        ada.records.add(run)
        ada.records.claim(run.digest())
        ada.records.decide(run.digest(), "key")
        ada.runs.recover()
        assert ada.records.run(run.digest()).failure == "this node stopped during the run"
        store = Store(circle["ada"].home.database)  # as after a restart
        try:
            again = Records(store)
            for decision in ("key", "seed", "neither"):
                with pytest.raises(SessionReused):
                    again.decide(run.digest(), decision)
            with pytest.raises(SessionReused):
                again.claim(run.digest())
            assert again.run(run.digest()).decision == "key"
        finally:
            store.close()

    in_a_circle(body)


@pytest.fixture
def fay_lies_to_ada(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the last member send the first one, and nobody else, a vector that is too short."""
    honest, send, lies = rounds.speak, LinkChannel.send, list[bytes]()

    def speak(
        kept: Reserved,
        received: Received,
        text: bytes,
        identity: Ed25519PrivateKey,
        randomness: Randomness,
    ) -> tuple[Spoken, Signed]:
        spoken, said = honest(kept, received, text, identity, randomness)
        seat = spoken.begun.seat
        if seat.run.members[seat.me].name == CHEAT:
            lies.append(wire.encode(sign(identity, seat.sid, "vector", seat.me, Vector(b""))))
        return spoken, said

    async def send_a_lie(
        self: LinkChannel, to: Party, label: str, total: int, piece: Buffer
    ) -> None:
        if label == "/4" and to == 0 and 5 not in self.links:
            total, piece = len(lies[-1]), lies[-1]
        await send(self, to, label, total, piece)

    monkeypatch.setattr(rounds, "speak", speak)
    monkeypatch.setattr(LinkChannel, "send", send_a_lie)


@pytest.mark.usefixtures("fay_lies_to_ada")
def test_who_lies_to_one_member_is_named_by_all_though_that_one_stopped_the_run() -> None:
    async def body(circle: Circle) -> None:
        await hold(circle)
        await until(lambda: all(culprits(node) == {CHEAT} for node in circle.values()))
        assert "ada stopped the run" in circle["ben"].details()

    in_a_circle(body, SIX)


@pytest.mark.usefixtures("fay_lies_to_ada")
def test_control_without_passing_evidence_on_a_node_stopped_early_blames_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def nothing(self: Proofs, run: Run) -> None:
        return

    monkeypatch.setattr(Proofs, "pass_on", nothing)

    async def body(circle: Circle) -> None:
        await hold(circle)
        named = [name for name, node in circle.items() if culprits(node)]
        assert named == ["ada"]

    in_a_circle(body, SIX)
