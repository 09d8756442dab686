"""The groups in the system database, who belongs to them, and invitations to join."""

from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    ForeignKey,
    Row,
    String,
    Table,
    delete,
    insert,
    select,
    update,
)

from awe.errors import ConflictError
from awe.services.identity.model import Group, GroupRole, GroupState, Invitation, Member
from awe.services.identity.stores._memberships import assign, groups, memberships, taken_by, users
from awe.services.system import SystemDatabase, UtcDateTime, metadata

__all__ = ["GroupStore"]

_invitations = Table(
    "invitations",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("group", String(255), ForeignKey(groups.c.name, ondelete="CASCADE"), nullable=False, index=True),
    Column("user", String(255), ForeignKey(users.c.name, ondelete="CASCADE"), index=True),  # none: by a key
    Column("key_hash", String(64), unique=True),
    Column("role", String(16), nullable=False),
    Column("by", String(255), nullable=False),
    Column("created", UtcDateTime, nullable=False),
    Column("expires", UtcDateTime, nullable=False),
)
_HAND = ""
"""The source of a membership that people here decided."""


class GroupStore:
    """Read and write groups; of an invitation's key only its hash is seen here."""

    def __init__(self, system: SystemDatabase) -> None:
        self._system = system

    def add(self, name: str, title: str, owner: str) -> None:
        """Add a group; an empty owner for none.

        Raises
        ------
        ConflictError
            If the name is taken, by a user, a group or a role, also by one that is gone.
        """
        now = datetime.now(UTC)
        row = {"name": name, "title": title, "state": GroupState.ACTIVE.value, "created": now}
        with self._system.transaction() as connection:
            taken = taken_by(connection, name)
            if taken is not None:
                raise ConflictError(f"there is a {taken} {name!r} already")
            connection.execute(insert(groups).values(row))
            if owner:
                _put(connection, name, owner, GroupRole.OWNER, now)

    def group(self, name: str) -> Group | None:
        """Return a group that is not removed."""
        found = self._read(groups.c.name == name)
        return found[0] if found else None

    def groups(self, user: str | None = None) -> tuple[Group, ...]:
        """Return the groups that a user belongs to, or all, by name; none that is removed."""
        if user is None:
            return self._read()
        return self._read(groups.c.name.in_(select(memberships.c.group).where(memberships.c.user == user)))

    def _read(self, *conditions: ColumnElement[bool]) -> tuple[Group, ...]:
        query = select(groups).where(groups.c.state == GroupState.ACTIVE.value, *conditions)
        with self._system.reading() as connection:
            rows = connection.execute(query.order_by(groups.c.name)).all()
            names = [row.name for row in rows]
            members = connection.execute(
                select(memberships)
                .where(memberships.c.group.in_(names))
                .order_by(memberships.c.user, memberships.c.source)
            ).all()
        of: dict[str, list[Member]] = {name: [] for name in names}
        for row in members:
            of[row.group].append(Member(row.user, GroupRole(row.role), row.since, row.source))
        return tuple(
            Group(row.name, row.title, GroupState(row.state), row.created, tuple(of[row.name]))
            for row in rows
        )

    def rename(self, name: str, title: str) -> None:
        """Give a group another title."""
        with self._system.transaction() as connection:
            connection.execute(update(groups).where(groups.c.name == name).values(title=title))

    def remove(self, name: str) -> None:
        """Leave nothing of a group but its name, which stays taken."""
        with self._system.transaction() as connection:
            connection.execute(
                update(groups).where(groups.c.name == name).values(state=GroupState.REMOVED.value, title="")
            )
            for table in (memberships, _invitations):
                connection.execute(delete(table).where(table.c.group == name))

    def put_member(self, name: str, user: str, role: GroupRole) -> None:
        """Let a user belong to a group by hand, in a role that is not the owner's."""
        with self._system.transaction() as connection:
            _put(connection, name, user, role, datetime.now(UTC))

    def drop_member(self, name: str, user: str) -> bool:
        """End a membership that came about by hand; False if there is none."""
        with self._system.transaction() as connection:
            return connection.execute(delete(memberships).where(_by_hand(name, user))).rowcount > 0

    def give(self, name: str, user: str) -> None:
        """Make a user the owner; who was it becomes an administrator of the group."""
        owns = (memberships.c.group == name) & (memberships.c.role == GroupRole.OWNER.value)
        with self._system.transaction() as connection:
            connection.execute(update(memberships).where(owns).values(role=GroupRole.ADMINISTRATOR.value))
            _put(connection, name, user, GroupRole.OWNER, datetime.now(UTC))

    def assign(self, user: str, source: str, wanted: Iterable[str]) -> tuple[str, ...]:
        """Let a user belong by `source` to exactly these groups, and to those of other sources as before.

        Parameters
        ----------
        source
            Name of the login provider that says so; never empty.
        wanted
            Groups. Those that are missing are made, without an owner: administrators look after them.

        Returns
        -------
        The groups that this cannot be done for: they were removed here, or the name is no name, or that of a
        user or a role.
        """
        with self._system.transaction() as connection:
            return assign(connection, user, source, wanted)

    # Invitations

    def invite(self, invitation: Invitation, key_hash: str | None) -> None:
        """Keep an invitation; an earlier one of the same user to the same group ends, and those that are over."""
        row = {
            "id": invitation.id,
            "group": invitation.group,
            "user": invitation.user or None,
            "key_hash": key_hash,
            "role": invitation.role.value,
            "by": invitation.by,
            "created": invitation.created,
            "expires": invitation.expires,
        }
        over = _invitations.c.expires < invitation.created
        again = (_invitations.c.group == invitation.group) & (_invitations.c.user == invitation.user)
        with self._system.transaction() as connection:
            connection.execute(delete(_invitations).where(over | again))
            connection.execute(insert(_invitations).values(row))

    def invitations(
        self, now: datetime, *, group: str | None = None, user: str | None = None
    ) -> tuple[Invitation, ...]:
        """Return the invitations that are good at `now`, of a group, of a user, the newest first."""
        query = select(_invitations).where(_invitations.c.expires >= now)
        if group is not None:
            query = query.where(_invitations.c.group == group)
        if user is not None:
            query = query.where(_invitations.c.user == user)
        with self._system.reading() as connection:
            rows = connection.execute(query.order_by(_invitations.c.created.desc(), _invitations.c.id)).all()
        return tuple(map(_invitation, rows))

    def invitation(self, invitation_id: str, now: datetime) -> Invitation | None:
        """Return an invitation that is good at `now`, by its id."""
        good = (_invitations.c.id == invitation_id) & (_invitations.c.expires >= now)
        with self._system.reading() as connection:
            row = connection.execute(select(_invitations).where(good)).first()
            return _invitation(row) if row else None

    def invitation_of(self, key_hash: str, now: datetime) -> Invitation | None:
        """Return an invitation that is good at `now`, by its key."""
        good = (_invitations.c.key_hash == key_hash) & (_invitations.c.expires >= now)
        with self._system.reading() as connection:
            row = connection.execute(select(_invitations).where(good)).first()
            return _invitation(row) if row else None

    def accept(self, invitation: Invitation, user: str) -> bool:
        """Let a user belong to the group of an invitation, which ends; False if it ended meanwhile.

        Who may more in the group already keeps that.
        """
        with self._system.transaction() as connection:
            found = connection.execute(delete(_invitations).where(_invitations.c.id == invitation.id))
            if not found.rowcount:
                return False
            has = connection.scalar(select(memberships.c.role).where(_by_hand(invitation.group, user)))
            ranks = list(GroupRole)
            if has is None or ranks.index(GroupRole(has)) > ranks.index(invitation.role):
                _put(connection, invitation.group, user, invitation.role, datetime.now(UTC))
            return True

    def drop_invitation(self, invitation_id: str) -> None:
        """End an invitation."""
        with self._system.transaction() as connection:
            connection.execute(delete(_invitations).where(_invitations.c.id == invitation_id))


def _by_hand(name: str, user: str) -> ColumnElement[bool]:
    return (memberships.c.group == name) & (memberships.c.user == user) & (memberships.c.source == _HAND)


def _put(connection: Connection, name: str, user: str, role: GroupRole, now: datetime) -> None:
    changed = connection.execute(update(memberships).where(_by_hand(name, user)).values(role=role.value))
    if not changed.rowcount:
        row = {"group": name, "user": user, "source": _HAND, "role": role.value, "since": now}
        connection.execute(insert(memberships).values(row))


def _invitation(row: Row[tuple[object, ...]]) -> Invitation:
    return Invitation(
        row.id, row.group, row.user or "", GroupRole(row.role), row.by, row.created, row.expires
    )
