"""Grants: one table of who may do what; the readers of tables move into it. Jobs keep what their token allowed.

Tables without readers, and collections, are everybody's. A reader was a bare name; it becomes every principal of that
name that is there. One that nobody has becomes a role, which administrators alone can give.

Revision ID: 0014_grants
Revises: 0013_quotas
"""

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0014_grants"
down_revision = "0013_quotas"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_SCOPES = '["admin", "publish", "read", "run", "share", "write"]'
_TABLES = sa.table(
    "tables",
    sa.column("id", sa.Integer),
    sa.column("schema", sa.String),
    sa.column("folded", sa.String),
    sa.column("readers", sa.JSON),
)
_GRANTS = sa.table(
    "grants",
    *(
        sa.column(name, sa.String)
        for name in ("id", "kind", "name", "action", "principal", "source", "by", "label")
    ),
    sa.column("created", _MOMENT),
)


def upgrade() -> None:
    """Make the table, and fill it with what is open to whom now."""
    connection = op.get_bind()
    op.create_table(
        "grants",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("principal", sa.String(255), nullable=False),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("by", sa.String(255), nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("key_hash", sa.String(64)),
        sa.Column("created", _MOMENT, nullable=False),
        sa.Column("expires", _MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_grants"),
        sa.UniqueConstraint("key_hash", name="uq_grants_key_hash"),
    )
    op.create_index("ix_grants_kind_name", "grants", ["kind", "name"])
    op.create_index("ix_grants_principal_kind", "grants", ["principal", "kind"])
    rows = [*_of_tables(connection), *_of_collections(connection)]
    if rows:
        connection.execute(sa.insert(_GRANTS), rows)
    with op.batch_alter_table("tables") as tables:
        tables.drop_column("readers")
    with op.batch_alter_table("jobs") as jobs:
        jobs.add_column(sa.Column("scopes", sa.JSON, nullable=False, server_default=_SCOPES))
    with op.batch_alter_table("jobs") as jobs:
        jobs.alter_column("scopes", server_default=None)


def downgrade() -> None:
    """Put the readers back into the tables; all other grants are lost."""
    connection = op.get_bind()
    query = sa.select(_GRANTS.c.name, _GRANTS.c.principal).where(
        _GRANTS.c.kind == "table", _GRANTS.c.source == "publisher"
    )
    of: dict[str, list[str]] = {}
    for name, principal in connection.execute(query):
        of.setdefault(name, []).append(principal)
    op.drop_table("grants")
    with op.batch_alter_table("jobs") as jobs:
        jobs.drop_column("scopes")
    # the default stays: SQLite would make the table anew to take it away, and with it what points to tables
    op.add_column("tables", sa.Column("readers", sa.JSON, nullable=False, server_default="[]"))
    found = connection.execute(sa.select(_TABLES.c.id, _TABLES.c.schema, _TABLES.c.folded)).all()
    for row in found:
        principals = of.get(f"{row.schema}.{row.folded}", [])
        # a list that names nobody would open the table to everybody
        names = sorted({p.partition(":")[2] for p in principals if p != "everybody"}) or ["administrator"]
        readers = [] if "everybody" in principals else names
        connection.execute(sa.update(_TABLES).where(_TABLES.c.id == row.id).values(readers=readers))


def _of_tables(connection: sa.Connection) -> Iterator[dict[str, object]]:
    found = connection.execute(sa.select(_TABLES)).all()
    names = {reader for row in found for reader in row.readers}
    of = {name: _principals(connection, name) for name in names}
    for row in found:
        readers = {principal for name in row.readers for principal in of[name]} or {"everybody"}
        for principal in sorted(readers):
            yield _grant("table", f"{row.schema}.{row.folded}", principal)


def _of_collections(connection: sa.Connection) -> Iterator[dict[str, object]]:
    names = connection.scalars(sa.text("SELECT DISTINCT collection FROM datasets")).all()
    for name in sorted({name.casefold() for name in names}):
        yield _grant("collection", name, "everybody")


def _principals(connection: sa.Connection, name: str) -> list[str]:
    found = [
        f"{prefix}:{name}"
        for prefix, table in (("user", "users"), ("group", "groups"))
        if connection.execute(
            sa.text(f"SELECT 1 FROM {table} WHERE name = :n"), {"n": name}
        ).first()  # our own names
    ]
    roles = connection.scalars(sa.select(sa.column("roles", sa.JSON)).select_from(sa.table("users"))).all()
    if not found or any(name in words for words in roles):
        found.append(f"role:{name}")
    return found


def _grant(kind: str, name: str, principal: str) -> dict[str, object]:
    return {
        "id": secrets.token_hex(8),
        "kind": kind,
        "name": name,
        "action": "read",
        "principal": principal,
        "source": "publisher",
        "by": "",
        "label": "",
        "created": datetime.now(UTC),
    }
