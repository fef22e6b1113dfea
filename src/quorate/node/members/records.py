"""Rosters, changes, votes and invitations in the node's database."""

from dataclasses import dataclass

import sqlalchemy as sa

from quorate import wire
from quorate.errors import NotFound, Refused
from quorate.node.store import Store, schema
from quorate.quorum.history import History, verify_history
from quorate.quorum.invitation import Application, Invitation
from quorate.quorum.roster import Change, Decided, SignedVote
from quorate.studies.group import Group

rosters = sa.Table(
    "rosters",
    schema,
    sa.Column("epoch", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("record", sa.LargeBinary, nullable=False),  # the first roster, then each change
)
changes = sa.Table(
    "roster_changes",
    schema,
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    sa.Column("change", sa.LargeBinary, nullable=False),
    sa.Column("signature", sa.LargeBinary, nullable=False),
    sa.Column("number", sa.Integer, nullable=False, unique=True),
)
votes = sa.Table(
    "roster_votes",
    schema,
    sa.Column("change", sa.LargeBinary, primary_key=True),
    sa.Column("member", sa.String(32), primary_key=True),
    sa.Column("vote", sa.LargeBinary, nullable=False),
)
invitations = sa.Table(
    "invitations",
    schema,
    sa.Column("door", sa.LargeBinary, primary_key=True),
    sa.Column("invitation", sa.LargeBinary, nullable=False),
    sa.Column("application", sa.LargeBinary, nullable=True),
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A change that was proposed, and its proposer's signature."""

    change: Change
    signature: bytes


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation of this member's, and who applied with it."""

    invitation: Invitation
    application: Application | None


@dataclass(frozen=True, slots=True)
class RosterRecords:
    """What a node keeps of its group's rosters."""

    store: Store

    def history(self, joined: Group) -> History:
        """Return all rosters, verified anew; where none is kept, begin with the one joined."""
        with self.store.transaction() as db:
            kept = db.scalars(sa.select(rosters.c.record).order_by(rosters.c.epoch)).all()
            if not kept:
                history = verify_history(joined, ())
                db.execute(rosters.insert().values(epoch=0, record=wire.encode(joined)))
                return history
        first, *steps = kept
        return verify_history(
            wire.decode(first, Group), [wire.decode(step, Decided) for step in steps]
        )

    def removed_for_cause(self) -> frozenset[bytes]:
        """Return the keys of members who were removed for cause, in any epoch."""
        with self.store.transaction() as db:
            kept = db.scalars(sa.select(rosters.c.record).where(rosters.c.epoch > 0)).all()
        gone = (wire.decode(step, Decided).change for step in kept)
        return frozenset(change.member.public_key for change in gone if change.for_cause)

    def keep_history(self, history: History) -> None:
        """Keep a verified history that continues, or is, the one that is kept."""
        with self.store.transaction() as db:
            last = db.scalar(sa.select(sa.func.max(rosters.c.epoch)))
            if last is None:
                db.execute(rosters.insert().values(epoch=0, record=wire.encode(history.first)))
            for number, step in enumerate(history.steps[last or 0 :], (last or 0) + 1):
                db.execute(rosters.insert().values(epoch=number, record=wire.encode(step)))

    def add_change(self, waiting: Waiting) -> bool:
        """Keep a proposed change; return whether it is new here."""
        digest = waiting.change.digest()
        with self.store.transaction() as db:
            if db.execute(sa.select(changes.c.digest).filter_by(digest=digest)).first():
                return False
            last = db.scalar(sa.select(sa.func.max(changes.c.number))) or 0
            encoded = wire.encode(waiting.change)
            db.execute(
                changes.insert().values(
                    digest=digest, change=encoded, signature=waiting.signature, number=last + 1
                )
            )
            return True

    def changes_of(self, roster: bytes) -> tuple[Waiting, ...]:
        """Return the changes proposed of one roster, oldest first."""
        with self.store.transaction() as db:
            rows = db.execute(sa.select(changes).order_by(changes.c.number)).all()
        found = (Waiting(wire.decode(row.change, Change), row.signature) for row in rows)
        return tuple(waiting for waiting in found if waiting.change.roster == roster)

    def find(self, roster: bytes, prefix: str) -> Waiting:
        """Return the one change of a roster whose digest begins so. Raises `NotFound`."""
        wanted = prefix.replace("-", "").lower()
        found = [w for w in self.changes_of(roster) if w.change.digest().hex().startswith(wanted)]
        if len(found) != 1 or not wanted:
            raise NotFound(
                f"no one change waits that begins with {prefix[:64]!r}",
                hint="see what waits with: quorate group changes",
            )
        return found[0]

    def add_vote(self, signed: SignedVote) -> bool:
        """Keep a member's first vote on a change; return whether it is new here."""
        vote = signed.vote
        with self.store.transaction() as db:
            where = {"change": vote.change, "member": vote.member}
            if db.execute(sa.select(votes.c.change).filter_by(**where)).first():
                return False
            db.execute(votes.insert().values(**where, vote=wire.encode(signed)))
            return True

    def votes_on(self, change: bytes) -> tuple[SignedVote, ...]:
        with self.store.transaction() as db:
            rows = db.scalars(sa.select(votes.c.vote).filter_by(change=change)).all()
        return tuple(wire.decode(row, SignedVote) for row in rows)

    def add_invitation(self, invitation: Invitation) -> None:
        with self.store.transaction() as db:
            encoded = wire.encode(invitation)
            db.execute(invitations.insert().values(door=invitation.door, invitation=encoded))

    def invitations(self) -> tuple[Invited, ...]:
        with self.store.transaction() as db:
            rows = db.execute(sa.select(invitations)).all()
        return tuple(
            Invited(
                wire.decode(row.invitation, Invitation),
                None if row.application is None else wire.decode(row.application, Application),
            )
            for row in rows
        )

    def use_invitation(self, door: bytes, application: Application) -> None:
        """Note who applied. Raises `Refused` where somebody else did before, `NotFound`."""
        found = next((i for i in self.invitations() if i.invitation.door == door), None)
        if found is None:
            raise NotFound("this node made no such invitation")
        if found.application not in (None, application):
            raise Refused("this invitation was used already", hint="ask for a new one")
        with self.store.transaction() as db:
            where = invitations.c.door == door
            encoded = wire.encode(application)
            db.execute(invitations.update().where(where).values(application=encoded))
