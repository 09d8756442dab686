"""What registries were told, and when it changed.

Revision ID: 0007_registry
Revises: 0006_jobs
"""

import sqlalchemy as sa
from alembic import op

revision = "0007_registry"
down_revision = "0006_jobs"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "registry_records",
        sa.Column("ivoid", sa.String(512), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("ivoid", name="pk_registry_records"),
    )


def downgrade() -> None:
    """Remove it."""
    op.drop_table("registry_records")
