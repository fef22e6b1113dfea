"""Who says of whom that it was silent in an anonymous run."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "report_silences",
        sa.Column("sid", sa.LargeBinary, sa.ForeignKey("report_runs.sid"), primary_key=True),
        sa.Column("member", sa.String(32), primary_key=True),
        sa.Column("by", sa.String(32), primary_key=True),
        sa.Column("signature", sa.LargeBinary, nullable=False),
    )
