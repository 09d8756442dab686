"""Arrow's interprocess format: `ARROW`, what pandas, polars, DuckDB and R take without a conversion.

Written as a stream, which has no index at its end, so that rows leave as they come; a file with one is read too.
Units and UCDs travel in the metadata of the fields. Overflow is stated by an empty batch at the end, which other
readers pass over. A failure of the rows ends the answer early by its exception.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from awe.core.tables._schema import Schema
from awe.core.tables._stream import TableStream
from awe.core.tables.formats._files import open_file, read_some
from awe.core.tables.formats._sink import Sink
from awe.core.tables.formats._votable_options import NO_OPTIONS, VOTableOptions
from awe.errors import InputFileError

__all__ = ["ARROW", "ArrowFormat"]

_FILE_MAGIC = b"ARROW1"
_OVERFLOW = {b"awe.overflow": b"true"}


@dataclass(frozen=True, slots=True)
class ArrowFormat:
    """Streams of Arrow batches."""

    name: str = "arrow"
    media_types: tuple[str, ...] = (
        "application/vnd.apache.arrow.stream",
        "application/vnd.apache.arrow.file",
        "application/x-apache-arrow-stream",
    )
    extensions: tuple[str, ...] = (".arrows", ".arrow")

    def write(self, stream: TableStream, options: VOTableOptions = NO_OPTIONS) -> Iterator[bytes]:  # noqa: ARG002
        """Yield the schema, then the batches."""
        with stream:
            arrow, sink = stream.schema.to_arrow(), Sink()
            with pa.ipc.new_stream(pa.PythonFile(sink, mode="w"), arrow) as writer:
                yield sink.take()
                for batch in stream:
                    writer.write_batch(pa.RecordBatch.from_arrays(batch.columns, schema=arrow))
                    yield sink.take()
                if stream.overflow:
                    nothing = pa.RecordBatch.from_pylist([], schema=arrow)
                    writer.write_batch(nothing, custom_metadata=_OVERFLOW)
            yield sink.take()

    def read(self, path: Path) -> TableStream:
        """Return the rows of a stream or a file.

        Raises
        ------
        InputFileError
            From here or from the stream: if it is neither, or damaged.
        """
        content = open_file(path)
        try:
            is_file = read_some(content, path, len(_FILE_MAGIC)) == _FILE_MAGIC
            content.seek(0)
            reader = _reader(path, content, is_file=is_file)
        except BaseException:
            content.close()
            raise
        schema = Schema.from_arrow(reader.schema)
        batches = _file_batches(path, reader) if is_file else _stream_batches(path, reader)
        return _Read(schema, batches, content)


class _Read(TableStream):
    """Batches with what is said of each."""

    def __init__(
        self, schema: Schema, batches: Iterator[tuple[pa.RecordBatch, object]], content: BinaryIO
    ) -> None:
        super().__init__(schema, self._heard(batches), content.close)

    def _heard(self, batches: Iterator[tuple[pa.RecordBatch, object]]) -> Iterator[pa.RecordBatch]:
        for batch, said in batches:
            if said is not None and dict(said) == _OVERFLOW:  # type: ignore[call-overload]  # pyarrow has no stubs
                self.overflow = True
            if batch.num_rows:
                yield batch


def _reader(path: Path, content: BinaryIO, *, is_file: bool) -> pa.ipc.RecordBatchStreamReader:
    try:
        source = pa.PythonFile(content, mode="r")
        return pa.ipc.open_file(source) if is_file else pa.ipc.open_stream(source)
    except (OSError, EOFError, pa.ArrowException) as error:
        raise InputFileError(path.name, f"it cannot be read as Arrow: {error}") from None


def _stream_batches(
    path: Path, reader: pa.ipc.RecordBatchStreamReader
) -> Iterator[tuple[pa.RecordBatch, object]]:
    while True:
        try:
            found = reader.read_next_batch_with_custom_metadata()
        except StopIteration:
            return
        except (OSError, EOFError, pa.ArrowException) as error:
            raise InputFileError(path.name, f"damaged Arrow data: {error}") from None
        yield found.batch, found.custom_metadata


def _file_batches(
    path: Path, reader: pa.ipc.RecordBatchFileReader
) -> Iterator[tuple[pa.RecordBatch, object]]:
    for index in range(reader.num_record_batches):
        try:
            found = reader.get_batch_with_custom_metadata(index)
        except (OSError, EOFError, pa.ArrowException) as error:
            raise InputFileError(path.name, f"damaged Arrow data: {error}") from None
        yield found.batch, found.custom_metadata


ARROW = ArrowFormat()
