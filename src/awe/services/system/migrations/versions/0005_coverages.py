"""The part of the sky that each collection covers.

Revision ID: 0005_coverages
Revises: 0004_datasets
"""

import sqlalchemy as sa
from alembic import op

revision = "0005_coverages"
down_revision = "0004_datasets"
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
