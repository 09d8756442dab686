"""The part of the sky that each collection covers.

Revision ID: 0004_coverages
Revises: 0003_foreign_keys
"""

import sqlalchemy as sa
from alembic import op

revision = "0004_coverages"
down_revision = "0003_foreign_keys"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "collection_coverages",
        sa.Column("collection", sa.String(128), nullable=False),
        sa.Column("moc", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("collection", name="pk_collection_coverages"),
    )


def downgrade() -> None:
    """Remove it."""
    op.drop_table("collection_coverages")
