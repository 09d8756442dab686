"""The engine of one machine: DuckDB over Parquet files in the HATS layout.

DuckDB keeps nothing itself. Each query runs on a cursor of one in-memory instance that can read the
tables' folder and nothing else, opens only the partitions that the query's region touches, and streams
Arrow batches. Values of this module's SQL are file names of ours; everything a user wrote went through
the compiler.
"""

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import duckdb
import pyarrow as pa
from duckdb.func import ARROW, SPECIAL

from awe.core.sql import VECTORISED, Query
from awe.core.tables import Schema, TableStream
from awe.errors import (
    AweError,
    CancelledError,
    LimitError,
    QueryError,
    ServiceError,
    TimeLimitError,
)
from awe.services.catalogs._folders import scratch
from awe.services.catalogs.backends._file_engine import FileEngine
from awe.services.catalogs.backends._pairs import PairStream
from awe.services.catalogs.backends.duckdb_footers import KeptFooters
from awe.services.catalogs.backends.duckdb_relations import Relations, quoted
from awe.services.catalogs.backends.duckdb_session import Session
from awe.services.catalogs.interface import Features, Limits, StoredTable
from awe.settings import LimitSettings, Settings

__all__ = ["DuckDBEngine", "add_functions"]

_BATCH_ROWS = 65_536
# Global, since each query has a cursor of its own, which has its own settings otherwise. Order matters: nothing can be
# changed after the last one but what a session sets (`allowed_configs`).
_SANDBOX = (
    "SET GLOBAL autoinstall_known_extensions = false",
    "SET GLOBAL autoload_known_extensions = false",
    "SET GLOBAL allow_community_extensions = false",
    "SET GLOBAL allow_persistent_secrets = false",
    "SET GLOBAL allow_extension_repositories = 'forbidden'",
    "SET GLOBAL python_enable_replacements = false",
    "SET GLOBAL TimeZone = 'UTC'",
    "SET GLOBAL memory_limit = {memory}",
    "SET GLOBAL temp_directory = {temporary}",
    "SET GLOBAL allowed_directories = [{root}]",
    "SET GLOBAL allowed_configs = ['max_execution_time', 'parquet_metadata_cache']",
    "SET GLOBAL enable_external_access = false",
    "SET GLOBAL lock_configuration = true",
)


class DuckDBEngine(FileEngine):
    """Keep tables as Parquet files below one folder and answer queries with DuckDB.

    Parameters
    ----------
    folder
        Where the tables are; made if it is not there. What killed writers left in it is removed.
    limits
        Memory and threads of all queries together.

    Raises
    ------
    UsageError
        If the folder's path cannot be used.
    """

    def __init__(self, folder: Path, limits: LimitSettings) -> None:
        super().__init__(folder, limits, "*?[")
        # of this process alone: two instances would take the same names for what they spill
        self._scratch = ExitStack()
        spill = self._scratch.enter_context(scratch(folder))
        self._running: set[_Rows] = set()
        self._lock = threading.Lock()
        self._forking = threading.Lock()
        self._footers = KeptFooters()
        self._instance = duckdb.connect(":memory:")
        self._workers = limits.threads or 0
        if limits.threads:
            self._instance.execute(f"SET threads = {int(limits.threads)}")
        values = {
            "memory": quoted(limits.memory),
            "temporary": quoted(str(spill)),
            "root": quoted(str(folder)),
        }
        add_functions(self._instance)
        for statement in _SANDBOX:
            self._instance.execute(statement.format(**values))

    @classmethod
    def of(cls, folder: Path, settings: Settings) -> "DuckDBEngine":
        """Return the engine of an archive."""
        return cls(folder, settings.limits)

    @property
    def features(self) -> Features:
        """What this engine can do."""
        return Features(
            name="duckdb", dialect="duckdb", cancels=True, limits_memory=True, folder=self._files.root
        )

    def _run(
        self,
        query: Query,
        stored: Mapping[str, StoredTable],
        limits: Limits,
        memory: Mapping[str, pa.Table],
    ) -> TableStream:
        session = Session(self._fork, limits.seconds, keeps=self._keeps(query, stored, memory))
        try:
            relations = Relations(query, self._files, stored, memory, session, self._workers)
            cursor = session.cursor()
        except duckdb.Error as error:
            raise _translated(str(error)) from None
        try:
            relation = cursor.sql(query.lower("duckdb", relations.sql))
        except duckdb.Error as error:
            cursor.close()
            raise _translated(str(error)) from None
        except BaseException:
            cursor.close()
            raise
        rows = _Rows(
            query.columns, cursor, relation, limits.rows, self._running.discard, session, relations.pairs
        )
        with self._lock:
            self._running.add(rows)
        return rows

    def _keeps(self, query: Query, stored: Mapping[str, StoredTable], memory: Mapping[str, pa.Table]) -> bool:
        """Say whether the footers of all files that a query reads are kept for the next one."""
        names = {use.table.full_name for use in query.uses} - memory.keys()
        read = [stored[name].location for name in names]
        return all(self._footers.choose(location, *self._files.footers(location)) for location in read)

    def close(self) -> None:
        """Cancel what runs and let go of everything."""
        with self._lock:
            running = tuple(self._running)
        for rows in running:
            rows.close()
        self._instance.close()
        self._scratch.close()

    def _fork(self) -> duckdb.DuckDBPyConnection:
        """Return a cursor: a connection refuses whoever asks while another thread does."""
        with self._forking:
            return self._instance.cursor()


