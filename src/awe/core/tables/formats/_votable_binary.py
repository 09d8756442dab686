"""Rows as VOTable BINARY2 (VOTable 1.5 section 5.4), with no Python per row.

A row is a mask (one bit a column, set for null), then the cells, big-endian; a cell of variable length
is preceded by its number of elements. Between two variable cells stands a *segment* of fixed width, the
last four bytes of which count the cell that follows: segments are numpy records, and one Arrow kernel
copies segments and cells together.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from awe.core.tables._datatypes import is_list
from awe.core.tables._schema import Schema
from awe.core.tables.formats._arrow import elements, string_bytes, to_numpy

__all__ = ["Binary2Encoder"]

_BOOLEANS = np.frombuffer(b"FT?", np.uint8)


@dataclass(frozen=True, slots=True)
class _Segment:
    """Fixed columns in a row (by index, with their record type), then perhaps a variable one."""

    fixed: tuple[int, ...]
    dtype: np.dtype
    variable: int | None


class Binary2Encoder:
    """Encode rows of a basic schema."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._mask_bytes = (len(schema) + 7) // 8
        self._segments = tuple(_segments(schema, self._mask_bytes))

    def rows(self, columns: list[pa.Array]) -> memoryview:
        """Return the bytes of some rows."""
        parts: list[pa.Array] = []
        for number, segment in enumerate(self._segments):
            cells, counts = (None, None)
            if segment.variable is not None:
                cells, counts = _variable(
                    columns[segment.variable], self._schema.columns[segment.variable].name
                )
            records = self._records(columns, segment, counts, first=number == 0)
            if len(self._segments) == 1 and cells is None:
                return memoryview(records.tobytes())
            parts.append(_as_binary(records))
            if cells is not None:
                parts.append(cells)
        joined = pc.binary_join_element_wise(*parts, b"", null_handling="replace", null_replacement=b"")
        data, offsets = string_bytes(joined)
        return data[: int(offsets[-1])]

    def _records(
        self, columns: list[pa.Array], segment: _Segment, counts: np.ndarray | None, *, first: bool
    ) -> np.ndarray:
        records = np.zeros(len(columns[0]), segment.dtype)
        if first:
            records["mask"] = _null_mask(columns)
        for index in segment.fixed:
            records[f"c{index}"] = _fixed(columns[index], self._schema.columns[index].name)
        if counts is not None:
            records["count"] = counts
        return records


def _segments(schema: Schema, mask_bytes: int) -> Iterator[_Segment]:
    fields: list[tuple[str, str, tuple[int, ...]]] = [("mask", "u1", (mask_bytes,))]
    fixed: list[int] = []
    for index, column in enumerate(schema):
        width = _fixed_shape(column.type)
        if width is not None:
            fields.append((f"c{index}", _code(column.type), width))
            fixed.append(index)
            continue
        yield _Segment(tuple(fixed), np.dtype([*fields, ("count", ">i4")]), index)
        fields, fixed = [], []
    if fields:
        yield _Segment(tuple(fixed), np.dtype(fields), None)


def _fixed_shape(arrow: pa.DataType) -> tuple[int, ...] | None:
    if pa.types.is_fixed_size_list(arrow):
        return (arrow.list_size,)
    return None if pa.types.is_string(arrow) or pa.types.is_list(arrow) else ()


def _code(arrow: pa.DataType) -> str:
    item = arrow.value_type if is_list(arrow) else arrow
    return "u1" if pa.types.is_boolean(item) else str(np.dtype(item.to_pandas_dtype()).newbyteorder(">").str)


def _null_mask(columns: list[pa.Array]) -> np.ndarray:
    nulls = np.zeros((len(columns[0]), len(columns)), bool)
    for index, column in enumerate(columns):
        if column.null_count:
            nulls[:, index] = column.is_null().to_numpy(zero_copy_only=False)
    return np.packbits(nulls, axis=1)


def _values(array: pa.Array) -> np.ndarray:
    if pa.types.is_boolean(array.type):
        codes: np.ndarray = array.cast(pa.uint8()).fill_null(2).to_numpy(zero_copy_only=False)
        return _BOOLEANS.take(codes)
    return to_numpy(array, float("nan") if pa.types.is_floating(array.type) else 0)


def _fixed(array: pa.Array, name: str) -> np.ndarray:
    if not is_list(array.type):
        return _values(array)
    return _values(elements(array, name)[0]).reshape(len(array), array.type.list_size)


def _variable(array: pa.Array, name: str) -> tuple[pa.Array, np.ndarray]:
    """Return the cells as a binary array and the number of elements of each."""
    if pa.types.is_string(array.type):
        counts = pc.binary_length(array).fill_null(0).to_numpy(zero_copy_only=False)
        return array.cast(pa.binary()), counts
    flat, offsets = elements(array, name)
    values = _values(flat).astype(_code(array.type), copy=False)
    bounds = (offsets * values.itemsize).astype(np.int32)
    buffers = [None, pa.py_buffer(bounds), pa.py_buffer(np.ascontiguousarray(values).tobytes())]
    return pa.Array.from_buffers(pa.binary(), len(array), buffers), np.diff(offsets)


def _as_binary(records: np.ndarray) -> pa.Array:
    bounds = np.arange(len(records) + 1, dtype=np.int32) * records.dtype.itemsize
    buffers = [None, pa.py_buffer(bounds.astype(np.int32)), pa.py_buffer(records.tobytes())]
    return pa.Array.from_buffers(pa.binary(), len(records), buffers)
