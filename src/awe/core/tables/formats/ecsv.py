"""ECSV, the text format of astropy tables (astropy APE 6): `ECSV`.

astropy writes and reads the header; rows are written as CSV lines. Variable arrays are written as JSON text.
Reading holds the whole table in memory, as astropy does.
"""

import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from astropy.io import ascii as astropy_ascii
from astropy.table import Column as AstropyColumn
from astropy.table import Table
from astropy.units import UnitsWarning

from awe.core.tables._datatypes import is_list
from awe.core.tables._schema import Schema
from awe.core.tables._stream import TableStream
from awe.core.tables.formats._arrow import basic_schema, pieces
from awe.core.tables.formats._astropy import META, stream_of
from awe.core.tables.formats._files import open_file, read_some
from awe.core.tables.formats._votable_options import NO_OPTIONS, VOTableOptions
from awe.core.tables.formats.csv import delimited_rows
from awe.errors import InputFileError

__all__ = ["ECSV", "EcsvFormat"]


@dataclass(frozen=True, slots=True)
class EcsvFormat:
    """Enhanced character-separated values."""

    name: str = "ecsv"
    media_types: tuple[str, ...] = ("text/x-ecsv", "application/x-ecsv")
    extensions: tuple[str, ...] = (".ecsv",)

    def write(self, stream: TableStream, options: VOTableOptions = NO_OPTIONS) -> Iterator[bytes]:  # noqa: ARG002
        """Yield the header, then the rows; a failure of the rows is an exception."""
        with stream:
            schema = basic_schema(stream.schema.distinct(), {pa.float16(): pa.float32()})
            yield _head(schema)
            for columns in pieces(stream, schema):
                cells = [_cells(array) for array in columns]
                yield from delimited_rows(pa.RecordBatch.from_arrays(cells, names=schema.names), ",")

    def read(self, path: Path) -> TableStream:
        """Return the rows.

        Raises
        ------
        InputFileError
            If it is not ECSV: with astropy's reason.
        """
        with open_file(path) as content:
            raw = read_some(content, path, -1)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                table = astropy_ascii.read(raw.decode("utf-8-sig"), format="ecsv", guess=False)
        except Exception as error:  # astropy raises whatever its parsers do  # noqa: BLE001
            raise InputFileError(path.name, f"it cannot be read as ECSV: {error}") from None
        return stream_of(table)


def _head(schema: Schema) -> bytes:
    said = {"name": schema.name, "description": schema.description, **schema.metadata}
    table = Table(meta={key: value for key, value in said.items() if value})
    for column in schema:
        meta = {key: getattr(column, key) for key in META if getattr(column, key)}
        made = AstropyColumn(
            _nothing(column.type), column.name, description=column.description or None, meta=meta
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UnitsWarning)  # a unit unknown to astropy is written as it is
            made.unit = column.unit or None
        table.add_column(made)
    text = io.StringIO()
    table.write(text, format="ascii.ecsv", delimiter=",")
    return text.getvalue().encode()


def _nothing(arrow: pa.DataType) -> np.ndarray:
    if pa.types.is_fixed_size_list(arrow):
        return np.zeros((0, arrow.list_size), arrow.value_type.to_pandas_dtype())
    if pa.types.is_string(arrow) or is_list(arrow):
        return np.zeros(0, "U1")
    return np.zeros(0, arrow.to_pandas_dtype())


def _cells(array: pa.Array) -> pa.Array:
    if pa.types.is_boolean(array.type):
        return pc.if_else(array, "True", "False")
    return array


ECSV = EcsvFormat()
