"""The tables of keys and requests in the node's database."""

import sqlalchemy as sa

from quorate.node.store import schema

keys = sa.Table(
    "keys",
    schema,
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    sa.Column("plan", sa.LargeBinary, nullable=False),
    sa.Column("signature", sa.LargeBinary, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("key", sa.LargeBinary, nullable=True),
    sa.Column("key_id", sa.LargeBinary, nullable=True, unique=True),
    sa.Column("number", sa.Integer, nullable=False, unique=True),
)
requests = sa.Table(
    "requests",
    schema,
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    sa.Column("request", sa.LargeBinary, nullable=False),
    sa.Column("signature", sa.LargeBinary, nullable=False),
    sa.Column("document", sa.LargeBinary, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("result", sa.LargeBinary, nullable=True),
    sa.Column("number", sa.Integer, nullable=False, unique=True),
)
answers = sa.Table(
    "answers",
    schema,
    sa.Column("subject", sa.LargeBinary, primary_key=True),
    sa.Column("member", sa.String(32), primary_key=True),
    sa.Column("answer", sa.LargeBinary, nullable=False),
)
postings = sa.Table(
    "postings",
    schema,
    sa.Column("session", sa.LargeBinary, primary_key=True),
    sa.Column("round", sa.Integer, primary_key=True),
    sa.Column("member", sa.String(32), primary_key=True),
    sa.Column("posting", sa.LargeBinary, nullable=False),
)
sealed = sa.Table(
    "sealed",
    schema,
    sa.Column("name", sa.String(100), primary_key=True),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
)
