"""Answers to requests to unlock, and the register of plain files."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "parts",
        sa.Column("subject", sa.LargeBinary, primary_key=True),
        sa.Column("identifier", sa.Integer, primary_key=True),
        sa.Column("answer", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "register",
        sa.Column("share", sa.LargeBinary, primary_key=True),
        sa.Column("record", sa.Text, nullable=False),
    )
