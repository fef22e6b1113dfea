"""The keys by which members are sealed to."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "report_cards",
        sa.Column("member", sa.String(32), primary_key=True),
        sa.Column("card", sa.LargeBinary, nullable=False),
    )
