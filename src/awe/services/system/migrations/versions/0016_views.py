"""Views that are described with tables; described functions that give values.

Revision ID: 0016_views
Revises: 0015_history
"""

import sqlalchemy as sa
from alembic import op

revision = "0016_views"
down_revision = "0015_history"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of views; the functions that are there are parametrised views."""
    with op.batch_alter_table("table_functions") as functions:
        functions.add_column(sa.Column("kind", sa.String(16), nullable=False, server_default="table"))
        functions.add_column(sa.Column("unit", sa.Text, nullable=False, server_default=""))
    op.create_table(
        "table_views",
        sa.Column("table_id", sa.Integer, nullable=False),
        sa.Column("schema", sa.String(128), nullable=False),
        sa.Column("folded", sa.String(128), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("sql", sa.Text, nullable=False),
        sa.Column("columns", sa.JSON, nullable=False),
        sa.Column("reads", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("schema", "folded", name="pk_table_views"),
        sa.ForeignKeyConstraint(
            ["table_id"], ["tables.id"], name="fk_table_views_table_id_tables", ondelete="CASCADE"
        ),
    )


def downgrade() -> None:
    """Forget the views, and the functions that give values."""
    op.drop_table("table_views")
    op.execute("DELETE FROM table_functions WHERE kind <> 'table'")
    with op.batch_alter_table("table_functions") as functions:
        functions.drop_column("unit")
        functions.drop_column("kind")
