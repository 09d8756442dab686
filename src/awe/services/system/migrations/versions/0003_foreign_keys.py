"""Foreign keys of published tables.

Revision ID: 0003_foreign_keys
Revises: 0002_names
"""

import sqlalchemy as sa
from alembic import op

revision = "0003_foreign_keys"
down_revision = "0002_names"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Give each table a list of its keys."""
    with op.batch_alter_table("tables") as tables:
        tables.add_column(sa.Column("foreign_keys", sa.JSON, nullable=False, server_default="[]"))


def downgrade() -> None:
    """Forget the keys."""
    with op.batch_alter_table("tables") as tables:
        tables.drop_column("foreign_keys")
