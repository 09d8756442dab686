"""Who belongs to which group, and whose name is taken: what every store that says who somebody is has to read."""

from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    ForeignKey,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
)

from awe.services.identity._names import is_name
from awe.services.identity.model import ROLES, AccountState, GroupRole, GroupState
from awe.services.system import UtcDateTime, metadata

__all__ = ["assign", "groups", "groups_of", "memberships", "role_words", "taken_by", "users"]

users = Table(
    "users",
    metadata,
    Column("name", String(255), primary_key=True),
    Column("state", String(16), nullable=False, default=AccountState.ACTIVE.value),
    Column("display_name", Text, nullable=False, default=""),
    Column("email", Text, nullable=False, default=""),
    Column("password_hash", Text),  # none: another account system keeps it, or none was set yet
    Column("roles", JSON, nullable=False),
    Column("created", UtcDateTime, nullable=False),
    Column("last_login", UtcDateTime),
)
groups = Table(
    "groups",
    metadata,
    Column("name", String(255), primary_key=True),
    Column("title", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("created", UtcDateTime, nullable=False),
)
memberships = Table(
    "memberships",
    metadata,
    Column("group", String(255), ForeignKey(groups.c.name, ondelete="CASCADE"), primary_key=True),
    Column("user", String(255), ForeignKey(users.c.name, ondelete="CASCADE"), primary_key=True, index=True),
    Column("source", String(64), primary_key=True),  # "" by hand, else the login provider that says so
    Column("role", String(16), nullable=False),
    Column("since", UtcDateTime, nullable=False),
)


def groups_of(connection: Connection, names: Iterable[str] | None = None) -> dict[str, frozenset[str]]:
    """Return the groups that each of these users belongs to, of all users when None, however that came about."""
    query = (
        select(memberships.c.user, memberships.c.group)
        .join(groups, groups.c.name == memberships.c.group)
        .where(groups.c.state == GroupState.ACTIVE.value)
        .distinct()
    )
    if names is not None:
        query = query.where(memberships.c.user.in_(list(names)))
    found: dict[str, set[str]] = {}
    for row in connection.execute(query):
        found.setdefault(row.user, set()).add(row.group)
    return {user: frozenset(theirs) for user, theirs in found.items()}


def taken_by(connection: Connection, name: str) -> str | None:
    """Return what has a name already, ignoring case: a user, a group or a role, also one that is gone; else None."""
    folded = name.lower()
    for what, table in (("user", users), ("group", groups)):
        found = select(table.c.name).where(func.lower(table.c.name) == folded)
        if connection.execute(found).first() is not None:
            return what
    return "role" if folded in {word.lower() for word in role_words(connection)} else None


def role_words(connection: Connection) -> frozenset[str]:
    """Return the roles that awe knows, and the site's own that somebody has."""
    given: list[list[str]] = list(connection.scalars(select(users.c.roles)))
    return ROLES.union(*given)


def assign(connection: Connection, user: str, source: str, wanted: Iterable[str]) -> tuple[str, ...]:
    """Let a user belong by `source` to exactly these groups; return those that this cannot be done for.

    What other sources and people here decided stays. Groups that are missing are made, without an owner. It cannot
    be done where a group was removed, or the name is no name or that of a user or a role.
    """
    now = datetime.now(UTC)
    states = dict(connection.execute(select(groups.c.name, groups.c.state)).all())
    given, refused = set(), []
    for name in sorted(set(wanted)):
        if name not in states and is_name(name) and taken_by(connection, name) is None:
            row = {"name": name, "title": "", "state": GroupState.ACTIVE.value, "created": now}
            connection.execute(insert(groups).values(row))
            states[name] = GroupState.ACTIVE.value
        if states.get(name) == GroupState.ACTIVE.value:
            given.add(name)
        else:
            refused.append(name)
    theirs = (memberships.c.user == user) & (memberships.c.source == source)
    there = set(connection.scalars(select(memberships.c.group).where(theirs)))
    connection.execute(delete(memberships).where(theirs, memberships.c.group.in_(there - given)))
    rows = [
        {"group": name, "user": user, "source": source, "role": GroupRole.MEMBER.value, "since": now}
        for name in sorted(given - there)
    ]
    if rows:
        connection.execute(insert(memberships), rows)
    return tuple(refused)
