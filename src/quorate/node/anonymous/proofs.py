"""Evidence of who spoilt a run, passed on to all that were in it.

Who meets proof first ends the run for all, before the others have the same
messages: to them it looks as if that member had stopped it. So each that has
evidence hands it on, and each that gets some judges it itself.
"""

import asyncio
from dataclasses import dataclass, field

import structlog

from quorate import wire
from quorate.anonymous import verify_evidence
from quorate.anonymous.messages import ROUNDS, Run
from quorate.errors import Abort, Party, Refused
from quorate.node.anonymous.messages import Proof
from quorate.node.anonymous.runs import Runs
from quorate.node.messages import Ack

log = structlog.get_logger()


@dataclass(slots=True)
class Proofs:
    """Evidence as it comes and goes on one node."""

    runs: Runs
    arriving: dict[Party, tuple[bytes, list[bytes]]] = field(default_factory=dict)
    """By the sender's seat: the run, and the records so far. One at a time from each."""

    async def pass_on(self, run: Run) -> None:
        """Hand the evidence of a run to all its members that are there."""
        group, me = self.runs.desk.group, self.runs.desk.me
        records = self.runs.records.evidence(run.digest())
        others = [p for p in (group.party(m.name) for m in run.members) if p != me]
        await asyncio.gather(*(self._tell(party, run, records) for party in others))

    async def _tell(self, party: Party, run: Run, records: tuple[bytes, ...]) -> None:
        sid, count = run.digest(), len(records)
        try:
            for index, record in enumerate(records):
                proof = Proof(sid, index, count, record)
                await self.runs.desk.tell(party, "report proof", proof)
        except (Abort, Refused) as e:
            name = self.runs.desk.group.names[party]
            log.info("evidence not passed on", member=name, why=str(e))

    async def on_proof(self, party: Party, body: bytes) -> bytes:
        """Take in a record of evidence; judge it when all are here. Raises `VerificationFailed`."""
        proof = wire.decode(body, Proof)
        run = self.runs.records.run(proof.run).run
        if self.runs.desk.group.names[party] not in {m.name for m in run.members}:
            raise Refused("evidence of a run comes from who was in it")
        if self.runs.records.evidence(proof.run):
            return wire.encode(Ack())
        records = self._take_in(party, proof, run)
        if len(records) == proof.count:
            del self.arriving[party]
            culprits = await asyncio.to_thread(verify_evidence, run, tuple(records))
            self.runs.note_evidence(run, tuple(records), culprits)
        return wire.encode(Ack())

    def _take_in(self, party: Party, proof: Proof, run: Run) -> list[bytes]:
        """Keep one more record of what this member sends."""
        if proof.index == 0:
            self.arriving[party] = (proof.run, [])
        sid, records = self.arriving.get(party, (b"", []))
        fits = sum(map(len, records)) + len(proof.record) <= most_bytes(run)
        few = proof.count <= most_records(run)
        if sid != proof.run or proof.index != len(records) or not few or not fits:
            self.arriving.pop(party, None)
            raise Refused("this is no evidence of that run")
        records.append(proof.record)
        return records


def most_records(run: Run) -> int:
    """Return how many records evidence of a run can have."""
    return 1 + 2 * len(ROUNDS) * run.n


def most_bytes(run: Run) -> int:
    """Return how many bytes evidence of a run can have."""
    return (run.n + 1) * (2 * run.vector_bytes + wire.MAX_RECORD // 4)
