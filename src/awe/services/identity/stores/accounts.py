"""The accounts in the system database, what other account systems call them, and links that set a password."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    Column,
    ForeignKey,
    Row,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
    update,
)

from awe.errors import ConflictError
from awe.services.identity.model import Account, AccountState, Identity
from awe.services.identity.stores._memberships import groups_of, memberships, taken_by, users
from awe.services.identity.stores.failures import FailureStore
from awe.services.identity.stores.tokens import end_all
from awe.services.system import SystemDatabase, UtcDateTime, metadata

__all__ = ["AccountStore", "external"]

external = Table(
    "external_identities",
    metadata,
    Column("provider", String(64), primary_key=True),
    Column("subject", String(255), primary_key=True),
    Column("user", String(255), ForeignKey(users.c.name, ondelete="CASCADE"), nullable=False, index=True),
    Column("created", UtcDateTime, nullable=False),
    Column("name", Text, nullable=False, default=""),
    Column("roles", JSON, nullable=False),  # those that the user has because of this identity
    Column("last_login", UtcDateTime),
)
_links = Table(
    "password_links",
    metadata,
    Column("key_hash", String(64), primary_key=True),
    Column("user", String(255), ForeignKey(users.c.name, ondelete="CASCADE"), nullable=False, index=True),
    Column("expires", UtcDateTime, nullable=False),
)
_ACTIVE = AccountState.ACTIVE.value
_PENDING = AccountState.PENDING.value


class AccountStore:
    """Read and write accounts; a password itself is never seen here, only its hash.

    Attributes
    ----------
    failures
        Failed guesses at them.
    """

    def __init__(self, system: SystemDatabase) -> None:
        self._system = system
        self.failures = FailureStore(system)

    def add(
        self,
        name: str,
        password_hash: str | None,
        roles: Sequence[str] = (),
        *,
        state: AccountState = AccountState.ACTIVE,
        display_name: str = "",
        email: str = "",
    ) -> None:
        """Add an account; `ConflictError` if the name is taken, by a user, a group or a role."""
        row = {
            "name": name,
            "state": state.value,
            "display_name": display_name,
            "email": email,
            "password_hash": password_hash,
            "roles": sorted(roles),
            "created": datetime.now(UTC),
        }
        with self._system.transaction() as connection:
            taken = taken_by(connection, name)
            if taken is not None:
                raise ConflictError(f"there is a {taken} {name!r} already")
            connection.execute(insert(users).values(row))

    def password_hash(self, name: str) -> str | None:
        """Return the hash of a user's password; None if there is no such user or no such hash."""
        with self._system.reading() as connection:
            found: str | None = connection.scalar(select(users.c.password_hash).where(users.c.name == name))
            return found

    def change(self, name: str, values: Mapping[str, object], *, ends_logins: bool = False) -> bool:
        """Change columns of an account that is not removed; False if there is none.

        Parameters
        ----------
        ends_logins
            Forget its tokens, too, in the same transaction.
        """
        which = (users.c.name == name) & (users.c.state != AccountState.REMOVED.value)
        with self._system.transaction() as connection:
            found = connection.execute(update(users).where(which).values(dict(values))).rowcount > 0
            if found and ends_logins:
                end_all(connection, name)
            return found

    def pending(self) -> int:
        """Return how many accounts wait for approval."""
        query = select(func.count()).select_from(users).where(users.c.state == _PENDING)
        with self._system.reading() as connection:
            return int(connection.scalar(query) or 0)

    def activate(self, name: str) -> bool:
        """Open an account that waits for approval; False if there is none."""
        which = (users.c.name == name) & (users.c.state == _PENDING)
        with self._system.transaction() as connection:
            return connection.execute(update(users).where(which).values(state=_ACTIVE)).rowcount > 0

    def forget_pending(self, name: str) -> bool:
        """Delete an account that waits for approval; False if there is none."""
        which = (users.c.name == name) & (users.c.state == _PENDING)
        with self._system.transaction() as connection:
            return connection.execute(delete(users).where(which)).rowcount > 0

    def remove(self, name: str) -> bool:
        """Leave nothing of an account but its name, which stays taken; False if there is no such account."""
        values: dict[str, object] = {
            "state": AccountState.REMOVED.value,
            "display_name": "",
            "email": "",
            "password_hash": None,
            "roles": [],
            "last_login": None,
        }
        which = (users.c.name == name) & (users.c.state != AccountState.REMOVED.value)
        with self._system.transaction() as connection:
            found = connection.execute(update(users).where(which).values(values)).rowcount > 0
            for table in (external, _links, memberships):
                connection.execute(delete(table).where(table.c.user == name))
            end_all(connection, name)
            return found

    def identity(self, name: str) -> Identity | None:
        """Return who an account is, if it may do anything now."""
        query = select(users).where(users.c.name == name, users.c.state == _ACTIVE)
        with self._system.reading() as connection:
            row = connection.execute(query).first()
            if row is None:
                return None
            groups = groups_of(connection, [name]).get(name, frozenset())
            return Identity(name, frozenset(row.roles), groups)

    def account(self, name: str) -> Account | None:
        """Return an account."""
        with self._system.reading() as connection:
            row = connection.execute(select(users).where(users.c.name == name)).first()
            return _account(row, groups_of(connection, [name])) if row else None

    def accounts(self) -> tuple[Account, ...]:
        """Return all accounts by name."""
        with self._system.reading() as connection:
            groups = groups_of(connection)
            rows = connection.execute(select(users).order_by(users.c.name)).all()
            return tuple(_account(row, groups) for row in rows)

    def add_password_link(self, key_hash: str, user: str, expires: datetime) -> None:
        """Keep a link that sets a user's password; earlier ones of the user end."""
        with self._system.transaction() as connection:
            connection.execute(delete(_links).where(_links.c.user == user))
            connection.execute(
                insert(_links).values({"key_hash": key_hash, "user": user, "expires": expires})
            )

    def password_link(self, key_hash: str, now: datetime) -> str | None:
        """Return whose password a link sets, if it is good at `now`."""
        query = select(_links.c.user).where(_links.c.key_hash == key_hash, _links.c.expires >= now)
        with self._system.reading() as connection:
            found: str | None = connection.scalar(query)
            return found

    def use_password_link(self, key_hash: str, password_hash: str, now: datetime) -> str | None:
        """Set the password that a link is for; the link and all tokens end. None if it is not good, or was used meanwhile."""
        good = (_links.c.key_hash == key_hash) & (_links.c.expires >= now)
        with self._system.transaction() as connection:
            name: str | None = connection.scalar(select(_links.c.user).where(good))
            # two who use it at once: only one of them deletes it
            if name is None or not connection.execute(delete(_links).where(good)).rowcount:
                return None
            connection.execute(update(users).where(users.c.name == name).values(password_hash=password_hash))
            end_all(connection, name)
            return name


def _account(row: Row[tuple[object, ...]], groups: Mapping[str, frozenset[str]]) -> Account:
    return Account(
        name=row.name,
        roles=tuple(row.roles),
        groups=tuple(sorted(groups.get(row.name, ()))),
        created=row.created,
        state=AccountState(row.state),
        display_name=row.display_name,
        email=row.email,
        has_password=row.password_hash is not None,
        last_login=row.last_login,
    )
