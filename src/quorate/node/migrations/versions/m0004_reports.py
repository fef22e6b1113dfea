"""Anonymous runs: what was decided in each, what they brought, who spoilt one, who claims what."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "report_runs",
        sa.Column("sid", sa.LargeBinary, primary_key=True),
        sa.Column("number", sa.Integer, nullable=False, unique=True),
        sa.Column("run", sa.LargeBinary, nullable=False),
        sa.Column("claimed", sa.Boolean, nullable=False),
        sa.Column("decision", sa.String(8), nullable=False),
        sa.Column("past", sa.LargeBinary, nullable=True),
        sa.Column("shape", sa.LargeBinary, nullable=True),
        sa.Column("failure", sa.Text, nullable=False),
    )
    op.create_table(
        "report_cells",
        sa.Column("sid", sa.LargeBinary, sa.ForeignKey("report_runs.sid"), primary_key=True),
        sa.Column("cells", sa.LargeBinary, nullable=False),
        sa.Column("joint_secret", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "report_texts",
        sa.Column("sid", sa.LargeBinary, sa.ForeignKey("report_runs.sid"), primary_key=True),
        sa.Column("place", sa.Integer, primary_key=True),
        sa.Column("text", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "report_evidence",
        sa.Column("sid", sa.LargeBinary, sa.ForeignKey("report_runs.sid"), primary_key=True),
        sa.Column("place", sa.Integer, primary_key=True),
        sa.Column("record", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "report_culprits",
        sa.Column("sid", sa.LargeBinary, sa.ForeignKey("report_runs.sid"), primary_key=True),
        sa.Column("member", sa.String(32), primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
    )
    op.create_table(
        "report_claims",
        sa.Column("thread", sa.LargeBinary, primary_key=True),
        sa.Column("member", sa.String(32), primary_key=True),
        sa.Column("claim", sa.LargeBinary, nullable=False),
    )
