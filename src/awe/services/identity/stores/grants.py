"""The grants in the system database: who was allowed to do what, by whom, until when."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    Column,
    ColumnElement,
    Index,
    Row,
    String,
    Table,
    Text,
    delete,
    exists,
    false,
    func,
    insert,
    select,
    true,
    update,
)

from awe.errors import ConflictError
from awe.services.identity.model import READ, AccountState, GroupState, Identity
from awe.services.identity.principals import EVERYBODY, GROUP, ROLE, USER, split_principal
from awe.services.identity.stores._memberships import groups, role_words, users
from awe.services.system import Connection, SqlValue, SystemDatabase, UtcDateTime, metadata

__all__ = ["Grant", "GrantStore", "Resource"]

_grants = Table(
    "grants",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("name", String(255), nullable=False),
    Column("action", String(16), nullable=False),
    Column("principal", String(255), nullable=False),
    Column("source", String(16), nullable=False),
    Column("by", String(255), nullable=False),
    Column("label", Text, nullable=False),
    Column("key_hash", String(64), unique=True),  # of a link
    Column("created", UtcDateTime, nullable=False),
    Column("expires", UtcDateTime),
    Index("ix_grants_kind_name", "kind", "name"),
    Index("ix_grants_principal_kind", "principal", "kind"),
)
_PEOPLE, _PUBLISHER = "", "publisher"
"""Who decided: somebody here, or the description that something was published with."""


@dataclass(frozen=True, slots=True)
class Resource:
    """Something that can be read, changed, shared.

    Attributes
    ----------
    kind
        ``table``, ``collection``, ``job``, ``query``.
    name
        Names it among those of its kind, ignoring case.
    owner
        Name of the user whose it is; empty for what administrators look after.
    """

    kind: str
    name: str
    owner: str = ""

    @property
    def key(self) -> str:
        """The name in the one spelling that grants keep."""
        return self.name.casefold()


@dataclass(frozen=True, slots=True)
class Grant:
    """That a principal may do something with a resource.

    Attributes
    ----------
    id
        Names the grant, and is no secret.
    kind, name
        Of the resource, the name in the spelling of `Resource.key`.
    by
        Who gave it; empty for the description that the resource was published with.
    label
        What a link is called.
    expires
        Until when; None for good.
    """

    id: str
    kind: str
    name: str
    action: str
    principal: str
    by: str
    created: datetime
    expires: datetime | None = None
    label: str = ""

    def gives(self, action: str) -> bool:
        """Return whether it allows an action: whoever may do anything with something may read it."""
        return action in {self.action, READ}

    def is_good(self, now: datetime) -> bool:
        """Return whether it has not ended."""
        return self.expires is None or self.expires > now

    @property
    def is_declared(self) -> bool:
        """True for what the description says that the resource was published with."""
        return not self.by


class GrantStore:
    """Read and write grants; of a link's key only its hash is seen here."""

    def __init__(self, system: SystemDatabase) -> None:
        self._system = system

    def of(self, resource: Resource) -> tuple[Grant, ...]:
        """Return all that was granted on a resource, good or not, in the order in which it was."""
        return self._read((_grants.c.kind == resource.kind) & (_grants.c.name == resource.key))

    def to(self, principals: Iterable[str]) -> tuple[Grant, ...]:
        """Return all that was granted to principals by people."""
        return self._read(_grants.c.principal.in_(sorted(principals)) & (_grants.c.source == _PEOPLE))

    def by(self, user: str) -> tuple[Grant, ...]:
        """Return all that a user granted."""
        return self._read((_grants.c.by == user) & (_grants.c.source == _PEOPLE))

    def grant(self, grant_id: str) -> Grant | None:
        """Return a grant by its id."""
        found = self._read(_grants.c.id == grant_id)
        return found[0] if found else None

    def link(self, key_hash: str, now: datetime) -> Grant | None:
        """Return what a link grants, by its key, if it is good at `now`."""
        found = self._read(_grants.c.key_hash == key_hash)
        return found[0] if found and found[0].is_good(now) else None

    def _read(self, condition: ColumnElement[bool]) -> tuple[Grant, ...]:
        query = select(_grants).where(condition).order_by(_grants.c.created, _grants.c.id)
        with self._system.reading() as connection:
            return tuple(map(_grant, connection.execute(query).all()))

    def visible(
        self,
        identity: Identity,
        kind: str,
        *,
        name: SqlValue,
        owner: SqlValue | None,
        action: str,
        now: datetime,
    ) -> ColumnElement[bool]:
        """Return the condition that `awe.services.identity.permits` holds for the row it stands in."""
        if action not in identity.scopes:
            return false()
        if identity.is_administrator:
            return true()
        granted = exists().where(_given(identity, kind, action, now), _grants.c.name == func.lower(name))
        if owner is None or identity.is_anonymous:
            return granted
        return granted | (owner == identity.name)

    def names(self, identity: Identity, kind: str, action: str, now: datetime) -> frozenset[str]:
        """Return the names of what is granted to a caller."""
        query = select(_grants.c.name).where(_given(identity, kind, action, now)).distinct()
        with self._system.reading() as connection:
            return frozenset(connection.scalars(query))

    def next_end(self, now: datetime) -> datetime | None:
        """Return when the next grant ends by itself; None where none will."""
        query = select(func.min(_grants.c.expires)).where(_grants.c.expires > now)
        with self._system.reading() as connection:
            found: datetime | None = connection.scalar(query)
        return found

    def add(self, grant: Grant, key_hash: str | None = None) -> None:
        """Keep a grant of somebody; an earlier one of the same action to the same principal ends."""
        same = (
            (_grants.c.kind == grant.kind)
            & (_grants.c.name == grant.name)
            & (_grants.c.action == grant.action)
            & (_grants.c.principal == grant.principal)
            & (_grants.c.source == _PEOPLE)
        )
        with self._system.transaction() as connection:
            connection.execute(delete(_grants).where(same))
            connection.execute(insert(_grants).values(_row(grant, _PEOPLE, key_hash)))

    def drop(self, grant_id: str) -> bool:
        """End a grant of somebody; False if there is none."""
        which = (_grants.c.id == grant_id) & (_grants.c.source == _PEOPLE)
        with self._system.transaction() as connection:
            return connection.execute(delete(_grants).where(which)).rowcount > 0

    def declare(
        self,
        connection: Connection,
        kind: str,
        name: str,
        readers: Iterable[str] | None,
        now: datetime,
        *,
        keep: bool,
    ) -> None:
        """Let these and no others read by what the publisher says; what people granted stays."""
        of = (_grants.c.kind == kind) & (_grants.c.name == name.casefold())
        said = select(_grants.c.id).where(of, _grants.c.source == _PUBLISHER)
        if keep and connection.execute(said).first() is not None:
            return
        connection.execute(delete(_grants).where(of, _grants.c.source == _PUBLISHER))
        for principal in sorted({EVERYBODY} if readers is None else set(readers)):
            made = Grant(secrets.token_hex(8), kind, name.casefold(), READ, principal, "", now)
            connection.execute(insert(_grants).values(_row(made, _PUBLISHER, None)))

    def forget(self, connection: Connection, kind: str, name: str) -> None:
        """End all that was granted on a resource."""
        connection.execute(delete(_grants).where(_grants.c.kind == kind, _grants.c.name == name.casefold()))

    def rename(self, connection: Connection, kind: str, old: str, new: str) -> None:
        """Let all that was granted on a resource hold under its new name."""
        of = (_grants.c.kind == kind) & (_grants.c.name == old.casefold())
        connection.execute(update(_grants).where(of).values(name=new.casefold()))

    def is_known(self, principal: str) -> bool:
        """Return whether there is such a user, group or role now."""
        return principal == EVERYBODY or principal in self.meant(split_principal(principal)[1])

    def meant(self, name: str) -> tuple[str, ...]:
        """Return the principals that have a name: of users, groups and roles that are there now."""
        there = select(users.c.name).where(users.c.name == name, users.c.state != AccountState.REMOVED.value)
        active = select(groups.c.name).where(groups.c.name == name, groups.c.state == GroupState.ACTIVE.value)
        with self._system.reading() as connection:
            found = [
                (USER, connection.scalar(there) is not None),
                (GROUP, connection.scalar(active) is not None),
                (ROLE, name in role_words(connection)),
            ]
        return tuple(f"{prefix}:{name}" for prefix, is_there in found if is_there)

    def resolved(self, name: str) -> str:
        """Return the principal that a name means, with its prefix or without it.

        Raises
        ------
        ConflictError
            If it means none that is there, or several.
        """
        prefix, bare = split_principal(name)
        if name == EVERYBODY:
            return name
        found = [one for one in self.meant(bare) if not prefix or one == name]
        if len(found) != 1:
            known = " and ".join(found) or "no user, no group and no role"
            raise ConflictError(f"{name!r} means {known}", hint="user:NAME, group:NAME, role:NAME")
        return found[0]


def _given(identity: Identity, kind: str, action: str, now: datetime) -> ColumnElement[bool]:
    conditions = (
        (_grants.c.kind == kind)
        & _grants.c.principal.in_(sorted(identity.principals))
        & (_grants.c.expires.is_(None) | (_grants.c.expires > now))
    )
    return conditions if action == READ else conditions & (_grants.c.action == action)


def _row(grant: Grant, source: str, key_hash: str | None) -> dict[str, object]:
    return {
        "id": grant.id,
        "kind": grant.kind,
        "name": grant.name,
        "action": grant.action,
        "principal": grant.principal,
        "source": source,
        "by": grant.by,
        "label": grant.label,
        "key_hash": key_hash,
        "created": grant.created,
        "expires": grant.expires,
    }


def _grant(row: Row[tuple[object, ...]]) -> Grant:
    return Grant(
        row.id, row.kind, row.name, row.action, row.principal, row.by, row.created, row.expires, row.label
    )
