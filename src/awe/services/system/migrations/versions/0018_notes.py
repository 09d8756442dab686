"""What is said of the columns of described functions.

Revision ID: 0018_notes
Revises: 0017_own_tables
"""

import sqlalchemy as sa
from alembic import op

revision = "0018_notes"
down_revision = "0017_own_tables"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing is said of the functions that are there."""
    with op.batch_alter_table("table_functions") as functions:
        functions.add_column(sa.Column("columns", sa.JSON, nullable=False, server_default="[]"))


def downgrade() -> None:
    """Forget it."""
    with op.batch_alter_table("table_functions") as functions:
        functions.drop_column("columns")
