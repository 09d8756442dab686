"""Accounts and tokens, published schemas and tables, datasets.

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the first tables."""
    _identity()
    _catalogs()
    _observations()


def downgrade() -> None:
    """Remove them."""
    for name in (
        "datasets",
        "catalog_state",
        "retired_versions",
        "table_functions",
        "table_columns",
        "tables",
        "schemas",
        "tokens",
        "users",
    ):
        op.drop_table(name)


def _identity() -> None:
    op.create_table(
        "users",
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("password_hash", sa.Text),
        sa.Column("roles", sa.JSON, nullable=False),
        sa.Column("groups", sa.JSON, nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_users"),
    )
    op.create_table(
        "tokens",
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("user", sa.String(255), nullable=False),
        sa.Column("expires", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name="pk_tokens"),
        sa.ForeignKeyConstraint(["user"], ["users.name"], name="fk_tokens_user_users", ondelete="CASCADE"),
    )
    op.create_index("ix_tokens_user", "tokens", ["user"])


def _catalogs() -> None:
    op.create_table(
        "schemas",
        sa.Column("folded", sa.String(128), nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("utype", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("folded", name="pk_schemas"),
    )
    op.create_table(
        "tables",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=True),
        sa.Column("schema", sa.String(128), nullable=False),
        sa.Column("folded", sa.String(128), nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("utype", sa.Text, nullable=False),
        sa.Column("metadata", sa.JSON, nullable=False),
        sa.Column("readers", sa.JSON, nullable=False),
        sa.Column("ra", sa.Text),
        sa.Column("dec", sa.Text),
        sa.Column("id_column", sa.Text),
        sa.Column("location", sa.Text, nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tables"),
        sa.UniqueConstraint("schema", "folded", name="uq_tables_schema_folded"),
        sa.ForeignKeyConstraint(["schema"], ["schemas.folded"], name="fk_tables_schema_schemas"),
    )
    op.create_table(
        "table_columns",
        sa.Column("table_id", sa.Integer, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("ucd", sa.Text, nullable=False),
        sa.Column("utype", sa.Text, nullable=False),
        sa.Column("xtype", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("principal", sa.Boolean, nullable=False),
        sa.Column("indexed", sa.Boolean, nullable=False),
        sa.Column("std", sa.Boolean, nullable=False),
        sa.Column("null", sa.BigInteger),
        sa.PrimaryKeyConstraint("table_id", "position", name="pk_table_columns"),
        sa.ForeignKeyConstraint(
            ["table_id"], ["tables.id"], name="fk_table_columns_table_id_tables", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "table_functions",
        sa.Column("table_id", sa.Integer, nullable=False),
        sa.Column("schema", sa.String(128), nullable=False),
        sa.Column("folded", sa.String(128), nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("parameters", sa.JSON, nullable=False),
        sa.Column("sql", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("schema", "folded", name="pk_table_functions"),
        sa.ForeignKeyConstraint(
            ["table_id"], ["tables.id"], name="fk_table_functions_table_id_tables", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "retired_versions",
        sa.Column("location", sa.String(255), nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("retired", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("location", name="pk_retired_versions"),
    )
    op.create_table(
        "catalog_state",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_catalog_state"),
    )
    op.execute(sa.text("INSERT INTO catalog_state (id, revision) VALUES (1, 0)"))


def _observations() -> None:
    op.create_table(
        "datasets",
        sa.Column("publisher_did", sa.String(512), nullable=False),
        sa.Column("obs_id", sa.String(255), nullable=False),
        sa.Column("collection", sa.String(128), nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("hdu", sa.Integer, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("mtime", sa.Float, nullable=False),
        sa.Column("header", sa.Text, nullable=False),
        sa.Column("ra", sa.Float, nullable=False),
        sa.Column("dec", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("publisher_did", name="pk_datasets"),
    )
    op.create_index("ix_datasets_obs_id", "datasets", ["obs_id"])
    op.create_index("ix_datasets_collection", "datasets", ["collection"])
