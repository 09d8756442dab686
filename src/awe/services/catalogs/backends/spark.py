"""The engine of many machines: Apache Spark over Parquet files in the HATS layout.

The tables are the files that the engine of one machine keeps (`CatalogFiles`), written and dropped by this process;
what looks rows up by their place is answered from them here. Any other query runs on the cluster, which sees the same
folder under the same path: it opens only the files that the query's region touches, and writes its results into the
folder. Nothing runs there but what the compiler wrote, and functions of awe's own.
"""

import math
import secrets
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyarrow as pa

from awe.core.sql import Query
from awe.core.tables import TableStream
from awe.errors import AweError
from awe.services.catalogs._folders import scratch
from awe.services.catalogs.backends._file_engine import FileEngine
from awe.services.catalogs.backends.spark_errors import translated
from awe.services.catalogs.backends.spark_progress import TaskCounts
from awe.services.catalogs.backends.spark_relations import QueryWork, SparkRelations, SparkTables
from awe.services.catalogs.backends.spark_results import SparkRows
from awe.services.catalogs.backends.spark_session import SparkCluster
from awe.services.catalogs.interface import Features, Limits, StoredTable
from awe.settings import LimitSettings, Settings, SparkSettings

__all__ = ["SparkEngine"]

_FEW_ROWS = 100_000
"""Rows that are sorted in the memory of a worker where no more are wanted."""
_NEAR_DEG = 1 / 60
"""Of rows so near each other there are few."""
_AT_ONCE = {
    "mapreduce.fileoutputcommitter.algorithm.version": "2",
    "mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
}
"""A file of results appears when the task that writes it is done, and not with all others."""
_ROW_OF_TASK = (1 << 33) - 1
"""The bits of Spark's increasing numbers that count the rows of one task."""


def _finite(query: Query) -> bool:
    """Say whether a task makes few rows of each that it reads, so that it ends soon, also where nobody wants all of them."""
    key = query.only_source
    near = {match.key for match in query.matches if (match.radius_deg or math.inf) <= _NEAR_DEG}
    return key in near or (len(query.uses) == 1 and key == query.uses[0].key)


class SparkEngine(FileEngine):
    """Keep tables as Parquet files below one folder and answer queries with a cluster of Apache Spark.

    Parameters
    ----------
    folder
        Where the tables are; made if it is not there. What killed writers left in it is removed.
    limits
        What is kept of decoded rows.
    cluster
        Where the cluster is.

    Raises
    ------
    UsageError
        If the folder's path cannot be used, or no cluster is configured.
    MissingExtraError
        If pyspark is not installed.
    """

    def __init__(self, folder: Path, limits: LimitSettings, cluster: SparkSettings) -> None:
        folder = folder.absolute()
        self._cluster = SparkCluster(cluster)
        super().__init__(folder, limits, "*?[]{}\\,")
        self._open = ExitStack()
        self._scratch = self._open.enter_context(scratch(folder))
        self._tables: SparkTables | None = None
        self._running: set[SparkRows] = set()
        self._lock = threading.Lock()

    @classmethod
    def of(cls, folder: Path, settings: Settings) -> "SparkEngine":
        """Return the engine of an archive."""
        return cls(folder, settings.limits, settings.spark)

    @property
    def features(self) -> Features:
        """What this engine can do."""
        return Features(
            name="spark", dialect="spark", cancels=True, limits_memory=False, folder=self._files.root
        )

    def _run(
        self,
        query: Query,
        stored: Mapping[str, StoredTable],
        limits: Limits,
        memory: Mapping[str, pa.Table],
    ) -> TableStream:
        session, tables = self._connected()
        tag = f"awe-{secrets.token_hex(8)}"
        work = QueryWork(self._scratch / tag, tables)
        try:
            relations = SparkRelations(query, tables, stored, memory, work, session)
            found = session.sql(query.lower("spark", relations.sql))
            found = found.toDF(*(f"c{i}" for i in range(len(query.columns))))
            stands = len(query.uses) == 1 and query.uses[0].table.healpix is None
            wanted = self._first(found, query, limits.rows + 1, stands=stands, finite=_finite(query))
        except BaseException as error:
            work.clean()
            if isinstance(error, AweError):
                raise
            raise translated(error) from error

        counts = TaskCounts(session, tag)

        def write(out: Path) -> None:
            session.addTag(tag)
            with counts:
                wanted.write.options(**_AT_ONCE).parquet(f"file:{out}")

        rows = SparkRows(
            query.columns, work.folder, write, lambda: session.interruptTag(tag), limits, self._ended(work),
            in_order=query.ordered or stands, done=counts,
        )  # fmt: skip
        with self._lock:
            self._running.add(rows)
        return rows

    @staticmethod
    def _first(rows: Any, query: Query, most: int, *, stands: bool, finite: bool) -> Any:
        """Return at least the first rows: few more, or so many of each task, which then need not wait for each other."""
        if query.max_rows is not None and query.max_rows <= most:
            return rows
        if stands or (most > _FEW_ROWS and (query.ordered or finite)):
            return rows.filter(f"(monotonically_increasing_id() & {_ROW_OF_TASK}L) < {most}L")
        return rows.limit(most)

    def drop(self, stored: StoredTable) -> None:
        """Remove a version; a version that is gone already is no error."""
        if self._tables is not None:
            self._tables.forget(stored.location)
        super().drop(stored)

    def close(self) -> None:
        """Cancel what runs and let go of everything."""
        with self._lock:
            running = tuple(self._running)
        for rows in running:
            rows.close()
        with self._lock:
            tables, self._tables = self._tables, None
        if tables is not None:
            tables.close()
            self._cluster.leave()
        self._open.close()

    def _connected(self) -> tuple[Any, SparkTables]:
        """Return the session with the cluster, begun when it is first needed, and the tables in it."""
        with self._lock:
            session = self._cluster.session()
            if self._tables is None:
                self._tables = SparkTables(session, self._files, f"awe_{secrets.token_hex(6)}")
            return session, self._tables

    def _ended(self, work: QueryWork) -> Callable[[SparkRows], None]:
        def ended(rows: SparkRows) -> None:
            work.clean()
            with self._lock:
                self._running.discard(rows)

        return ended
