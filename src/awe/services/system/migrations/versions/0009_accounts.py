"""States of accounts, tokens with scopes, links that set a password, other account systems' names, the audit log.

Accounts stay as they are and are active. Tokens stay valid: they become those of a login, which may do everything.

Revision ID: 0009_accounts
Revises: 0008_job_parts
"""

import secrets
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0009_accounts"
down_revision = "0008_job_parts"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_SCOPES = ["admin", "publish", "read", "run", "share", "write"]


def upgrade() -> None:
    """Complete the accounts, make the tokens anew, make the other tables."""
    with op.batch_alter_table("users") as users:
        users.add_column(sa.Column("state", sa.String(16), nullable=False, server_default="active"))
        users.add_column(sa.Column("display_name", sa.Text, nullable=False, server_default=""))
        users.add_column(sa.Column("email", sa.Text, nullable=False, server_default=""))
        users.add_column(sa.Column("last_login", _MOMENT))
    _tokens()
    op.create_table(
        "external_identities",
        sa.Column("provider", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("user", sa.String(255), nullable=False),
        sa.Column("created", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("provider", "subject", name="pk_external_identities"),
        _of_user("external_identities"),
    )
    op.create_index("ix_external_identities_user", "external_identities", ["user"])
    op.create_table(
        "password_links",
        sa.Column("key_hash", sa.String(64), nullable=False),
        sa.Column("user", sa.String(255), nullable=False),
        sa.Column("expires", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("key_hash", name="pk_password_links"),
        _of_user("password_links"),
    )
    op.create_index("ix_password_links_user", "password_links", ["user"])
    op.create_table(
        "audit",
        sa.Column("number", sa.Integer, autoincrement=True, nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("user", sa.String(255), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("request", sa.String(64), nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("details", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_audit"),
    )
    for column in ("at", "user", "action"):
        op.create_index(f"ix_audit_{column}", "audit", [column])


def downgrade() -> None:
    """Keep what the older tables know; tokens with less than all scopes are dropped, they would gain some."""
    connection = op.get_bind()
    kept = [
        {"token_hash": row.hash, "user": row.user, "expires": row.expires.replace(tzinfo=UTC).timestamp()}
        for row in connection.execute(sa.select(_new_tokens()))
        if row.kind == "login"
    ]
    for name in ("audit", "password_links", "external_identities", "tokens"):
        op.drop_table(name)
    # before tokens point to it: SQLite makes the table anew, and what points to the old one would go with it
    with op.batch_alter_table("users") as users:
        for column in ("last_login", "email", "display_name", "state"):
            users.drop_column(column)
    op.create_table(
        "tokens",
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("user", sa.String(255), nullable=False),
        sa.Column("expires", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name="pk_tokens"),
        _of_user("tokens"),
    )
    op.create_index("ix_tokens_user", "tokens", ["user"])
    if kept:
        connection.execute(sa.insert(_old_tokens()), kept)


def _tokens() -> None:
    connection = op.get_bind()
    now = datetime.now(UTC)
    kept = [
        {
            "id": secrets.token_hex(8),
            "hash": row.token_hash,
            "user": row.user,
            "kind": "login",
            "label": "",
            "scopes": _SCOPES,
            "created": now,
            "expires": datetime.fromtimestamp(row.expires, UTC),
        }
        for row in connection.execute(sa.select(_old_tokens()))
    ]
    op.drop_table("tokens")
    op.create_table(
        "tokens",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("user", sa.String(255), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("scopes", sa.JSON, nullable=False),
        sa.Column("created", _MOMENT, nullable=False),
        sa.Column("expires", _MOMENT, nullable=False),
        sa.Column("last_used", _MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_tokens"),
        sa.UniqueConstraint("hash", name="uq_tokens_hash"),
        _of_user("tokens"),
    )
    op.create_index("ix_tokens_user", "tokens", ["user"])
    if kept:
        connection.execute(sa.insert(_new_tokens()), kept)


def _of_user(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["user"], ["users.name"], name=f"fk_{table}_user_users", ondelete="CASCADE"
    )


def _old_tokens() -> sa.TableClause:
    return sa.table(
        "tokens",
        sa.column("token_hash", sa.String),
        sa.column("user", sa.String),
        sa.column("expires", sa.Float),
    )


def _new_tokens() -> sa.TableClause:
    texts = (sa.column(name, sa.String) for name in ("id", "hash", "user", "kind", "label"))
    moments = (sa.column(name, _MOMENT) for name in ("created", "expires"))
    return sa.table("tokens", *texts, sa.column("scopes", sa.JSON), *moments)
