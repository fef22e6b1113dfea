"""Heads of the other members' audit logs; what the data was when a study was approved."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "heads",
        sa.Column("member", sa.String(32), primary_key=True),
        sa.Column("head", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "snapshots",
        sa.Column("plan", sa.LargeBinary, sa.ForeignKey("studies.digest"), primary_key=True),
        sa.Column("digest", sa.LargeBinary, nullable=False),
    )
