"""The guard against differencing: marks of rows that took part in releases, and questions."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "cohorts",
        sa.Column("plan", sa.LargeBinary, sa.ForeignKey("studies.digest"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("marks", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "guard_questions",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("time", sa.String(20), nullable=False),
    )
