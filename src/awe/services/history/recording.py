"""What is noted of a query while it runs: rows, bytes, how it ended."""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import pyarrow as pa

from awe.core.tables import TableStream
from awe.errors import AweError, CancelledError, TimeLimitError
from awe.services.jobs import Phase

__all__ = ["Outcome", "Recording"]

_LOG = logging.getLogger(__name__)
_FAULT = "something went wrong inside the service"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a query ended; the attributes are those of an entry."""

    phase: Phase
    seconds: float
    rows: int
    bytes: int
    message: str
    engine: str


class Recording:
    """A query that has begun, to be ended once; what comes after that changes nothing.

    It is a context manager: a block that ends has answered the query, one that an error leaves has not.

    Parameters
    ----------
    end
        Told how it ended; None where nobody wants to know.
    """

    def __init__(self, end: Callable[[Outcome], None] | None = None) -> None:
        self._end = end
        self._begun = time.monotonic()
        self._rows = self._bytes = 0
        self._engines: dict[str, None] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.complete()
        else:
            self.fail(error)

    def watch(self, stream: TableStream) -> TableStream:
        """Return the rows of a query that has this one answer: it ends with them."""
        return stream if self._end is None else _Watched(self, stream, last=True).then(self.abandon)

    def count(self, stream: TableStream) -> TableStream:
        """Return the rows of one of several answers: they are counted, and when they fail, it has."""
        return stream if self._end is None else _Watched(self, stream, last=False)

    def add(self, rows: int, size: int = 0) -> None:
        """Count rows that were given or changed, and their bytes."""
        self._rows += rows
        self._bytes += size

    def by(self, engine: str) -> None:
        """Note what makes rows of it; empty for nothing."""
        if engine:
            self._engines[engine] = None

    def complete(self) -> None:
        """Say that it is answered."""
        self._finish(Phase.COMPLETED)

    def abandon(self) -> None:
        """Say that nobody takes the rest of the answer."""
        self._finish(Phase.ABORTED, "its rows were not taken to the end")

    def fail(self, error: BaseException) -> None:
        """Say what went wrong."""
        if isinstance(error, GeneratorExit):
            self.abandon()
        elif isinstance(error, TimeLimitError | CancelledError):
            self._finish(Phase.ABORTED, str(error))
        else:
            self._finish(Phase.ERROR, str(error) if isinstance(error, AweError) else _FAULT)

    def _finish(self, phase: Phase, message: str = "") -> None:
        end, self._end = self._end, None
        if end is None:
            return
        try:
            engines = ", ".join(self._engines)
            end(Outcome(phase, time.monotonic() - self._begun, self._rows, self._bytes, message, engines))
        except Exception:  # noqa: BLE001  # the query itself went as it went; the log says what is missing
            _LOG.exception("a query could not be written into the history")


class _Watched(TableStream):
    """The same rows; the recording hears of their end before whoever reads them."""

    def __init__(self, recording: Recording, source: TableStream, *, last: bool) -> None:
        super().__init__(source.schema, self._noted(recording, source, last=last), source.close)

    def _noted(self, recording: Recording, source: TableStream, *, last: bool) -> Iterator[pa.RecordBatch]:
        try:
            for batch in source:
                recording.add(batch.num_rows, batch.nbytes)
                yield batch
        except Exception as error:
            recording.fail(error)
            raise
        self.overflow = source.overflow
        if last:
            recording.complete()
