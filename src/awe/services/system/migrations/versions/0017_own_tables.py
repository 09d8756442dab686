"""Users' schemas, and the versions of the tables in them.

Revision ID: 0017_own_tables
Revises: 0016_views
"""

import sqlalchemy as sa
from alembic import op

revision = "0017_own_tables"
down_revision = "0016_views"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "user_schemas",
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("owner", sa.String(255), nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_user_schemas"),
        sa.UniqueConstraint("owner", name="uq_user_schemas_owner"),
    )
    op.create_table(
        "table_versions",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("schema", sa.String(128), nullable=False),
        sa.Column("folded", sa.String(128), nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("location", sa.String(255), nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("columns", sa.JSON, nullable=False),
        sa.Column("metadata", sa.JSON, nullable=False),
        sa.Column("ra", sa.Text),
        sa.Column("dec", sa.Text),
        sa.Column("id_column", sa.Text),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("created", _MOMENT, nullable=False),
        sa.Column("ended", _MOMENT),
        sa.Column("statistics", sa.JSON),
        sa.PrimaryKeyConstraint("id", name="pk_table_versions"),
        sa.ForeignKeyConstraint(
            ["schema"], ["user_schemas.name"], name="fk_table_versions_schema_user_schemas"
        ),
        sa.UniqueConstraint("schema", "folded", "number", name="uq_table_versions_schema_folded_number"),
        sa.UniqueConstraint("location", name="uq_table_versions_location"),
    )


def downgrade() -> None:
    """Remove them."""
    op.drop_table("table_versions")
    op.drop_table("user_schemas")
