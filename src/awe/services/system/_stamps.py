"""Whether anything was changed in the database since somebody looked: cheaper to ask than what one wants to know.

Every transaction counts as one change, but for those of what need not last: usage and history, which are written with
every query, and decide nothing.
"""

import threading
from contextlib import suppress

from sqlalchemy import BigInteger, Column, Connection, Engine, Integer, Table, update
from sqlalchemy.exc import SQLAlchemyError

from awe.core.waiting import may_wait, waits
from awe.errors import AweError
from awe.services.system._metadata import metadata

__all__ = ["Stamps", "count_change"]

_changes = Table(
    "changes",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, nullable=False),
)
_COUNT = update(_changes).values(number=_changes.c.number + 1)
_ASK = "SELECT number FROM changes"


def count_change(connection: Connection) -> None:
    """Count a change, in the transaction that makes it."""
    connection.execute(_COUNT)


class Stamps:
    """Ask for the state of a database, on a connection of its own; that of a file is told at once.

    Parameters
    ----------
    engine
        The database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._local = engine.dialect.name == "sqlite"
        self._connection: Connection | None = None
        self._lock = threading.Lock()

    def now(self) -> object:
        """Return a value that is the same only as long as nothing was changed, whichever process would change it."""
        if not self._local:
            waits()
        if not self._lock.acquire(blocking=may_wait()):
            waits()
        try:
            try:
                if self._connection is None:
                    waits()
                    self._connection = self._opened()
                cursor = self._connection.connection.cursor()
                try:
                    cursor.execute(_ASK)
                    return cursor.fetchone() or object()
                finally:
                    cursor.close()
            except (SQLAlchemyError, AweError, self._engine.dialect.loaded_dbapi.Error):
                self._drop()
                return object()  # nobody knows: like nothing else
        finally:
            self._lock.release()

    def close(self) -> None:
        """Let go of the connection."""
        with self._lock:
            self._drop()

    def _opened(self) -> Connection:
        opened = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        if self._local:  # who reads waits for nobody, but in rare moments: then it is not known
            opened.connection.cursor().execute("PRAGMA busy_timeout = 0").close()
        return opened

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(SQLAlchemyError, AweError):
                connection.invalidate()
                connection.close()
