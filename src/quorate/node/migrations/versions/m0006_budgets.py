"""Ledgers of what was released under privacy, and the owner's caps."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ledger",
        sa.Column("dataset", sa.String(63), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("entry", sa.LargeBinary, nullable=False),
    )
    op.create_index("ledger_by_name", "ledger", ["dataset", "name", "number"])
    op.create_table(
        "caps",
        sa.Column("dataset", sa.String(63), primary_key=True),
        sa.Column("cap", sa.LargeBinary, nullable=False),
    )
