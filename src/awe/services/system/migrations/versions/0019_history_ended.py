"""The history: find what has not ended without reading all of it.

Revision ID: 0019_history_ended
Revises: 0018_notes
"""

from alembic import op

revision = "0019_history_ended"
down_revision = "0018_notes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index."""
    op.create_index("ix_history_owner_ended", "history", ["owner", "ended"])


def downgrade() -> None:
    """Remove it."""
    op.drop_index("ix_history_owner_ended", "history")
