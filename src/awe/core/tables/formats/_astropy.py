"""An astropy table as a stream: its units, descriptions, and the UCDs and utypes in its columns' meta."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from astropy.table import Column as AstropyColumn
from astropy.table import MaskedColumn, Table

from awe.core.tables._datatypes import is_list
from awe.core.tables._schema import Column, Schema
from awe.core.tables._stream import TableStream

__all__ = ["META", "stream_of"]

META = ("ucd", "utype", "xtype")
"""What of a column stands in its ``meta``."""

_BATCH_ROWS = 65_536
_TEXT = "USO"


def stream_of(table: Table) -> TableStream:
    """Return the rows of a table of plain and masked columns; arrays of several dimensions become flat."""
    schema = Schema(
        tuple(_column(table[name]) for name in table.colnames),
        str(table.meta.get("name", "")),
        str(table.meta.get("description", "")),
    )
    return TableStream(schema, _batches(table, schema))


def _column(column: AstropyColumn) -> Column:
    meta = column.info.meta or {}
    kind, item = column.dtype.kind, column.dtype
    arrow = pa.string() if kind in _TEXT else pa.from_numpy_dtype(_real(item))
    size = int(np.prod(column.shape[1:])) * (2 if kind == "c" else 1)
    if kind not in _TEXT and (len(column.shape) > 1 or kind == "c"):
        arrow = pa.list_(arrow, size)
    ucd, utype, xtype = (str(meta.get(key, "")) for key in META)
    unit = "" if column.info.unit is None else str(column.info.unit)
    word = {"c8": "floatComplex", "c16": "doubleComplex"}.get(item.str[1:], "")
    about = column.info.description or ""
    return Column(column.info.name, arrow, unit, ucd, utype, xtype, about, datatype=word)


def _real(item: np.dtype) -> np.dtype:
    """Return the type of the parts of a complex number, in this machine's order of bytes."""
    return np.dtype(f"f{item.itemsize // 2}") if item.kind == "c" else item.newbyteorder("=")


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
        return pa.array(_texts(values, mask), arrow)
    values = np.ascontiguousarray(values.astype(values.dtype.newbyteorder("="), copy=False))
    if values.dtype.kind == "c":
        values = values.view(_real(values.dtype))
        mask = None if mask is None else np.repeat(mask.reshape(-1), 2)
    if is_list(arrow):
        items = pa.array(
            values.reshape(-1), arrow.value_type, mask=None if mask is None else mask.reshape(-1)
        )
        return pa.FixedSizeListArray.from_arrays(items, type=arrow)
    return pa.array(values, arrow, mask=mask)


def _texts(values: np.ndarray, mask: np.ndarray | None) -> list[str | None]:
    masks = np.zeros(len(values), bool) if mask is None else mask
    said = [value.decode() if isinstance(value, bytes) else value for value in values.tolist()]
    return [
        None if gone or value is None else str(value)
        for value, gone in zip(said, masks.tolist(), strict=True)
    ]
