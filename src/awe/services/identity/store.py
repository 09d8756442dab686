"""The accounts and tokens in the system database."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    Column,
    Float,
    ForeignKey,
    Row,
    String,
    Table,
    Text,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from awe.errors import ConflictError
from awe.services.identity.model import Account, Identity
from awe.services.system import SystemDatabase, UtcDateTime, metadata

__all__ = ["IdentityStore"]

_users = Table(
    "users",
    metadata,
    Column("name", String(255), primary_key=True),
    Column("password_hash", Text),  # none: the password is kept by another account system
    Column("roles", JSON, nullable=False),
    Column("groups", JSON, nullable=False),
    Column("created", UtcDateTime, nullable=False),
)
_tokens = Table(
    "tokens",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("user", String(255), ForeignKey(_users.c.name, ondelete="CASCADE"), nullable=False, index=True),
    Column("expires", Float, nullable=False),
)


class IdentityStore:
    """Read and write accounts and tokens; a token itself is never seen here, only its hash."""

    def __init__(self, system: SystemDatabase) -> None:
        self._system = system

    def add_user(
        self, name: str, password_hash: str | None, roles: Sequence[str], groups: Sequence[str] = ()
    ) -> None:
        """Add an account; `ConflictError` if the name is taken."""
        row = {
            "name": name,
            "password_hash": password_hash,
            "roles": sorted(roles),
            "groups": sorted(groups),
            "created": datetime.now(UTC),
        }
        try:
            with self._system.transaction() as connection:
                connection.execute(insert(_users).values(row))
        except IntegrityError:
            raise ConflictError(f"there is a user {name!r} already") from None

    def remember(self, identity: Identity) -> None:
        """Keep what another account system says of a user, so that a token can point to it."""
        values = {"roles": sorted(identity.roles), "groups": sorted(identity.groups)}
        with self._system.transaction() as connection:
            found = connection.execute(update(_users).where(_users.c.name == identity.name).values(values))
            if not found.rowcount:
                row = {"name": identity.name, "created": datetime.now(UTC), **values}
                connection.execute(insert(_users).values(row))

    def password_hash(self, name: str) -> str | None:
        """Return the hash of a user's password; None if there is no such user or no such hash."""
        with self._system.reading() as connection:
            found: str | None = connection.scalar(select(_users.c.password_hash).where(_users.c.name == name))
            return found

    def set_password_hash(self, name: str, password_hash: str) -> bool:
        """Change a user's password and end all logins; False if there is no such user."""
        with self._system.transaction() as connection:
            change = update(_users).where(_users.c.name == name).values(password_hash=password_hash)
            found = connection.execute(change).rowcount > 0
            connection.execute(delete(_tokens).where(_tokens.c.user == name))
            return found

    def replace_hash(self, name: str, password_hash: str) -> None:
        """Store the same password hashed in a newer way; logins stay."""
        with self._system.transaction() as connection:
            connection.execute(
                update(_users).where(_users.c.name == name).values(password_hash=password_hash)
            )

    def identity(self, name: str) -> Identity | None:
        """Return who an account is."""
        with self._system.reading() as connection:
            row = connection.execute(select(_users).where(_users.c.name == name)).first()
            return _identity(row) if row else None

    def accounts(self) -> tuple[Account, ...]:
        """Return all accounts by name."""
        with self._system.reading() as connection:
            rows = connection.execute(select(_users).order_by(_users.c.name)).all()
        return tuple(Account(r.name, tuple(r.roles), tuple(r.groups), r.created) for r in rows)

    def add_token(self, token_hash: str, user: str, expires: float, now: float) -> None:
        """Keep a token until `expires` (seconds since 1970); forget those that ended before `now`."""
        with self._system.transaction() as connection:
            connection.execute(delete(_tokens).where(_tokens.c.expires < now))
            row = {"token_hash": token_hash, "user": user, "expires": expires}
            connection.execute(insert(_tokens).values(row))

    def token_owner(self, token_hash: str, now: float) -> Identity | None:
        """Return whose token this is, if it is still good at `now`."""
        query = (
            select(_users)
            .join(_tokens, _tokens.c.user == _users.c.name)
            .where(_tokens.c.token_hash == token_hash, _tokens.c.expires >= now)
        )
        with self._system.reading() as connection:
            row = connection.execute(query).first()
            return _identity(row) if row else None

    def drop_token(self, token_hash: str) -> None:
        """Forget a token."""
        with self._system.transaction() as connection:
            connection.execute(delete(_tokens).where(_tokens.c.token_hash == token_hash))


def _identity(row: Row[tuple[object, ...]]) -> Identity:
    return Identity(row.name, frozenset(row.roles), frozenset(row.groups))
