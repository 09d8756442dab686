"""Open the system database, run transactions in it, bring its schema up to date.

What is true of a transaction is the same on every database: those that write come one after the other and see
all that was written before them, those that only read see one state and wait for nobody.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Self

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import (
    Connection,
    DateTime,
    Dialect,
    Engine,
    ExceptionContext,
    TypeDecorator,
    create_engine,
    event,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DataError, NoSuchModuleError, OperationalError

from awe.core.waiting import waits
from awe.errors import ConflictError, ServiceError, UnavailableError, UsageError
from awe.services.system._metadata import metadata
from awe.services.system._stamps import Stamps, count_change

__all__ = ["Migration", "SystemDatabase", "UtcDateTime", "metadata"]

_BUSY_SECONDS = 30.0
_POOLS: dict[str, dict[str, Any]] = {
    "sqlite": {"pool_size": 8, "max_overflow": 120},
    # a server has a hundred connections for all processes together, and may have been started anew
    "postgresql": {"pool_size": 8, "max_overflow": 16, "pool_pre_ping": True},
}
"""Enough connections for the web's threads: each holds one for a millisecond."""
_WRITERS_LOCK = 0x617765  # "awe": PostgreSQL's advisory locks are numbers


@dataclass(frozen=True, slots=True)
class Migration:
    """One step from an older schema to this version's."""

    revision: str
    what: str


class UtcDateTime(TypeDecorator[datetime]):
    """A moment that comes back in UTC from every database (SQLite itself forgets the zone)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Store UTC."""
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Say that it is UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class SystemDatabase:
    """One database, shared by all services of a platform; safe to use from many threads.

    Parameters
    ----------
    url
        A SQLAlchemy URL: ``sqlite:////data/awe.db``, ``postgresql+psycopg://...``.

    Raises
    ------
    UsageError
        If the URL cannot be understood.
    """

    def __init__(self, url: str) -> None:
        try:
            self._url = make_url(url)
            self.engine: Engine = create_engine(self._url, **_POOLS[self._url.get_backend_name()])
        except (ArgumentError, KeyError, NoSuchModuleError, ImportError) as error:
            raise UsageError(
                f"database_url: {error}",
                hint="for example sqlite:////data/awe.db or postgresql+psycopg://...",
            ) from None
        self._stamps = Stamps(self.engine)
        self._scripts = _scripts()
        event.listen(self.engine, "handle_error", _translate)
        if self._url.get_backend_name() == "sqlite":
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        else:
            event.listen(self.engine, "begin", _begin_postgresql)

    @classmethod
    def in_folder(cls, folder: Path) -> Self:
        """Open (or make) the SQLite database ``awe.db`` of a data folder."""
        folder.mkdir(parents=True, exist_ok=True)
        return cls(f"sqlite:///{folder / 'awe.db'}")

    @contextmanager
    def transaction(self, *, lasting: bool = True) -> Iterator[Connection]:
        """Yield a connection whose changes are kept together when the block ends, or not at all.

        Parameters
        ----------
        lasting
            False for what need not survive that the machine itself stops in the next second, such as a count: it
            is quicker. That a process dies loses nothing.
        """
        waits()
        options = {} if lasting else {"awe_lasting": False}
        with self.engine.connect().execution_options(**options) as connection, connection.begin():
            yield connection
            if lasting:
                count_change(connection)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection that sees one state of the database and does not wait for writers."""
        waits()
        with self.engine.connect().execution_options(awe_reading=True) as connection, connection.begin():
            yield connection

    def stamp(self) -> object:
        """Return a value that is the same only as long as nothing lasting was changed, whichever process would change it."""
        return self._stamps.now()

    def prepare(self, command: str) -> None:
        """Make the schema where there is none yet; refuse one that is not this version's.

        Parameters
        ----------
        command
            What brings an older schema up to date, for the hint.

        Raises
        ------
        UnavailableError
            If the database cannot be opened, or was written by an older or a newer awe.
        """
        revision, steps = self.pending()
        if revision is None:
            self.migrate()
        elif steps:
            raise UnavailableError(
                f"the system database has the schema {revision} of an older awe; this one needs {steps[-1].revision}",
                hint=command,
            )

    def pending(self) -> tuple[str | None, tuple[Migration, ...]]:
        """Return the schema there is (None: none yet), and what is missing to this version's, in order.

        Raises
        ------
        UnavailableError
            If the database cannot be opened, or was written by a newer awe.
        """
        with self.reading() as connection:
            revision = self._current(connection)
        missing = reversed(list(self._scripts.iterate_revisions("head", revision or "base")))
        return revision, tuple(Migration(s.revision, (s.doc or "").strip()) for s in missing)

    def migrate(self) -> None:
        """Bring the schema up to this version of awe, whole or not at all; several who do it at once do it once.

        Raises
        ------
        UnavailableError
            If the database cannot be opened, or was written by a newer awe.
        """
        with self.engine.connect() as connection, _loose_keys(connection), connection.begin():
            if self._current(connection) != self.head():
                _upgrade(connection)

    def create(self, fill: Callable[[Connection], None]) -> None:
        """Make the schema in an empty database, with the rows that `fill` adds, or nothing.

        Raises
        ------
        ConflictError
            If the database is not empty.
        """
        with self.engine.connect() as connection, _loose_keys(connection), connection.begin():
            self._refuse_any(connection)
            _upgrade(connection)
            fill(connection)
            _check_keys(connection)

    def check_empty(self) -> None:
        """Raise `ConflictError` if there is a schema, of whatever version."""
        with self.reading() as connection:
            self._refuse_any(connection)

    def head(self) -> str:
        """Return the name of this version's schema."""
        return str(self._scripts.get_current_head())

    def schema(self, connection: Connection) -> str:
        """Return the name of the schema, as a transaction sees it.

        Raises
        ------
        UnavailableError
            If it is not this version's.
        """
        found = self._current(connection)
        if found != self.head():
            raise UnavailableError(
                f"the system database has the schema {found}; this awe needs {self.head()}",
                hint="awe admin migrate",
            )
        return found

    def _current(self, connection: Connection) -> str | None:
        return _revision(connection, self._scripts)

    def _refuse_any(self, connection: Connection) -> None:
        if MigrationContext.configure(connection).get_current_revision() is not None:
            raise ConflictError("there is an archive already", hint="restore into an empty one")

    def copy_to(self, file: Path) -> bool:
        """Copy an SQLite database as it is now, whole or not at all; False where it is another database."""
        if self._url.get_backend_name() != "sqlite":
            return False
        half = file.with_name(f".{file.name}.half")
        half.unlink(missing_ok=True)
        with (
            closing(sqlite3.connect(str(self._url.database))) as source,
            closing(sqlite3.connect(half)) as copy,
        ):
            source.backup(copy)
        half.replace(file)
        return True

    def close(self) -> None:
        """Close every connection."""
        self._stamps.close()
        self.engine.dispose()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "awe.services.system:migrations")
    config.set_main_option("path_separator", "os")
    return config


