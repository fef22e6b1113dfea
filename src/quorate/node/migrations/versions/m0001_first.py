"""Studies, approvals, sessions, audit log."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "studies",
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("plan", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("release", sa.LargeBinary, nullable=True),
        sa.Column("outcome", sa.LargeBinary, nullable=True),
        sa.Column("number", sa.Integer, nullable=False, unique=True),
    )
    op.create_table(
        "approvals",
        sa.Column("plan", sa.LargeBinary, sa.ForeignKey("studies.digest"), primary_key=True),
        sa.Column("member", sa.String(32), primary_key=True),
        sa.Column("approval", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.LargeBinary, primary_key=True),
        sa.Column("plan", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "audit",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("entry", sa.LargeBinary, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
    )
