"""Count failed logins where all server processes see them.

Revision ID: 0021_failures
Revises: 0020_changes
"""

import sqlalchemy as sa
from alembic import op

revision = "0021_failures"
down_revision = "0020_changes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "failures",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_failures"),
    )
    op.create_index("ix_failures_subject", "failures", ["subject"])
    op.create_index("ix_failures_at", "failures", ["at"])


def downgrade() -> None:
    """Remove it."""
    op.drop_table("failures")