@cache
def _scripts() -> ScriptDirectory:
    """Return the migrations of this version: they are read once in a process."""
    return ScriptDirectory.from_config(_config())


def _upgrade(connection: Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    _check_keys(connection)


def _revision(connection: Connection, scripts: ScriptDirectory) -> str | None:
    revision = MigrationContext.configure(connection).get_current_revision()
    if revision is not None:
        try:
            scripts.get_revision(revision)
        except CommandError:
            raise UnavailableError(
                f"the system database was written by a newer awe (schema {revision})",
                hint="pip install --upgrade awe",
            ) from None
    return revision


@contextmanager
def _loose_keys(connection: Connection) -> Iterator[None]:
    """Let a migration replace a table that others point to.

    SQLite changes most of a table by making it anew; with its foreign keys on, dropping the old one would remove
    the rows that point to it.
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)  # noqa: S101  # as the dialect says
    driver.execute("PRAGMA foreign_keys = OFF")  # heeded outside of transactions only
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys = ON")


def _check_keys(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
        if broken is not None:
            raise ServiceError(f"rows of {broken[0]} point to rows of {broken[2]} that are not there")


def _translate(context: ExceptionContext) -> None:
    """Raise awe's own error where the database is away, or a value does not fit into it."""
    error = context.sqlalchemy_exception
    if context.is_pre_ping:
        return
    if isinstance(error, OperationalError):
        raise UnavailableError(f"the system database cannot be opened: {_first_line(error)}") from None
    if isinstance(error, DataError):
        raise UsageError(f"a value cannot be kept: {_first_line(error)}") from None


def _first_line(error: OperationalError | DataError) -> str:
    return str(error.orig).partition("\n")[0]


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # Transactions are begun by `_begin_sqlite`: the driver itself begins them late and not for DDL.
    connection.isolation_level = None
    cursor = connection.cursor()
    for statement in (
        f"PRAGMA busy_timeout = {int(_BUSY_SECONDS * 1000)}",
        "PRAGMA journal_mode = WAL",
        "PRAGMA synchronous = NORMAL",
        "PRAGMA foreign_keys = ON",
    ):
        cursor.execute(statement)
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later would fail at once when another one wrote
    # meanwhile; IMMEDIATE makes it wait its turn instead.
    options: dict[str, Any] = dict(connection.get_execution_options())
    connection.exec_driver_sql("BEGIN" if options.get("awe_reading") else "BEGIN IMMEDIATE")


def _begin_postgresql(connection: Connection) -> None:
    # As in SQLite: writers take turns, which also keeps two from migrating at once; readers see one state.
    if connection.get_execution_options().get("awe_reading"):
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    else:
        lasting = connection.get_execution_options().get("awe_lasting", True)
        # as in SQLite with synchronous = NORMAL; in the same statement, since each one is a way to the server
        quick = "" if lasting else ", set_config('synchronous_commit', 'off', true)"
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITERS_LOCK}){quick}")
