"""Who users are at other account systems, and which of their logins came by which login there."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

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
from sqlalchemy.exc import IntegrityError

from awe.errors import ConflictError
from awe.services.identity.claims import Claims, ExternalIdentity
from awe.services.identity.model import AccountState, GroupRole
from awe.services.identity.stores._memberships import assign, memberships, taken_by, users
from awe.services.identity.stores.accounts import external as _external
from awe.services.system import SystemDatabase, metadata

__all__ = ["Brought", "ExternalStore"]

_origins = Table(
    "token_origins",
    metadata,
    Column("token", String(32), ForeignKey("tokens.id", ondelete="CASCADE"), primary_key=True),
    Column("provider", String(64), nullable=False),
    Column("subject", String(255), nullable=False),
    Column("session", String(255), nullable=False),
)


@dataclass(frozen=True, slots=True)
class Brought:
    """What somebody has here because of a provider.

    Attributes
    ----------
    groups
        Groups that the operator named.
    alike
        Groups that are called here as at the provider; one that somebody here owns is not meant.
    """

    roles: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    alike: frozenset[str] = frozenset()


class ExternalStore:
    """Read and write who users are elsewhere."""

    def __init__(self, system: SystemDatabase) -> None:
        self._system = system

    def user(self, provider: str, subject: str) -> str | None:
        """Return the user that is `subject` of a provider."""
        with self._system.reading() as connection:
            found: str | None = connection.scalar(select(_external.c.user).where(_is(provider, subject)))
            return found

    def of(self, user: str) -> tuple[ExternalIdentity, ...]:
        """Return who a user is elsewhere."""
        query = select(_external).where(_external.c.user == user)
        with self._system.reading() as connection:
            rows = connection.execute(query.order_by(_external.c.provider, _external.c.subject)).all()
        return tuple(map(_identity, rows))

    def create(self, name: str, claims: Claims, now: datetime) -> None:
        """Make an account for somebody of a provider; both or nothing.

        Raises
        ------
        ConflictError
            If the name is taken, also by one that is gone, or the person has an account already.
        """
        account: dict[str, object] = {
            "name": name,
            "state": AccountState.ACTIVE.value,
            "display_name": claims.display_name,
            "email": claims.email,
            "password_hash": None,
            "roles": [],
            "created": now,
        }
        try:
            with self._system.transaction() as connection:
                if (taken := taken_by(connection, name)) is not None:
                    raise ConflictError(f"there is a {taken} {name!r} already")
                connection.execute(insert(users).values(account))
                connection.execute(insert(_external).values(_row(claims, name, now)))
        except IntegrityError:
            raise ConflictError(f"there is a user {name!r} already") from None

    def link(self, user: str, claims: Claims, now: datetime) -> None:
        """Let somebody of a provider be a user; `ConflictError` if they are one already."""
        try:
            with self._system.transaction() as connection:
                connection.execute(insert(_external).values(_row(claims, user, now)))
        except IntegrityError:
            raise ConflictError("this identity belongs to a user already") from None

    def unlink(self, user: str, provider: str, subject: str) -> bool:
        """Let somebody of a provider be a user no longer; the roles and groups that came by it end.

        Returns
        -------
        False if they were not that user.
        """
        which = _is(provider, subject) & (_external.c.user == user)
        with self._system.transaction() as connection:
            if connection.execute(select(_external.c.user).where(which)).first() is None:
                return False
            _set_roles(connection, user, (provider, subject), ())
            connection.execute(delete(_external).where(which))
            others = (_external.c.user == user) & (_external.c.provider == provider)
            if connection.execute(select(_external.c.subject).where(others)).first() is None:
                assign(connection, user, provider, ())
            return True

    def seen(self, user: str, claims: Claims, brought: Brought, now: datetime) -> tuple[str, ...]:
        """Keep what a provider says of a user at a login.

        Returns
        -------
        The groups that the user cannot belong to: the name is taken, or the group was removed.
        """
        told = {"display_name": claims.display_name, "email": claims.email}
        values: dict[str, object] = {field: text for field, text in told.items() if text}
        with self._system.transaction() as connection:
            refused = _bring(connection, user, claims, brought)
            if values:
                connection.execute(update(users).where(users.c.name == user).values(values))
            which = _is(claims.provider, claims.subject)
            connection.execute(update(_external).where(which).values(name=claims.name, last_login=now))
        return refused

    def take(self, user: str, claims: Claims) -> None:
        """Take all that a user has by a provider."""
        with self._system.transaction() as connection:
            _bring(connection, user, claims, Brought())

    def came_by(self, token_id: str, claims: Claims) -> None:
        """Remember which login at a provider a login here came by."""
        row = {
            "token": token_id,
            "provider": claims.provider,
            "subject": claims.subject,
            "session": claims.session,
        }
        with self._system.transaction() as connection:
            connection.execute(insert(_origins).values(row))

    def origin(self, token_id: str) -> str | None:
        """Return the provider that a login came by."""
        with self._system.reading() as connection:
            query = select(_origins.c.provider).where(_origins.c.token == token_id)
            found: str | None = connection.scalar(query)
            return found

    def tokens(self, provider: str, subject: str, session: str = "") -> tuple[str, ...]:
        """Return the ids of the logins that came by a login at a provider, or by any of `subject` without one."""
        which = (_origins.c.provider == provider) & (
            _origins.c.session == session if session else _origins.c.subject == subject
        )
        if session and subject:
            which &= _origins.c.subject == subject
        with self._system.reading() as connection:
            return tuple(connection.scalars(select(_origins.c.token).where(which)).all())


def _is(provider: str, subject: str) -> ColumnElement[bool]:
    return (_external.c.provider == provider) & (_external.c.subject == subject)


def _row(claims: Claims, user: str, now: datetime) -> dict[str, object]:
    return {
        "provider": claims.provider,
        "subject": claims.subject,
        "user": user,
        "created": now,
        "name": claims.name,
        "roles": [],
    }


def _identity(row: Row[tuple[object, ...]]) -> ExternalIdentity:
    return ExternalIdentity(row.provider, row.subject, row.name, row.created, row.last_login)


def _bring(connection: Connection, user: str, claims: Claims, brought: Brought) -> tuple[str, ...]:
    _set_roles(connection, user, (claims.provider, claims.subject), brought.roles)
    owned = select(memberships.c.group).where(
        memberships.c.group.in_(brought.alike), memberships.c.role == GroupRole.OWNER.value
    )
    theirs = set(connection.scalars(owned))
    refused = assign(connection, user, claims.provider, brought.groups | (brought.alike - theirs))
    return tuple(sorted({*refused, *theirs}))


def _set_roles(connection: Connection, user: str, who: tuple[str, str], given: Collection[str]) -> None:
    """Give a user the roles that come by one identity; what was given by hand, or comes by another, stays."""
    rows = connection.execute(select(_external).where(_external.c.user == user)).all()
    had = set(connection.scalar(select(users.c.roles).where(users.c.name == user)) or ())
    by_hand = had - {role for row in rows for role in row.roles}
    brought = {(row.provider, row.subject): set(row.roles) for row in rows} | {who: set(given) - by_hand}
    now_has = by_hand.union(*brought.values())
    connection.execute(update(_external).where(_is(*who)).values(roles=sorted(brought[who])))
    if now_has != had:
        connection.execute(update(users).where(users.c.name == user).values(roles=sorted(now_has)))
