"""Count what is changed, so that it is quick to ask whether anything was.

Revision ID: 0020_changes
Revises: 0019_history_ended
"""

import sqlalchemy as sa
from alembic import op

revision = "0020_changes"
down_revision = "0019_history_ended"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the counter."""
    made = op.create_table(
        "changes",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_changes"),
    )
    op.bulk_insert(made, [{"id": 1, "number": 0}])


def downgrade() -> None:
    """Remove it."""
    op.drop_table("changes")
