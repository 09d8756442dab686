"""Rows as a FITS file inside a VOTable (VOTable 1.5 section 5.2).

The FIELDs say what the columns are; the binary table inside holds their values in the same order. FITS says only
at its head how many rows there are, so this serialisation is written when the last row is known.
"""

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
from pybase64 import b64encode

from awe.core.tables._datatypes import is_list
from awe.core.tables._schema import Column
from awe.core.tables._stream import TableStream
from awe.core.tables.formats._fits_read import read_fits
from awe.core.tables.formats._fits_write import write_fits
from awe.core.tables.formats._votable_fields import Cell
from awe.core.tables.formats._votable_text import without_null
from awe.errors import InputFileError

__all__ = ["fits_batches", "fits_lines"]

_LINE = 57 << 10
"""Bytes encoded at once; a multiple of three, so that the pieces of base64 can follow each other."""

_SHORTEST_TEXT = 2
"""STILTS takes ``1A`` for a single character, and warns where the FIELD says text."""


def fits_lines(stream: TableStream) -> Iterator[bytes]:
    """Yield the base64 text of a FITS file of the rows; what goes wrong does so before the first piece."""
    rest = b""
    for chunk in write_fits(stream, _SHORTEST_TEXT):
        data = rest + chunk
        whole = len(data) // _LINE * _LINE
        if whole:
            yield b64encode(data[:whole]) + b"\n"
        rest = data[whole:]
    yield b64encode(rest) + b"\n"


def fits_batches(
    name: str, chunks: Iterable[bytes], cells: list[Cell], extension: str | None
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a FITS file in the types of the FIELDs.

    Parameters
    ----------
    name
        Of the document, for errors.
    chunks
        The file.
    cells
        The columns as the FIELDs say.
    extension
        Number of the HDU; the first binary table when None.

    Raises
    ------
    InputFileError
        If it is no such file, or its columns are not those of the FIELDs.
    """
    with tempfile.TemporaryDirectory(prefix="awe-fits-") as folder:
        file = Path(folder) / name  # errors name the document
        with file.open("wb") as out:
            out.writelines(chunks)
        with read_fits(file, extension) as stream:
            if len(stream.schema) != len(cells):
                reason = f"the FITS table has {len(stream.schema)} columns, there are {len(cells)} FIELDs"
                raise InputFileError(name, reason)
            arrow = pa.schema([cell.column.to_field() for cell in cells])
            for batch in stream:
                arrays = [_as_said(name, a, c.column) for a, c in zip(batch.columns, cells, strict=True)]
                yield pa.RecordBatch.from_arrays(arrays, schema=arrow)


def _as_said(name: str, array: pa.Array, column: Column) -> pa.Array:
    """Return the values of a column of FITS in the type of its FIELD."""
    if pa.types.is_null(array.type):
        return pa.nulls(len(array), column.type)
    try:
        if is_list(column.type) and not is_list(array.type):  # an array of one element is a number there
            array = pa.ListArray.from_arrays(pa.array(range(len(array) + 1), pa.int32()), array)
        made = array if array.type == column.type else array.cast(column.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        reason = f"the FIELD says {column.type}, the FITS table has {array.type}"
        raise InputFileError(name, reason, where=f"column {column.name}") from None
    return without_null(made, column.null) if pa.types.is_integer(made.type) else made
