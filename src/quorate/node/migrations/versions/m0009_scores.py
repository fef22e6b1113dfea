"""Scores: the runs this member gave points to, and what it learned of its own patients."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "scores",
        sa.Column("plan", sa.LargeBinary, sa.ForeignKey("studies.digest"), primary_key=True),
        sa.Column("treating", sa.String(32), nullable=False),
        sa.Column("time", sa.String(20), nullable=False),
        sa.Column("words", sa.LargeBinary, nullable=True),
    )
