"""Of each released study: what the committee keeps of what was dealt, and a member's opening."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "dealings",
        sa.Column("plan", sa.LargeBinary, sa.ForeignKey("studies.digest"), primary_key=True),
        sa.Column("opening", sa.LargeBinary, nullable=False),
        sa.Column("kept", sa.LargeBinary, nullable=True),
    )
