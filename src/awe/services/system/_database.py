"""Open the system database, run transactions in it, bring its schema up to date."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, DateTime, Dialect, Engine, MetaData, TypeDecorator, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, OperationalError

from awe.errors import UnavailableError, UsageError

__all__ = ["SystemDatabase", "UtcDateTime", "metadata"]

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)
"""Every table of every service; constraints have names, so that migrations can speak of them."""

_BUSY_SECONDS = 30.0
_POOL = {"pool_size": 8, "max_overflow": 120}
"""Enough connections for the web's threads: each holds one for a millisecond."""


class UtcDateTime(TypeDecorator[datetime]):
    """A moment that comes back in UTC from every database (SQLite itself forgets the zone)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Store UTC."""
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Say that it is UTC."""
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


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
            parsed = make_url(url)
            self.engine: Engine = create_engine(parsed, **_POOL)
        except (ArgumentError, ImportError) as error:
            raise UsageError(
                f"database_url: {error}",
                hint="for example sqlite:////data/awe.db or postgresql+psycopg://...",
            ) from None
        if parsed.get_backend_name() == "sqlite":
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)

    @classmethod
    def in_folder(cls, folder: Path) -> Self:
        """Open (or make) the SQLite database ``awe.db`` of a data folder."""
        folder.mkdir(parents=True, exist_ok=True)
        return cls(f"sqlite:///{folder / 'awe.db'}")

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Yield a connection whose changes are kept together when the block ends, or not at all."""
        with self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection that sees one state of the database and does not wait for writers."""
        with self.engine.connect().execution_options(awe_reading=True) as connection, connection.begin():
            yield connection

    def migrate(self) -> None:
        """Bring the schema up to this version of awe.

        Raises
        ------
        UnavailableError
            If the database cannot be opened, or was written by a newer awe.
        """
        config = Config()
        config.set_main_option("script_location", "awe.services.system:migrations")
        config.set_main_option("path_separator", "os")
        try:
            with self.transaction() as connection:
                if not _is_current(connection, ScriptDirectory.from_config(config)):
                    config.attributes["connection"] = connection
                    command.upgrade(config, "head")
        except OperationalError as error:
            raise UnavailableError(f"the system database cannot be opened: {error.orig}") from None

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def _is_current(connection: Connection, scripts: ScriptDirectory) -> bool:
    revision = MigrationContext.configure(connection).get_current_revision()
    if revision is not None:
        try:
            scripts.get_revision(revision)
        except CommandError:
            raise UnavailableError(
                f"the system database was written by a newer awe (schema {revision})",
                hint="pip install --upgrade awe",
            ) from None
    return revision == scripts.get_current_head()


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
