"""The routes of the audit log: this node's own staff, on the node's socket."""

from fastapi import FastAPI

from quorate.errors import VerificationFailed
from quorate.node.audit import Chained
from quorate.node.desk import Desk
from quorate.node.heads import Heads, Witness
from quorate.node.views import AuditEntryView, AuditView, WitnessView


def add_audit(app: FastAPI, desk: Desk, heads: Heads) -> None:
    """Add all routes of the audit log."""

    @app.get("/audit")
    async def audit() -> AuditView:
        return _audit_view(desk.audit.verified())

    @app.post("/audit/verify")
    async def verify() -> AuditView:
        chain = desk.audit.verified()
        witnesses = await heads.witnesses(chain)
        for witness in witnesses:
            if not witness.agrees and witness.number:
                raise VerificationFailed(
                    f"{witness.member} holds another entry {witness.number} of this audit log",
                    hint="this log was rewritten, or restored from a copy",
                )
        return _audit_view(chain, witnesses)


def _audit_view(chain: tuple[Chained, ...], witnesses: tuple[Witness, ...] = ()) -> AuditView:
    return AuditView(
        entries=tuple(
            AuditEntryView(
                number=item.entry.number,
                time=item.entry.time,
                event=item.entry.event,
                details=item.entry.details,
                digest=item.digest.hex(),
            )
            for item in chain
        ),
        head=chain[-1].digest.hex() if chain else "",
        witnesses=tuple(
            WitnessView(member=w.member, number=w.number, agrees=w.agrees, trouble=w.trouble)
            for w in witnesses
        ),
    )
