"""The rows of a query that runs on a cluster.

The workers write them as Parquet files into a folder of the query's own, which all see, and they are read from there,
one batch after the other: neither the driver nor this process ever holds them all, their order is that of the files,
and whoever reads slowly keeps nobody from computing. The first rows come when the last are written.
"""

import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from awe.core.tables import Schema, TableStream
from awe.errors import CancelledError, QueryError, TimeLimitError
from awe.services.catalogs.backends.spark_errors import translated
from awe.services.catalogs.interface import Limits

__all__ = ["SparkRows"]

_BATCH_ROWS = 65_536
_PART = re.compile(r"part-(\d+)-.*?(?:-c(\d+))?\.[a-z0-9.]*parquet")
_AGAIN_S = 0.2


class SparkRows(TableStream):
    """The rows; closing it, from whichever thread, stops the query.

    Parameters
    ----------
    columns
        Of the query.
    folder
        Of the query's own, for its results.
    write
        Runs the query, its results going to a folder.
    stop
        Asks the cluster to stop it; asked again until `write` has ended.
    limits
        The time is counted from the first rows on.
    forget
        Told when nothing of it runs any more and nobody reads it: the folder may go.
    """

    def __init__(
        self,
        columns: Schema,
        folder: Path,
        write: Callable[[Path], None],
        stop: Callable[[], None],
        limits: Limits,
        forget: Callable[["SparkRows"], None],
    ) -> None:
        super().__init__(columns, ())
        self._folder, self._write, self._stop, self._forget = folder, write, stop, forget
        self._left, self._seconds = limits.rows, limits.seconds
        self._arrow = pa.schema([(column.name, column.type) for column in columns])
        self._error: BaseException | None = None
        self._changed = threading.Condition()
        self._begun = self._ended = self._stopped = False
        self._until = 0.0
        self._read = self._rows()
        self._busy = threading.Lock()

    def __next__(self) -> pa.RecordBatch:
        if self._stopped:
            raise StopIteration
        try:
            with self._busy:
                return next(self._read)
        except BaseException:
            self.close()
            raise

    def _rows(self) -> Iterator[pa.RecordBatch]:
        self._finish()
        for path in sorted((self._folder / "rows").glob("part-*.parquet"), key=_place):
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(_BATCH_ROWS):
                    self._check()
                    self.overflow = batch.num_rows > self._left
                    if self._left and batch.num_rows:
                        yield self._typed(batch.slice(0, self._left))
                    self._left -= min(batch.num_rows, self._left)
                    if self.overflow:
                        return

    def _finish(self) -> None:
        """Run the query, and wait until its results are written."""
        with self._changed:
            if self._stopped:
                return
            self._begun = True
            self._until = time.monotonic() + self._seconds
        threading.Thread(target=self._run, name="spark-query", daemon=True).start()
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self._stopped, timeout=self._seconds)
        self._check()
        if self._error is not None:
            raise translated(self._error) from self._error

    def _run(self) -> None:
        try:
            self._write(self._folder / "rows")
        except BaseException as error:  # noqa: BLE001  it is raised where the rows are read
            self._error = error
        with self._changed:
            self._ended = True
            self._changed.notify_all()
            if self._stopped:
                self._forget(self)

    def _check(self) -> None:
        if self._stopped:
            raise CancelledError("the query was stopped")
        if time.monotonic() > self._until:
            raise TimeLimitError(
                "the query took longer than it may", hint="ask for less, or in several parts"
            )

    def _typed(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        try:
            columns = [array.cast(kind) for array, kind in zip(batch.columns, self._arrow.types, strict=True)]
        except pa.ArrowInvalid as error:
            raise QueryError(f"a value is outside of what its type can hold: {error}") from error
        return pa.RecordBatch.from_arrays(columns, schema=self._arrow)

    def close(self) -> None:
        """Stop the query. Closing twice is allowed."""
        with self._changed:
            if self._stopped:
                return
            self._stopped = True
            self._changed.notify_all()
            if not self._begun or self._ended:
                self._begun = self._ended = True
                self._forget(self)
                return
        threading.Thread(target=self._stopping, name="spark-stop", daemon=True).start()

    def _stopping(self) -> None:
        """Ask the cluster to stop until it has: what was not begun yet would not hear it."""
        while not self._ended:
            self._stop()
            with self._changed:
                self._changed.wait_for(lambda: self._ended, timeout=_AGAIN_S)

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other


def _place(path: Path) -> tuple[int, int]:
    """Return where the rows of a file stand."""
    found = _PART.fullmatch(path.name)
    return (int(found[1]), int(found[2] or 0)) if found else (0, 0)
