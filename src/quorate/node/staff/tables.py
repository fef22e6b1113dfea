"""The tables of the staff in the node's database. An invitation is known by its digest only."""

import sqlalchemy as sa

from quorate.node.store import schema

staff = sa.Table(
    "staff",
    schema,
    sa.Column("name", sa.String(63), primary_key=True),
    sa.Column("role", sa.String(32), nullable=False),
    sa.Column("since", sa.String(20), nullable=False),
)
credentials = sa.Table(
    "staff_credentials",
    schema,
    sa.Column("id", sa.LargeBinary, primary_key=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("person", sa.String(63), sa.ForeignKey("staff.name"), nullable=False),
    sa.Column("public_key", sa.LargeBinary, nullable=False),
    sa.Column("uses", sa.Integer, nullable=False),
)
invitations = sa.Table(
    "staff_invitations",
    schema,
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    sa.Column("name", sa.String(63), nullable=False),
    sa.Column("role", sa.String(32), nullable=False),
    sa.Column("until", sa.String(20), nullable=False),
)
