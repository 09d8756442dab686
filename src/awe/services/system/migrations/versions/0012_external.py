"""What is known of a user's identities elsewhere, and which logins came by a login there.

Revision ID: 0012_external
Revises: 0011_provider
"""

import sqlalchemy as sa
from alembic import op

revision = "0012_external"
down_revision = "0011_provider"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and the table."""
    with op.batch_alter_table("external_identities") as external:
        external.add_column(sa.Column("name", sa.Text, nullable=False, server_default=""))
        external.add_column(sa.Column("roles", sa.JSON, nullable=False, server_default="[]"))
        external.add_column(sa.Column("last_login", sa.DateTime(timezone=True)))
    op.create_table(
        "token_origins",
        sa.Column("token", sa.String(32), nullable=False),
        sa.Column("provider", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("session", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("token", name="pk_token_origins"),
        sa.ForeignKeyConstraint(
            ["token"], ["tokens.id"], name="fk_token_origins_token_tokens", ondelete="CASCADE"
        ),
    )


def downgrade() -> None:
    """Leave them out."""
    op.drop_table("token_origins")
    with op.batch_alter_table("external_identities") as external:
        for column in ("last_login", "roles", "name"):
            external.drop_column(column)
