"""A table on its way: a schema and an iterator of Arrow batches that somebody must close."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Self

import pyarrow as pa

from awe.core.tables._schema import Schema
from awe.errors import AweError

__all__ = ["TableStream"]


class TableStream:
    """Iterate over the batches of a table once; close it to stop whoever makes them.

    Parameters
    ----------
    schema
        The columns; every batch has the same number of columns, of these types, in this order.
    batches
        Where the rows come from.
    on_close
        Called once, when the stream is exhausted, fails or is closed: cancels the query, removes
        the temporary file.

    Attributes
    ----------
    schema
        The columns.
    overflow
        True when rows were left out because of a limit. Known only after the last batch: a format
        states it behind the rows (DALI 1.1 section 4.4.1).
    complete
        True when every batch is made already, and in memory, so that `overflow` is known; see `primed`.
    prompt
        True when the rows are looked up as they are asked for, and no engine works for them.
    notes
        What whoever sent a file should know of how it was read; of the stream that the format gave, and not of
        streams made of it.
    """

    def __init__(
        self,
        schema: Schema,
        batches: Iterable[pa.RecordBatch],
        on_close: Callable[[], None] | None = None,
    ) -> None:
        self.schema = schema
        self.overflow = self.complete = self.prompt = False
        self.notes: tuple[str, ...] = ()
        self._batches = iter(batches)
        self._on_close = on_close

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        return self

    def __next__(self) -> pa.RecordBatch:
        try:
            return next(self._batches)
        except BaseException:  # exhausted, failed or interrupted: whoever makes the rows must stop
            self.close()
            raise

    def close(self) -> None:
        """Stop whoever makes the batches, from whichever thread. Closing twice is allowed."""
        on_close, self._on_close = self._on_close, None
        batches, self._batches = self._batches, iter(())
        try:
            if on_close is not None:
                on_close()
        finally:
            _close(batches)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @classmethod
    def from_table(cls, table: pa.Table, schema: Schema | None = None) -> "TableStream":
        """Return a stream over a table in memory, which is `complete`."""
        stream = cls(schema or Schema.from_arrow(table.schema), table.to_batches())
        stream.complete = True
        return stream

    def to_table(self) -> pa.Table:
        """Read everything into memory."""
        arrow = self.schema.to_arrow()
        return pa.Table.from_batches([_cast(batch, arrow) for batch in self], schema=arrow)

    def map(self, schema: Schema, change: Callable[[pa.RecordBatch], pa.RecordBatch]) -> "TableStream":
        """Return a stream of changed batches; closing it closes this one, overflow carries over."""
        return _Derived(schema, self, change)

    def then(self, action: Callable[[], None]) -> "TableStream":
        """Return the same rows; `action` is called once, when they have ended, failed or been closed."""
        return _Then(self, action)

    def failing(self, told: Callable[[AweError], AweError]) -> "TableStream":
        """Return the same rows; when they fail, it is with the error that `told` makes of theirs."""
        return _Failing(self, told)

    def limit(self, rows: int) -> "TableStream":
        """Return a stream of at most `rows` rows that says `overflow` when there were more."""
        return _Limited(self, rows)

    def primed(self, rows: int = 1, size: int = 1 << 25) -> "TableStream":
        """Return the same rows with the first batches already made, so that early errors come early.

        Parameters
        ----------
        rows, size
            How many rows, or how many bytes, are enough; when the rows end before, the stream is `complete`.
        """
        return _Primed(self, rows, size)


def _close(batches: Iterator[pa.RecordBatch]) -> None:
    closer = getattr(batches, "close", None)
    if closer is not None:
        with suppress(ValueError):  # another thread is inside the generator; it ends, since its source did
            closer()


def _cast(batch: pa.RecordBatch, arrow: pa.Schema) -> pa.RecordBatch:
    if batch.schema.equals(arrow, check_metadata=True):
        return batch
    return pa.RecordBatch.from_arrays(batch.columns, schema=arrow)


class _Derived(TableStream):
    def __init__(
        self, schema: Schema, source: TableStream, change: Callable[[pa.RecordBatch], pa.RecordBatch]
    ) -> None:
        super().__init__(schema, self._changed(source, change), source.close)
        self.prompt = source.prompt

    def _changed(
        self, source: TableStream, change: Callable[[pa.RecordBatch], pa.RecordBatch]
    ) -> Iterator[pa.RecordBatch]:
        for batch in source:
            yield change(batch)
        self.overflow = source.overflow


class _Then(_Derived):
    def __init__(self, source: TableStream, action: Callable[[], None]) -> None:
        super().__init__(source.schema, source, lambda batch: batch)
        self._source_close, self._action = source.close, action
        self._on_close = self._both

    def _both(self) -> None:
        try:
            self._source_close()
        finally:
            self._action()


class _Failing(TableStream):
    def __init__(self, source: TableStream, told: Callable[[AweError], AweError]) -> None:
        super().__init__(source.schema, self._told(source, told), source.close)
        self.prompt = source.prompt

    def _told(self, source: TableStream, told: Callable[[AweError], AweError]) -> Iterator[pa.RecordBatch]:
        try:
            yield from source
        except AweError as error:
            raise told(error) from error
        self.overflow = source.overflow


class _Primed(TableStream):
    def __init__(self, source: TableStream, rows: int, size: int) -> None:
        super().__init__(source.schema, self._all(source), source.close)
        self.prompt = source.prompt
        self._made: deque[pa.RecordBatch] = deque()
        while rows > 0 and size > 0:
            batch = next(source, None)
            if batch is None:
                self.complete, self.overflow = True, source.overflow
                break
            self._made.append(batch)
            rows -= batch.num_rows
            size -= batch.nbytes if rows > 0 else 0  # to ask how large a part of a batch is takes long

    def _all(self, source: TableStream) -> Iterator[pa.RecordBatch]:
        while self._made:
            yield self._made.popleft()
        yield from source
        self.overflow = source.overflow


class _Limited(TableStream):
    def __init__(self, source: TableStream, rows: int) -> None:
        super().__init__(source.schema, self._first(source, rows), source.close)
        self.prompt = source.prompt

    def _first(self, source: TableStream, rows: int) -> Iterator[pa.RecordBatch]:
        left = rows
        for batch in source:
            if batch.num_rows > left:
                self.overflow = True
                if left:
                    yield batch.slice(0, left)
                return
            left -= batch.num_rows
            if batch.num_rows:
                yield batch
        self.overflow = source.overflow
