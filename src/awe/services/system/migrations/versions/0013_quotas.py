"""Limits of what callers may use, what they used, leases of queries that run, and the size of jobs' files.

Revision ID: 0013_quotas
Revises: 0012_external
"""

import sqlalchemy as sa
from alembic import op

revision = "0013_quotas"
down_revision = "0012_external"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables; the size of the results that are there is known."""
    op.create_table(
        "quotas",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("principal", sa.String(255), nullable=False),
        sa.Column("measure", sa.String(32), nullable=False),
        sa.Column("amount", sa.BigInteger),
        sa.Column("since", _MOMENT),
        sa.Column("until", _MOMENT),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("by", sa.String(255), nullable=False),
        sa.Column("created", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_quotas"),
    )
    op.create_index("ix_quotas_principal", "quotas", ["principal"])
    op.create_table(
        "usage",
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("queries", sa.Integer, nullable=False),
        sa.Column("refused", sa.Integer, nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("query_s", sa.Float, nullable=False),
        sa.Column("jobs", sa.Integer, nullable=False),
        sa.Column("job_s", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("day", "subject", name="pk_usage"),
    )
    op.create_table(
        "query_leases",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("holder", sa.String(64), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("until", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_query_leases"),
    )
    op.create_index("ix_query_leases_subject", "query_leases", ["subject"])
    op.create_index("ix_query_leases_holder", "query_leases", ["holder"])
    with op.batch_alter_table("jobs") as jobs:
        jobs.add_column(sa.Column("bytes", sa.BigInteger, nullable=False, server_default="0"))
    _measure()


def _measure() -> None:
    jobs = sa.table(
        "jobs", sa.column("id", sa.String), sa.column("results", sa.JSON), sa.column("bytes", sa.BigInteger)
    )
    connection = op.get_bind()
    for row in connection.execute(sa.select(jobs.c.id, jobs.c.results)).all():
        size = sum(result["size"] for result in row.results)
        if size:
            connection.execute(sa.update(jobs).where(jobs.c.id == row.id).values(bytes=size))


def downgrade() -> None:
    """Remove them."""
    with op.batch_alter_table("jobs") as jobs:
        jobs.drop_column("bytes")
    for name in ("query_leases", "usage", "quotas"):
        op.drop_table(name)
