"""Batches as answers: their results leave while they are made, one after the other."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import pyarrow as pa

from awe.core.tables import TableStream
from awe.services.catalogs import Results, ResultSet
from awe.web.http._turn import TurnResponse

__all__ = ["BatchResponse"]

Write = Callable[[Iterator[ResultSet]], Iterator[bytes]]
"""From the results, each of which it reads or closes before it asks for the next, to the pieces of a document."""


class BatchResponse(TurnResponse):
    """The results of a batch in a document.

    `write` is called, and the first piece of the document is made, before the answer's head is sent: an error until then
    has its status.

    Parameters
    ----------
    results
        Closed by this response, whatever happens. A statement that changes a table when the client goes is done.
    write
        Makes the document.
    media_type
        What it is.
    packed
        Whether it is compressed in itself.
    """

    def __init__(self, results: Results, write: Write, media_type: str, *, packed: bool = False) -> None:
        super().__init__(media_type, packed=packed)
        self._results = results
        self._write = write
        self._now: TableStream | None = None
        self._busy = threading.Lock()
        self._ended = False

    def begun(self) -> Iterator[bytes]:
        """Begin the batch."""
        return self._write(self._counted())

    def closed(self) -> None:
        """Stop the batch."""
        self._ended = True
        if self._now is not None:
            self._now.close()  # whoever is inside a query comes out of it
        with self._busy:
            self._results.close()

    def _counted(self) -> Iterator[ResultSet]:
        while (found := self._next()) is not None:
            yield found

    def _next(self) -> ResultSet | None:
        with self._busy:
            found = None if self._ended else next(self._results, None)
        if found is None:
            return None
        if found.affected is not None:
            self.rows += found.affected
            return found
        self._now = found.stream.map(found.stream.schema, self._add)
        return replace(found, stream=self._now)

    def _add(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        self.rows += batch.num_rows
        return batch
