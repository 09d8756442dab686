"""What one query needs of DuckDB: cursors that know the same tables, and end together.

A query with sky joins asks several things at once, itself and the sides of its joins, from several threads.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

import duckdb
import pyarrow as pa

from awe.errors import CancelledError, TimeLimitError

__all__ = ["Session"]

_BATCH_ROWS = 262_144
_PATIENCE_S = 10.0
_NOTHING: Mapping[str, pa.Table] = MappingProxyType({})


class Session:
    """The cursors of one query.

    Parameters
    ----------
    fork
        Gives a new cursor.
    seconds
        How long all of them may take, from the first rows on.
    keeps
        Whether the footers of what it reads are kept for the next query.
    """

    def __init__(self, fork: Callable[[], duckdb.DuckDBPyConnection], seconds: float, *, keeps: bool) -> None:
        self._fork = fork
        self._seconds = seconds
        self._keeps = keeps
        self._until: float | None = None
        self._known: dict[str, object] = {}
        self._open: set[duckdb.DuckDBPyConnection] = set()
        self._changed = threading.Condition()
        self._stopped = False

    def register(self, name: str, thing: object) -> None:
        """Let the cursors that are made from now on read Arrow data by a name."""
        self._known[name] = thing

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Return a new cursor; whoever asked closes it."""
        cursor = self._fork()
        left = self._seconds if self._until is None else self._until - time.monotonic()
        cursor.execute(f"SET max_execution_time = {max(1, int(left * 1000))}")
        if self._keeps:
            cursor.execute("SET parquet_metadata_cache = true")
        for name, thing in self._known.items():
            cursor.register(name, thing)
        return cursor

    def schema(self, sql: str) -> pa.Schema:
        """Return what columns a query gives."""
        cursor = self.cursor()
        try:
            return cursor.sql(sql).limit(0).to_arrow_table().schema
        finally:
            cursor.close()

    def table(self, sql: str, also: Mapping[str, pa.Table] = _NOTHING) -> pa.Table:
        """Return all rows of a query, which may read tables of its own."""
        with self._reading() as cursor:
            for name, rows in also.items():
                cursor.register(name, rows)
            return cursor.sql(sql).to_arrow_table()

    def tables(self, sql: str) -> Iterator[pa.Table]:
        """Yield the rows of a query, many at once."""
        with self._reading() as cursor:
            for batch in cursor.sql(sql).to_arrow_reader(_BATCH_ROWS):
                yield pa.Table.from_batches([batch])

    def check(self) -> None:
        """Raise where the query was stopped, or took too long."""
        if self._stopped:
            raise CancelledError("the query was stopped")
        if self._until is not None and time.monotonic() > self._until:
            raise TimeLimitError(
                "the query took longer than it may", hint="ask for less, or in several parts"
            )

    def begin(self) -> None:
        """Count the time from now on."""
        self._until = self._until or time.monotonic() + self._seconds

    def stop(self) -> None:
        """Interrupt whatever runs, and wait until it has ended."""
        with self._changed:
            self._stopped = True
            for cursor in self._open:
                cursor.interrupt()
            self._changed.wait_for(lambda: not self._open, timeout=_PATIENCE_S)

    @contextmanager
    def _reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with self._changed:
            self.check()
            cursor = self.cursor()
            self._open.add(cursor)
        try:
            yield cursor
        finally:
            with self._changed:
                self._open.discard(cursor)
                cursor.close()
                self._changed.notify_all()
