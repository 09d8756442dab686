"""The history: which engine made the rows of a query.

Revision ID: 0022_engines
Revises: 0021_failures
"""

import sqlalchemy as sa
from alembic import op

revision = "0022_engines"
down_revision = "0021_failures"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the column."""
    op.add_column("history", sa.Column("engine", sa.String(255), nullable=False, server_default=""))


def downgrade() -> None:
    """Remove it."""
    op.drop_column("history", "engine")