def add_functions(connection: duckdb.DuckDBPyConnection) -> None:
    """Make what DuckDB cannot compute itself known to it and to all cursors of the connection."""
    for function in VECTORISED:
        connection.create_function(
            function.name, function.compute, [*function.parameters], function.result,
            type=ARROW, null_handling=SPECIAL,
        )  # fmt: skip


class _Rows(TableStream):
    """The rows of a query; closing it, from whichever thread, stops the query.

    The query begins with the first batch: until then nothing can take long, and from then on there is
    this object to close.
    """

    def __init__(
        self,
        columns: Schema,
        cursor: duckdb.DuckDBPyConnection,
        relation: duckdb.DuckDBPyRelation,
        limit: int,
        forget: Callable[["_Rows"], None],
        session: Session,
        pairs: Sequence[PairStream],
    ) -> None:
        super().__init__(columns, ())
        self._session = session
        self._pairs = pairs
        self._cursor = cursor
        self._relation = relation
        self._reader: pa.RecordBatchReader | None = None
        self._left = limit
        self._forget = forget
        self._arrow = pa.schema([(column.name, column.type) for column in columns])
        self._stopped = self._closed = False
        self._busy = threading.Lock()

    def __next__(self) -> pa.RecordBatch:
        try:
            with self._busy:
                batch = self._next()
        except BaseException:
            self.close()
            raise
        if batch is None:
            self.close()
            raise StopIteration
        return batch

    def _next(self) -> pa.RecordBatch | None:
        if self._closed or self.overflow:
            return None
        try:
            batch = self._read()
        except StopIteration:
            return None
        except (duckdb.Error, OSError, pa.ArrowException) as error:
            # The Arrow reader passes DuckDB's errors on as OSError, with their text.
            raise self._failed(str(error)) from self._broken()
        if batch.num_rows > self._left:
            self.overflow = True
            batch = batch.slice(0, self._left)
        self._left -= batch.num_rows
        columns = [array.cast(kind) for array, kind in zip(batch.columns, self._arrow.types, strict=True)]
        return pa.RecordBatch.from_arrays(columns, schema=self._arrow)

    def _read(self) -> pa.RecordBatch:
        if self._stopped:
            raise CancelledError("the query was stopped")
        if self._reader is None:
            self._session.begin()
            self._reader = self._relation.to_arrow_reader(_BATCH_ROWS)
        return self._reader.read_next_batch()

    def _broken(self) -> Exception | None:
        """Return why a sky join of the query broke off, of which DuckDB only says that it did."""
        return next((pairs.error for pairs in self._pairs if pairs.error is not None), None)

    def _failed(self, text: str) -> AweError:
        if self._stopped:
            return CancelledError("the query was stopped")
        broken = self._broken()
        return broken if isinstance(broken, AweError) else _translated(str(broken or text))

    def close(self) -> None:
        """Stop the query. Closing twice is allowed."""
        self._stopped = True
        if not self._closed:
            self._cursor.interrupt()  # whoever is inside `_next` comes out of it
            self._session.stop()
        with self._busy:
            if not self._closed:
                self._closed = True
                self._reader = None
                self._cursor.close()
                self._forget(self)

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other


_KIND = re.compile(r"^(?:Error: )?(?P<kind>[A-Za-z -]+?) Error: (?P<text>[^\n]*)")
_USER = frozenset({"Conversion", "Out of Range", "Invalid Input", "Invalid Type"})


def _translated(text: str) -> AweError:
    """Return our error for DuckDB's; its text goes on only where it speaks of the user's values."""
    found = _KIND.match(text)
    kind, reason = (found["kind"], found["text"]) if found else ("", "")
    if kind == "INTERRUPT" and "execution time" in reason:
        return TimeLimitError("the query took longer than it may", hint="ask for less, or in several parts")
    if kind == "INTERRUPT":
        return CancelledError("the query was stopped")
    if kind == "Out of Memory":
        return LimitError(
            "the query needs more memory than it may use", hint="select fewer rows or columns, or sort less"
        )
    if kind in _USER and ".parquet" not in reason:
        return QueryError(reason)
    return ServiceError("the engine failed at this query")
