"""The history: every query of those who are logged in.

Revision ID: 0015_history
Revises: 0014_grants
"""

import sqlalchemy as sa
from alembic import op

revision = "0015_history"
down_revision = "0014_grants"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "history",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("owner", sa.String(255), nullable=False),
        sa.Column("face", sa.String(32), nullable=False),
        sa.Column("dialect", sa.String(16), nullable=False),
        sa.Column("context", sa.String(255), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("into", sa.String(255), nullable=False),
        sa.Column("begun", _MOMENT, nullable=False),
        sa.Column("ended", _MOMENT),
        sa.Column("phase", sa.String(16), nullable=False),
        sa.Column("seconds", sa.Float),
        sa.Column("rows", sa.BigInteger),
        sa.Column("bytes", sa.BigInteger),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("job", sa.String(64), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_history"),
    )
    op.create_index("ix_history_owner_begun", "history", ["owner", "begun"])
    op.create_index("ix_history_begun", "history", ["begun"])
    op.create_index("ix_history_job", "history", ["job"])


def downgrade() -> None:
    """Remove it."""
    op.drop_table("history")
