"""Jobs: the queue and what became of it.

Revision ID: 0006_jobs
Revises: 0005_coverages
"""

import sqlalchemy as sa
from alembic import op

revision = "0006_jobs"
down_revision = "0005_coverages"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("owner", sa.String(255), nullable=False),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("phase", sa.String(16), nullable=False),
        sa.Column("created", _MOMENT, nullable=False),
        sa.Column("queued", _MOMENT),
        sa.Column("started", _MOMENT),
        sa.Column("ended", _MOMENT),
        sa.Column("destruction", _MOMENT, nullable=False),
        sa.Column("duration_s", sa.Integer, nullable=False),
        sa.Column("parameters", sa.JSON, nullable=False),
        sa.Column("order", sa.JSON, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("losses", sa.Integer, nullable=False),
        sa.Column("progress", sa.JSON),
        sa.Column("results", sa.JSON, nullable=False),
        sa.Column("error", sa.JSON),
        sa.Column("lease_owner", sa.String(64)),
        sa.Column("lease_until", _MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
    )
    op.create_index("ix_jobs_destruction", "jobs", ["destruction"])
    op.create_index("ix_jobs_owner_kind_created", "jobs", ["owner", "kind", "created"])
    op.create_index("ix_jobs_phase_queued", "jobs", ["phase", "queued"])


def downgrade() -> None:
    """Remove it."""
    op.drop_table("jobs")
