"""The rosters a group has had, the changes that wait, and the invitations that are out."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "rosters",
        sa.Column("epoch", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("record", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "roster_changes",
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("change", sa.LargeBinary, nullable=False),
        sa.Column("signature", sa.LargeBinary, nullable=False),
        sa.Column("number", sa.Integer, nullable=False, unique=True),
    )
    op.create_table(
        "roster_votes",
        sa.Column("change", sa.LargeBinary, primary_key=True),
        sa.Column("member", sa.String(32), primary_key=True),
        sa.Column("vote", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "invitations",
        sa.Column("door", sa.LargeBinary, primary_key=True),
        sa.Column("invitation", sa.LargeBinary, nullable=False),
        sa.Column("application", sa.LargeBinary, nullable=True),
    )
