"""The staff of the console: people, what they sign in with, invitations."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "staff",
        sa.Column("name", sa.String(63), primary_key=True),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("since", sa.String(20), nullable=False),
    )
    op.create_table(
        "staff_credentials",
        sa.Column("id", sa.LargeBinary, primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("person", sa.String(63), sa.ForeignKey("staff.name"), nullable=False),
        sa.Column("public_key", sa.LargeBinary, nullable=False),
        sa.Column("uses", sa.Integer, nullable=False),
    )
    op.create_table(
        "staff_invitations",
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("name", sa.String(63), nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("until", sa.String(20), nullable=False),
    )
