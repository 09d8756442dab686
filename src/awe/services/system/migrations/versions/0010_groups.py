"""Groups, who belongs to them, and invitations.

What the accounts said of groups becomes memberships by hand in groups without an owner, which administrators look
after.

Revision ID: 0010_groups
Revises: 0009_accounts
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0010_groups"
down_revision = "0009_accounts"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_USERS = sa.table(
    "users", sa.column("name", sa.String), sa.column("state", sa.String), sa.column("groups", sa.JSON)
)


def upgrade() -> None:
    """Make the tables and fill them from the accounts' lists."""
    connection = op.get_bind()
    belong = [
        (row.name, group)
        for row in connection.execute(sa.select(_USERS).where(_USERS.c.state != "removed"))
        for group in dict.fromkeys(row.groups)
    ]
    op.create_table(
        "groups",
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("created", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_groups"),
    )
    op.create_table(
        "memberships",
        sa.Column("group", sa.String(255), nullable=False),
        sa.Column("user", sa.String(255), nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("since", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("group", "user", "source", name="pk_memberships"),
        _key("memberships", "group", "groups"),
        _key("memberships", "user", "users"),
    )
    op.create_index("ix_memberships_user", "memberships", ["user"])
    op.create_table(
        "invitations",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("group", sa.String(255), nullable=False),
        sa.Column("user", sa.String(255)),
        sa.Column("key_hash", sa.String(64)),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("by", sa.String(255), nullable=False),
        sa.Column("created", _MOMENT, nullable=False),
        sa.Column("expires", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_invitations"),
        sa.UniqueConstraint("key_hash", name="uq_invitations_key_hash"),
        _key("invitations", "group", "groups"),
        _key("invitations", "user", "users"),
    )
    for column in ("group", "user"):
        op.create_index(f"ix_invitations_{column}", "invitations", [column])
    with op.batch_alter_table("users") as users:
        users.drop_column("groups")
    now = datetime.now(UTC)
    names = sorted({group for _, group in belong})
    if names:
        rows = [{"name": name, "title": "", "state": "active", "created": now} for name in names]
        connection.execute(sa.insert(_table("groups", "name", "title", "state", moment="created")), rows)
        rows = [
            {"group": group, "user": user, "source": "", "role": "member", "since": now}
            for user, group in belong
        ]
        table = _table("memberships", "group", "user", "source", "role", moment="since")
        connection.execute(sa.insert(table), rows)


def downgrade() -> None:
    """Put the groups back into the accounts; who may what in them is lost."""
    connection = op.get_bind()
    query = sa.text(
        'SELECT DISTINCT m."user", m."group" FROM memberships m JOIN groups g ON g.name = m."group" '
        "WHERE g.state = 'active' ORDER BY 1, 2"
    )
    of: dict[str, list[str]] = {}
    for user, group in connection.execute(query):
        of.setdefault(user, []).append(group)
    for name in ("invitations", "memberships", "groups"):
        op.drop_table(name)
    # the default stays: SQLite would make the table anew to take it away, and with it what points to users
    op.add_column("users", sa.Column("groups", sa.JSON, nullable=False, server_default="[]"))
    for user, groups in of.items():
        change = sa.update(_USERS).where(_USERS.c.name == user).values(groups=groups)
        connection.execute(change)


def _key(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{target}.name"], name=f"fk_{table}_{column}_{target}", ondelete="CASCADE"
    )


def _table(name: str, *texts: str, moment: str) -> sa.TableClause:
    return sa.table(name, *(sa.column(text, sa.String) for text in texts), sa.column(moment, _MOMENT))
