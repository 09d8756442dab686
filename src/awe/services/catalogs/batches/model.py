"""Values of batches: what a statement gives."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import pyarrow as pa

from awe.core.tables import TableStream
from awe.errors import CancelledError

__all__ = ["ROWS_AFFECTED", "ResultSet", "ResultStream", "Results"]

ROWS_AFFECTED = "Rows Affected"
"""The one column of what a statement gives that changes a table, as CasJobs names it."""


@dataclass(frozen=True, slots=True)
class ResultSet:
    """What one statement gives.

    Attributes
    ----------
    name
        ``Table1``, ``Table2`` ... in the order of the batch.
    stream
        The rows; of a change one row of `ROWS_AFFECTED`.
    affected
        How many rows a change made, changed or removed; None of a query.
    statement
        The text of the statement.
    line
        Where it begins, counted from one.
    engine
        What made rows for it; several are divided by commas, empty for none.
    """

    name: str
    stream: TableStream
    affected: int | None
    statement: str
    line: int
    engine: str = ""


class Results(Iterator[ResultSet], ABC):
    """Results as they come, one after the other; each must be read or closed before the next one is asked for.

    Close them, or use them as a context manager, to end before the last one.
    """

    @abstractmethod
    def close(self) -> None:
        """Stop; what has been done stays done. Closing twice is allowed."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class ResultStream(TableStream):
    """The rows of one result; whoever reads them after the batch went on is told, instead of finding none.

    Parameters
    ----------
    source
        The rows.
    on_close
        Called once, when they have ended, failed or been closed.
    """

    def __init__(self, source: TableStream, on_close: Callable[[], None]) -> None:
        def close() -> None:
            source.close()
            on_close()

        super().__init__(source.schema, self._rows(source), close)
        self._ended = self._passed = False

    def __next__(self) -> pa.RecordBatch:
        if self._passed:
            raise CancelledError(
                "the batch went on before this result was read", hint="read each result in turn"
            )
        return super().__next__()

    def pass_by(self) -> None:
        """Close it, since the batch goes on."""
        self._passed = not self._ended
        self.close()

    def _rows(self, source: TableStream) -> Iterator[pa.RecordBatch]:
        yield from source
        self.overflow, self._ended = source.overflow, True
