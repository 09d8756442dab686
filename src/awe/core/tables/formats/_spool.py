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
    """Keep batches, in bounded memory; iterate over them once all are there, as often as wanted.

    Parameters
    ----------
    names
        Of the columns. Their types may differ from batch to batch.
    in_memory
        True when whoever gives the rows holds all of them in memory anyway.
    """

    def __init__(self, names: list[str], *, in_memory: bool = False) -> None:
        self._names = names
        self._in_memory = in_memory
        self._held: list[pa.RecordBatch] = []
        self._bytes = 0
        self._file: IO[bytes] | None = None
        self._filed: list[tuple[pa.Schema, int, int]] = []

    def add(self, columns: list[pa.Array]) -> None:
        """Keep some rows.

        Raises
        ------
        OSError
            If there is no room for them.
        """
        batch = pa.RecordBatch.from_arrays(columns, names=self._names)
        self._bytes += 0 if self._in_memory else batch.nbytes
        if self._bytes <= _HELD_BYTES:
            self._held.append(batch)
            return
        if self._file is None:
            self._file = TemporaryFile()  # noqa: SIM115 - closed by `close`
        begin = self._file.tell()
        size = self._file.write(batch.serialize())
        self._filed.append((batch.schema, begin, size))

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        yield from self._held
        if self._file is None:
            return
        for schema, begin, size in self._filed:
            self._file.seek(begin)
            yield pa.ipc.read_record_batch(pa.py_buffer(self._file.read(size)), schema)

    def close(self) -> None:
        """Forget the rows."""
        self._held, self._filed = [], []
        if self._file is not None:
            self._file.close()
