"""VOTable: `VOTABLE_TD` writes TABLEDATA, `VOTABLE_B` BINARY, `VOTABLE_B2` BINARY2, `VOTABLE_FITS` a FITS file inside.

Each reads every serialisation.

Text is written as datatype ``char`` in UTF-8, as ``unicodeChar`` where its source said that. VOTable has no
integers of 64 bits without a sign (SDSS's ``specObjID`` needs them): they are text with the xtype ``awe:unsignedLong``, exact, and
read as numbers again. The document is built in `_votable_document`, the rows
in `_votable_cells` and `_votable_binary`; they are read in `_votable_read`.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pyarrow as pa
from pybase64 import b64encode

from awe.core.tables._datatypes import UNSIGNED_LONG, VOTABLE_NUMBERS, is_list
from awe.core.tables._schema import Column, Schema
from awe.core.tables._stream import TableStream
from awe.core.tables.formats._arrow import basic_columns, basic_schema, cuts, pieces
from awe.core.tables.formats._parallel import in_order
from awe.core.tables.formats._text import Cells
from awe.core.tables.formats._votable_binary import BinaryEncoder
from awe.core.tables.formats._votable_cells import table_cells, table_rows
from awe.core.tables.formats._votable_document import Frame, frame, status_info
from awe.core.tables.formats._votable_fits import fits_lines
from awe.core.tables.formats._votable_kept import kept_frame
from awe.core.tables.formats._votable_options import NO_OPTIONS, VOTableOptions
from awe.core.tables.formats._votable_read import read_votable
from awe.errors import AweError

__all__ = ["VOTABLE_B", "VOTABLE_B2", "VOTABLE_FITS", "VOTABLE_TD", "VOTableFormat"]

R = TypeVar("R")

_LOG = logging.getLogger(__name__)


class _RowEncoder(Protocol[R]):
    def rows(self, part: pa.RecordBatch) -> R:
        """Return what is made of some rows by themselves; called by another thread."""

    def written(self, rows: R) -> bytes:
        """Return these as they are written behind all that were before them."""

    def finish(self) -> bytes:
        """Return what is left."""


class _TableData:
    def __init__(self, schema: Schema) -> None:
        self._schema = schema

    def rows(self, part: pa.RecordBatch) -> Cells | bytes:
        return table_cells(basic_columns(part, self._schema), self._schema)

    def written(self, rows: Cells | bytes) -> bytes:
        return table_rows(rows)

    def finish(self) -> bytes:
        return b""


class _Binary:
    """Base64 lines; the bytes that do not fill a group of three wait for the next piece."""

    def __init__(self, schema: Schema, *, masked: bool) -> None:
        self._schema = schema
        self._encoder = BinaryEncoder(schema, masked=masked)
        self._rest = b""

    def rows(self, part: pa.RecordBatch) -> memoryview:
        return self._encoder.rows(basic_columns(part, self._schema))

    def written(self, data: memoryview) -> bytes:
        begin = min(-len(self._rest) % 3, len(data))
        end = len(data) - (len(data) - begin) % 3
        first = self._rest + data[:begin]
        whole = len(first) // 3 * 3
        self._rest = first[whole:] + data[end:]
        return b"".join((b64encode(first[:whole]), b64encode(data[begin:end]), b"\n"))

    def finish(self) -> bytes:
        return b64encode(self._rest) + b"\n" if self._rest else b""


@dataclass(frozen=True, slots=True)
class VOTableFormat:
    """One serialisation of VOTable; rows that have no encoder are written as a FITS file."""

    name: str
    media_types: tuple[str, ...]
    serialization: str
    encoder: Callable[[Schema], _RowEncoder[Any]] | None
    extensions: tuple[str, ...] = (".vot", ".votable", ".xml")

    def write(self, stream: TableStream, options: VOTableOptions = NO_OPTIONS) -> Iterator[bytes]:
        """Yield the document. Overflow, and failure of the rows, are stated in an INFO behind the table."""
        if self.encoder is None:
            return _with_fits(stream, self._basic(stream.schema), options)
        schema, around = kept_frame(stream.schema, options, self.serialization, self._basic)
        return _document(stream, around, self.encoder(schema), options)

    def _basic(self, schema: Schema) -> Schema:
        made = basic_schema(schema, VOTABLE_NUMBERS)
        return _with_nulls(made) if self.serialization == "BINARY" else made

    def read(self, path: Path) -> TableStream:
        """Return the rows of the table, or of that in ``file.vot[NAME]``; any serialisation, gzip or not.

        Raises
        ------
        InputFileError
            From here or from the stream: with the line, or the row and column.
        """
        stream = read_votable(path)
        longs = [i for i, column in enumerate(stream.schema) if column.xtype == UNSIGNED_LONG]
        return _with_numbers(stream, longs) if longs else stream


def _with_numbers(stream: TableStream, places: Sequence[int]) -> TableStream:
    """Return the rows with the columns at some places as integers of 64 bits without a sign."""
    columns = list(stream.schema)
    for i in places:
        columns[i] = replace(columns[i], type=pa.uint64(), xtype="", arraysize="")

    def numbers(batch: pa.RecordBatch) -> pa.RecordBatch:
        values = list(batch.columns)
        for i in places:
            values[i] = values[i].cast(pa.uint64())
        return pa.RecordBatch.from_arrays(values, names=batch.schema.names)

    return stream.map(stream.schema.with_columns(tuple(columns)), numbers)


def _with_nulls(schema: Schema) -> Schema:
    """Return the columns with a magic null for every signed integer: BINARY has no other way to say null."""
    return schema.with_columns(tuple(replace(column, null=_null(column)) for column in schema))


def _null(column: Column) -> int | None:
    item = column.type.value_type if is_list(column.type) else column.type
    if column.null is None and pa.types.is_signed_integer(item):
        return -(1 << (int(item.bit_width) - 1))
    return column.null


def _document(
    stream: TableStream, around: Frame, encoder: _RowEncoder[R], options: VOTableOptions
) -> Iterator[bytes]:
    trailer = b""
    with stream:
        yield around.head
        try:
            with closing(in_order(encoder.rows, map(cuts, stream))) as made:
                yield from map(encoder.written, made)
        except Exception as error:
            if options.on_error == "raise":
                raise
            trailer = status_info("ERROR", _reason(error))
        if stream.overflow:
            trailer = trailer or status_info("OVERFLOW")
    yield encoder.finish()
    yield around.middle + trailer + around.tail


def _with_fits(stream: TableStream, schema: Schema, options: VOTableOptions) -> Iterator[bytes]:
    """Yield the document once the last row is known; one without rows where they failed."""
    trailer = b""
    with stream:
        lines = fits_lines(_basic(stream, schema))
        try:
            first = next(lines)
        except Exception as error:
            if options.on_error == "raise":
                raise
            around = frame(schema, options)
            yield around.head + around.middle + status_info("ERROR", _reason(error)) + around.tail
            return
        around = frame(schema, options, "FITS")
        yield around.head + first
        yield from lines
        if stream.overflow:
            trailer = status_info("OVERFLOW")
    yield around.middle + trailer + around.tail


def _basic(stream: TableStream, schema: Schema) -> TableStream:
    arrow = schema.to_arrow()
    batches = (pa.RecordBatch.from_arrays(columns, schema=arrow) for columns in pieces(stream, schema))
    return TableStream(schema, batches)


def _reason(error: Exception) -> str:
    if isinstance(error, AweError):
        return str(error)
    _LOG.error("the rows of an answer failed", exc_info=error)
    return "the rows that follow could not be read: a fault of the service"


VOTABLE_TD = VOTableFormat(
    "votable",
    (
        "application/x-votable+xml",
        "application/x-votable+xml;serialization=tabledata",
        "text/xml",
        "application/xml",
        "text/xml;content=x-votable",
        "votable/td",
        "votable_td",
    ),
    "TABLEDATA",
    _TableData,
)
VOTABLE_B = VOTableFormat(
    "votable/b",
    ("application/x-votable+xml;serialization=binary", "votable_b"),
    "BINARY",
    partial(_Binary, masked=False),
)
VOTABLE_B2 = VOTableFormat(
    "votable/b2",
    (
        "application/x-votable+xml;serialization=binary2",
        "application/x-votable+xml;serialization=BINARY2",
        "votable_b2",
    ),
    "BINARY2",
    partial(_Binary, masked=True),
)
VOTABLE_FITS = VOTableFormat(
    "votable/fits",
    (
        "application/x-votable+xml;serialization=fits",
        "application/x-votable+xml;serialization=FITS",
        "votable_fits",
    ),
    "FITS",
    None,
)
