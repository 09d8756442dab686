"""The files that come with jobs.

Revision ID: 0008_job_parts
Revises: 0007_registry
"""

import sqlalchemy as sa
from alembic import op

revision = "0008_job_parts"
down_revision = "0007_registry"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; jobs that are there came without files."""
    with op.batch_alter_table("jobs") as table:
        table.add_column(sa.Column("parts", sa.JSON, nullable=False, server_default="[]"))


def downgrade() -> None:
    """Remove it."""
    with op.batch_alter_table("jobs") as table:
        table.drop_column("parts")
