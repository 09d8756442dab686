"""Datasets may have no position, such as the spectra of templates; the index alone keeps positions.

Revision ID: 0004_datasets
Revises: 0003_foreign_keys
"""

import sqlalchemy as sa
from alembic import op

revision = "0004_datasets"
down_revision = "0003_foreign_keys"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Leave the positions to the index."""
    with op.batch_alter_table("datasets") as table:
        table.drop_column("ra")
        table.drop_column("dec")


def downgrade() -> None:
    """Bring the columns back; nothing reads them, so that they are empty."""
    with op.batch_alter_table("datasets") as table:
        table.add_column(sa.Column("ra", sa.Float))
        table.add_column(sa.Column("dec", sa.Float))
