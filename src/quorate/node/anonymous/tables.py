"""The tables of anonymous runs in the node's database. No row of them says who wrote."""

import sqlalchemy as sa

from quorate.node.store import schema

report_runs = sa.Table(
    "report_runs",
    schema,
    sa.Column("sid", sa.LargeBinary, primary_key=True),
    sa.Column("number", sa.Integer, nullable=False, unique=True),
    sa.Column("run", sa.LargeBinary, nullable=False),
    sa.Column("claimed", sa.Boolean, nullable=False),
    sa.Column("decision", sa.String(8), nullable=False),  # key, seed, neither; or not yet
    sa.Column("past", sa.LargeBinary, nullable=True),  # where it went well
    sa.Column("shape", sa.LargeBinary, nullable=True),
    sa.Column("failure", sa.Text, nullable=False),
)
report_cells = sa.Table(
    "report_cells",
    schema,
    sa.Column("sid", sa.LargeBinary, sa.ForeignKey("report_runs.sid"), primary_key=True),
    sa.Column("cells", sa.LargeBinary, nullable=False),
    sa.Column("joint_secret", sa.LargeBinary, nullable=False),
)
report_texts = sa.Table(
    "report_texts",
    schema,
    sa.Column("sid", sa.LargeBinary, sa.ForeignKey("report_runs.sid"), primary_key=True),
    sa.Column("place", sa.Integer, primary_key=True),
    sa.Column("text", sa.LargeBinary, nullable=False),
)
report_evidence = sa.Table(
    "report_evidence",
    schema,
    sa.Column("sid", sa.LargeBinary, sa.ForeignKey("report_runs.sid"), primary_key=True),
    sa.Column("place", sa.Integer, primary_key=True),
    sa.Column("record", sa.LargeBinary, nullable=False),
)
report_culprits = sa.Table(
    "report_culprits",
    schema,
    sa.Column("sid", sa.LargeBinary, sa.ForeignKey("report_runs.sid"), primary_key=True),
    sa.Column("member", sa.String(32), primary_key=True),
    sa.Column("number", sa.Integer, nullable=False),
)
report_claims = sa.Table(
    "report_claims",
    schema,
    sa.Column("thread", sa.LargeBinary, primary_key=True),
    sa.Column("member", sa.String(32), primary_key=True),
    sa.Column("claim", sa.LargeBinary, nullable=False),
)
report_cards = sa.Table(
    "report_cards",
    schema,
    sa.Column("member", sa.String(32), primary_key=True),
    sa.Column("card", sa.LargeBinary, nullable=False),
)
report_silences = sa.Table(
    "report_silences",
    schema,
    sa.Column("sid", sa.LargeBinary, sa.ForeignKey("report_runs.sid"), primary_key=True),
    sa.Column("member", sa.String(32), primary_key=True),
    sa.Column("by", sa.String(32), primary_key=True),
    sa.Column("signature", sa.LargeBinary, nullable=False),
)
