"""Rows that are read again from the beginning: the first in memory, the others in a temporary file.

Where all rows are in memory before they are kept, they stay there: to keep them costs nothing.
"""

from collections.abc import Iterator
from tempfile import TemporaryFile
from typing import IO

import pyarrow as pa

__all__ = ["Spool"]

_HELD_BYTES = 32 << 20


class Spool:
    """Keep batches of a schema, in bounded memory; iterate over them once all are there, as often as wanted.

    Parameters
    ----------
    schema
        The columns.
    in_memory
        True when whoever gives the rows holds all of them in memory anyway.
    """

    def __init__(self, schema: pa.Schema, *, in_memory: bool = False) -> None:
        self._schema = schema
        self._in_memory = in_memory
        self._held: list[pa.RecordBatch] = []
        self._bytes = 0
        self._file: IO[bytes] | None = None
        self._sink: pa.RecordBatchWriter | None = None

    def add(self, columns: list[pa.Array]) -> None:
        """Keep some rows."""
        batch = pa.RecordBatch.from_arrays(columns, schema=self._schema)
        self._bytes += 0 if self._in_memory else batch.nbytes
        if self._bytes <= _HELD_BYTES:
            self._held.append(batch)
            return
        if self._sink is None:
            self._file = TemporaryFile()  # noqa: SIM115 - closed by `close`
            self._sink = pa.ipc.new_file(self._file, self._schema)
        self._sink.write_batch(batch)

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        yield from self._held
        if self._file is None:
            return
        if self._sink is not None:
            self._sink.close()
            self._sink = None
        self._file.seek(0)
        source = pa.ipc.open_file(self._file)
        for index in range(source.num_record_batches):
            yield source.get_batch(index)

    def close(self) -> None:
        """Forget the rows."""
        self._held = []
        if self._file is not None:
            self._file.close()
