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
from astropy.table import MaskedColumn, Table
from astropy.units import UnitsWarning

from awe.core.tables._datatypes import is_list
from awe.core.tables._schema import Column, Schema
from awe.core.tables._stream import TableStream
from awe.core.tables.formats._arrow import basic_schema, pieces
from awe.core.tables.formats._files import open_file, read_some
from awe.core.tables.formats._votable_options import NO_OPTIONS, VOTableOptions
from awe.core.tables.formats.csv import delimited_rows
from awe.errors import InputFileError

__all__ = ["ECSV", "EcsvFormat"]

_META = ("ucd", "utype", "xtype")
_BATCH_ROWS = 65_536


@dataclass(frozen=True, slots=True)
class EcsvFormat:
    """Enhanced character-separated values."""

    name: str = "ecsv"
    media_types: tuple[str, ...] = ("text/x-ecsv", "application/x-ecsv")
    extensions: tuple[str, ...] = (".ecsv",)

    def write(self, stream: TableStream, options: VOTableOptions = NO_OPTIONS) -> Iterator[bytes]:  # noqa: ARG002
        """Yield the header, then the rows; a failure of the rows is an exception."""
        with stream:
            schema = basic_schema(stream.schema, {pa.float16(): pa.float32()})
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
        schema = Schema(
            tuple(_column(table[name]) for name in table.colnames),
            str(table.meta.get("name", "")),
            str(table.meta.get("description", "")),
        )
        return TableStream(schema, _batches(table, schema))


def _head(schema: Schema) -> bytes:
    said = {"name": schema.name, "description": schema.description, **schema.metadata}
    table = Table(meta={key: value for key, value in said.items() if value})
    for column in schema:
        meta = {key: getattr(column, key) for key in _META if getattr(column, key)}
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


def _column(column: AstropyColumn) -> Column:
    meta = column.info.meta or {}
    arrow = pa.string() if column.dtype.kind in "USO" else pa.from_numpy_dtype(column.dtype)
    if column.dtype.kind not in "USO" and len(column.shape) > 1:
        arrow = pa.list_(arrow, int(np.prod(column.shape[1:])))
    ucd, utype, xtype = (str(meta.get(key, "")) for key in _META)
    unit = "" if column.info.unit is None else str(column.info.unit)
    return Column(column.info.name, arrow, unit, ucd, utype, xtype, column.info.description or "")


def _batches(table: Table, schema: Schema) -> Iterator[pa.RecordBatch]:
    arrow = schema.to_arrow()
    for start in range(0, len(table), _BATCH_ROWS):
        part = table[start : start + _BATCH_ROWS]
        arrays = [_array(part[column.name], column.type) for column in schema]
        yield pa.RecordBatch.from_arrays(arrays, schema=arrow)


def _array(column: AstropyColumn, arrow: pa.DataType) -> pa.Array:
    mask = np.asarray(column.mask) if isinstance(column, MaskedColumn) else None
    values = np.ma.getdata(np.asarray(column) if mask is None else column.data)
    if pa.types.is_string(arrow):
        masks = np.zeros(len(values), bool) if mask is None else mask
        texts = [
            None if gone else str(value) for value, gone in zip(values.tolist(), masks.tolist(), strict=True)
        ]
        return pa.array(texts, arrow)
    if is_list(arrow):
        items = pa.array(
            values.reshape(-1), arrow.value_type, mask=None if mask is None else mask.reshape(-1)
        )
        return pa.FixedSizeListArray.from_arrays(items, type=arrow)
    return pa.array(values, arrow, mask=mask)


ECSV = EcsvFormat()
