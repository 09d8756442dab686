"""The rows of a query that runs on a cluster.

The workers write them as Parquet files into a folder of the query's own, which all see, and they are read from there,
one batch after the other: neither the driver nor this process ever holds them all, and whoever reads slowly keeps nobody
from computing. A file appears when the task that writes it is done, whole; what has no order is read then. Rows in an
order are that of the files' names, and a task without rows leaves no file: they are read when all tasks are done.
"""

import re
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from awe.core.progress import listener, silent
from awe.core.tables import Schema, TableStream
from awe.errors import CancelledError, QueryError, TimeLimitError
from awe.services.catalogs.backends.spark_errors import translated
from awe.services.catalogs.interface import Limits

__all__ = ["SparkRows"]

_BATCH_ROWS = 65_536
_PART = re.compile(r"part-(\d+)-.*?(?:-c(\d+))?\.[a-z0-9.]*parquet")
_AGAIN_S = 0.2
_LOOK_S = 0.2


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
    in_order
        Whether the rows have to come in the order of the files.
    done
        How many tasks are done, of how many; None where nobody knows yet. Whoever listens where this is made is told.
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
        *,
        in_order: bool,
        done: Callable[[], tuple[int, int] | None],
    ) -> None:
        super().__init__(columns, ())
        self._in_order, self._done, self._told = in_order, done, listener()
        self._ready: list[Path] = []
        self._written = 0
        self._folder, self._write, self._stop, self._forget = folder, write, stop, forget
        self._left = self._most = limits.rows
        self._seconds = limits.seconds
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
        for path in self._files():
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(_BATCH_ROWS):
                    self._check()
                    self.overflow = batch.num_rows > self._left
                    if self._left and batch.num_rows:
                        yield self._typed(batch.slice(0, self._left))
                    self._left -= min(batch.num_rows, self._left)
                    if self.overflow:
                        return

    def _files(self) -> Iterator[Path]:
        """Run the query, and return the files of its results as soon as they may be read."""
        with self._changed:
            if self._stopped:
                return
            self._begun = True
            self._until = time.monotonic() + self._seconds
        threading.Thread(target=self._run, name="spark-query", daemon=True).start()
        taken, over = 0, False
        while not over:
            with self._changed:
                self._changed.wait_for(partial(self._news, taken), timeout=self._until - time.monotonic())
                ready, over = self._ready[taken:], self._ended
            self._check()
            if self._error is not None:
                raise translated(self._error) from self._error
            if over or not self._in_order:
                taken += len(ready)
                yield from sorted(ready, key=_place)

    def _news(self, taken: int) -> bool:
        more = len(self._ready) > taken and not self._in_order
        return more or self._ended or self._stopped or self._error is not None

    def _run(self) -> None:
        """Let the query run, and look what is there of its results, until it is over."""
        writing = threading.Thread(target=self._writing, name="spark-write", daemon=True)
        writing.start()
        over = False
        while not over:
            writing.join(_LOOK_S)
            over = not writing.is_alive()
            try:
                self._look()
            except Exception as error:  # noqa: BLE001  it is raised where the rows are read
                self._error = self._error or error
        with self._changed:
            self._ended = True
            self._changed.notify_all()
            if self._stopped:
                self._forget(self)

    def _writing(self) -> None:
        try:
            self._write(self._folder / "rows")
        except BaseException as error:  # noqa: BLE001  it is raised where the rows are read
            self._error = None if self._enough else error

    def _look(self) -> None:
        """Find the files that are there now; stop the query when they hold all that is wanted, and tell how far it is."""
        known = set(self._ready)
        found = [path for path in (self._folder / "rows").glob("part-*.parquet") if path not in known]
        self._written += sum(pq.read_metadata(path).num_rows for path in found)
        with self._changed:
            self._ready += found
            self._changed.notify_all()
        if self._enough:
            self._stop()
        counted = None if self._told is silent else self._done()
        if counted is not None:
            self._told("tasks", *counted)

    @property
    def _enough(self) -> bool:
        return self._written > self._most and not self._in_order

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
