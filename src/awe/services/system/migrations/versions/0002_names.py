"""Names that Sesame has resolved.

Revision ID: 0002_names
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002_names"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "resolved_names",
        sa.Column("folded", sa.String(255), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("ra", sa.Float, nullable=False),
        sa.Column("dec", sa.Float, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("asked", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("folded", name="pk_resolved_names"),
    )


def downgrade() -> None:
    """Remove it."""
    op.drop_table("resolved_names")
