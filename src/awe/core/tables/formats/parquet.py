"""Apache Parquet: `PARQUET`. Column metadata travel twice, as awe's own and as VOParquet 1.0.

VOParquet (IVOA Note, 2025) keeps a VOTable without data in the file's key-value metadata; other programs find
units and UCDs there, and theirs are read from there.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from awe.core.tables._datatypes import VOTABLE_NUMBERS
from awe.core.tables._schema import Schema
from awe.core.tables._stream import TableStream
from awe.core.tables.formats._arrow import basic_schema
from awe.core.tables.formats._sink import Sink
from awe.core.tables.formats._votable_document import frame
from awe.core.tables.formats._votable_options import NO_OPTIONS, VOTableOptions
from awe.core.tables.formats._votable_read import votable_schema
from awe.errors import InputFileError

__all__ = ["PARQUET", "ParquetFormat"]

_CONTENT = b"IVOA.VOTable-Parquet.content"
_VERSION = b"IVOA.VOTable-Parquet.version"
_OVERFLOW = b"awe.overflow"
_GROUP_ROWS = 131_072
_BATCH_ROWS = 65_536


@dataclass(frozen=True, slots=True)
class ParquetFormat:
    """Parquet files, zstd-compressed."""

    name: str = "parquet"
    media_types: tuple[str, ...] = (
        "application/vnd.apache.parquet",
        "application/x-parquet",
        "application/parquet",
    )
    extensions: tuple[str, ...] = (".parquet", ".parq", ".pq")

    def write(self, stream: TableStream, options: VOTableOptions = NO_OPTIONS) -> Iterator[bytes]:
        """Yield the file, a row group at a time."""
        with stream:
            arrow = _arrow_schema(stream.schema, options)
            sink = Sink()
            with pq.ParquetWriter(pa.PythonFile(sink, mode="w"), arrow, compression="zstd") as writer:
                for group in _groups(stream, arrow):
                    writer.write_table(group, row_group_size=_GROUP_ROWS)
                    yield sink.take()
                if stream.overflow:
                    writer.add_key_value_metadata({_OVERFLOW: b"true"})
            yield sink.take()

    def read(self, path: Path) -> TableStream:
        """Return the rows, a part of a row group at a time.

        Raises
        ------
        InputFileError
            If it is not a Parquet file, or damaged.
        """
        try:
            source = pq.ParquetFile(path)
            arrow = source.schema_arrow
        except (OSError, pa.ArrowException) as error:
            raise InputFileError(path.name, f"it cannot be read as Parquet: {error}") from None
        stream = TableStream(_schema(arrow), _batches(path, source), source.close)
        stream.overflow = (arrow.metadata or {}).get(_OVERFLOW) == b"true"
        return stream


def _arrow_schema(schema: Schema, options: VOTableOptions) -> pa.Schema:
    described = replace(options, status="", on_error="raise")
    votable = frame(basic_schema(schema, VOTABLE_NUMBERS), described).middle
    arrow = schema.to_arrow()
    metadata = {**(arrow.metadata or {}), _VERSION: b"1.0", _CONTENT: votable}
    return arrow.with_metadata(metadata)


def _groups(stream: TableStream, arrow: pa.Schema) -> Iterator[pa.Table]:
    waiting: list[pa.RecordBatch] = []
    rows = 0
    for batch in stream:
        waiting.append(pa.RecordBatch.from_arrays(batch.columns, schema=arrow))
        rows += batch.num_rows
        if rows >= _GROUP_ROWS:
            yield pa.Table.from_batches(waiting, schema=arrow)
            waiting, rows = [], 0
    if rows:
        yield pa.Table.from_batches(waiting, schema=arrow)


def _batches(path: Path, source: pq.ParquetFile) -> Iterator[pa.RecordBatch]:
    try:
        yield from source.iter_batches(batch_size=_BATCH_ROWS)
    except (OSError, pa.ArrowException) as error:
        raise InputFileError(path.name, f"damaged Parquet data: {error}") from None


def _schema(arrow: pa.Schema) -> Schema:
    schema = Schema.from_arrow(arrow)
    document = (arrow.metadata or {}).get(_CONTENT)
    if document is None or any(b"awe" in (f.metadata or {}) for f in arrow):
        return schema
    said = votable_schema(document, "the VOTable in the Parquet file")
    known = {column.name: column for column in said}
    columns = tuple(
        replace(known[column.name], type=column.type, null=None) if column.name in known else column
        for column in schema
    )
    return Schema(columns, said.name or schema.name, said.description or schema.description)


PARQUET = ParquetFormat()
