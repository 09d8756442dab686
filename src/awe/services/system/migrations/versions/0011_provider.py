"""awe as OpenID provider: codes, device codes, authorizations, refresh tokens, signing keys.

Tokens learn which client they were given to, and by which authorization; those that are there stay as they are.

Revision ID: 0011_provider
Revises: 0010_groups
"""

import sqlalchemy as sa
from alembic import op

revision = "0011_provider"
down_revision = "0010_groups"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables, complete the tokens."""
    op.create_table(
        "authorizations",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("user", sa.String(255), nullable=False),
        sa.Column("client", sa.String(64), nullable=False),
        sa.Column("scopes", sa.JSON, nullable=False),
        sa.Column("auth_time", _MOMENT, nullable=False),
        sa.Column("created", _MOMENT, nullable=False),
        sa.Column("expires", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_authorizations"),
        _of("authorizations", "user", "users.name"),
    )
    op.create_index("ix_authorizations_user", "authorizations", ["user"])
    op.create_table(
        "refresh_tokens",
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("authorization", sa.String(32), nullable=False),
        sa.Column("expires", _MOMENT, nullable=False),
        sa.Column("used", _MOMENT),
        sa.PrimaryKeyConstraint("hash", name="pk_refresh_tokens"),
        _of("refresh_tokens", "authorization", "authorizations.id"),
    )
    op.create_index("ix_refresh_tokens_authorization", "refresh_tokens", ["authorization"])
    op.create_table(
        "authorization_codes",
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("user", sa.String(255), nullable=False),
        sa.Column("client", sa.String(64), nullable=False),
        sa.Column("redirect_uri", sa.Text, nullable=False),
        sa.Column("scopes", sa.JSON, nullable=False),
        sa.Column("nonce", sa.Text, nullable=False),
        sa.Column("challenge", sa.String(128), nullable=False),
        sa.Column("auth_time", _MOMENT, nullable=False),
        sa.Column("expires", _MOMENT, nullable=False),
        sa.Column("authorization", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_authorization_codes"),
        _of("authorization_codes", "user", "users.name"),
    )
    op.create_index("ix_authorization_codes_user", "authorization_codes", ["user"])
    op.create_table(
        "device_codes",
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("user_code_hash", sa.String(64), nullable=False),
        sa.Column("client", sa.String(64), nullable=False),
        sa.Column("scopes", sa.JSON, nullable=False),
        sa.Column("created", _MOMENT, nullable=False),
        sa.Column("expires", _MOMENT, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("user", sa.String(255)),
        sa.Column("auth_time", _MOMENT),
        sa.Column("interval_s", sa.Integer, nullable=False),
        sa.Column("asked", _MOMENT),
        sa.PrimaryKeyConstraint("hash", name="pk_device_codes"),
        sa.UniqueConstraint("user_code_hash", name="uq_device_codes_user_code_hash"),
        _of("device_codes", "user", "users.name"),
    )
    op.create_index("ix_device_codes_user", "device_codes", ["user"])
    op.create_table(
        "signing_keys",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("private", sa.Text, nullable=False),
        sa.Column("created", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_signing_keys"),
    )
    op.create_index("ix_signing_keys_created", "signing_keys", ["created"])
    with op.batch_alter_table("tokens") as tokens:
        tokens.add_column(sa.Column("client", sa.String(64), nullable=False, server_default=""))
        tokens.add_column(sa.Column("authorization", sa.String(32)))
        tokens.create_foreign_key(
            "fk_tokens_authorization_authorizations",
            "authorizations",
            ["authorization"],
            ["id"],
            ondelete="CASCADE",
        )
        tokens.create_index("ix_tokens_authorization", ["authorization"])


def downgrade() -> None:
    """Drop what clients were allowed: the older tables cannot say what their tokens may not do."""
    op.execute("DELETE FROM tokens WHERE kind = 'client'")
    with op.batch_alter_table("tokens") as tokens:
        tokens.drop_index("ix_tokens_authorization")
        tokens.drop_constraint("fk_tokens_authorization_authorizations", type_="foreignkey")
        tokens.drop_column("authorization")
        tokens.drop_column("client")
    for name in ("signing_keys", "device_codes", "authorization_codes", "refresh_tokens", "authorizations"):
        op.drop_table(name)


def _of(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_{column}_{other.partition('.')[0]}"
    return sa.ForeignKeyConstraint([column], [other], name=name, ondelete="CASCADE")
