"""Whether anything may have changed in the database since somebody looked: cheaper to ask than what one wants to know.

SQLite counts for each connection what others have written (``PRAGMA data_version``). In PostgreSQL two snapshots that are
spelled alike see the same transactions (``pg_current_snapshot``).
"""

import threading
from contextlib import suppress

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from awe.errors import AweError

__all__ = ["Stamps"]

_ASKED = {
    "sqlite": text("PRAGMA data_version"),
    "postgresql": text("SELECT CAST(pg_current_snapshot() AS text)"),
}


class Stamps:
    """Ask for the state of a database, on a connection of its own.

    Parameters
    ----------
    engine
        The database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._asked = str(_ASKED[engine.dialect.name])
        self._connection: Connection | None = None
        self._lock = threading.Lock()
        self._anew = 0

    def now(self) -> object:
        """Return a value that is the same only as long as nothing was changed, whichever process would change it."""
        with self._lock:
            try:
                if self._connection is None:
                    self._anew += 1  # another connection counts from another number
                    options = {"isolation_level": "AUTOCOMMIT"}
                    self._connection = self._engine.connect().execution_options(**options)
                cursor = self._connection.connection.cursor()
                try:
                    cursor.execute(self._asked)
                    return self._anew, cursor.fetchone()
                finally:
                    cursor.close()
            except (SQLAlchemyError, AweError, self._engine.dialect.loaded_dbapi.Error):
                self._drop()
                return object()  # nobody knows: like nothing else

    def close(self) -> None:
        """Let go of the connection."""
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(SQLAlchemyError, AweError):
                connection.invalidate()
                connection.close()
