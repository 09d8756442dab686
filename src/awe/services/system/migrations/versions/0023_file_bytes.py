"""How much is sent of the files of tables.

Revision ID: 0023_file_bytes
Revises: 0022_engines
"""

import sqlalchemy as sa
from alembic import op

revision = "0023_file_bytes"
down_revision = "0022_engines"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the sum to each line of usage; before it nothing was counted."""
    with op.batch_alter_table("usage") as usage:
        usage.add_column(sa.Column("file_bytes", sa.BigInteger, nullable=False, server_default="0"))


def downgrade() -> None:
    """Forget it."""
    with op.batch_alter_table("usage") as usage:
        usage.drop_column("file_bytes")
