"""Rows as VOTable BINARY and BINARY2 (VOTable 1.5 sections 5.3 and 5.4), with no Python per row.

A row of BINARY2 begins with a mask (one bit a column, set for null); then come the cells, big-endian; a cell of
variable length is preceded by its number of elements. Between two variable cells stands a *segment* of fixed
width, the last four bytes of which count the cell that follows: segments are numpy records, and one Arrow kernel
copies segments and cells together. BINARY has no mask: an integer that is null is written as the column's magic
null.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from awe.core.tables._datatypes import Datatype, is_list, votable_type
from awe.core.tables._schema import Column, Schema
from awe.core.tables.formats._arrow import elements, string_bytes, to_numpy
from awe.errors import UsageError

__all__ = ["BinaryEncoder"]

_BOOLEANS = np.frombuffer(b"FT?", np.uint8)


@dataclass(frozen=True, slots=True)
class _Segment:
    """Fixed columns in a row (by index, with their record type), then perhaps a variable one."""

    fixed: tuple[int, ...]
    dtype: np.dtype
    variable: int | None


class BinaryEncoder:
    """Encode rows of a basic schema.

    Parameters
    ----------
    schema
        The columns.
    masked
        True for BINARY2, where a null mask begins each row.
    """

    def __init__(self, schema: Schema, *, masked: bool) -> None:
        self._columns = schema.columns
        self._types = [votable_type(column) for column in schema]
        self._masked = masked
        self._segments = tuple(self._planned((len(schema) + 7) // 8 if masked else 0))

    def rows(self, columns: list[pa.Array]) -> memoryview:
        """Return the bytes of some rows.

        Raises
        ------
        UsageError
            If a text is longer than its column's arraysize, or BINARY has no value that could mean null.
        """
        parts: list[pa.Array] = []
        for number, segment in enumerate(self._segments):
            cells, counts = (None, None)
            if segment.variable is not None:
                cells, counts = self._variable(columns[segment.variable], segment.variable)
            records = self._records(columns, segment, counts, first=number == 0)
            if len(self._segments) == 1 and cells is None:
                return memoryview(records.tobytes())
            parts.append(_as_binary(records))
            if cells is not None:
                parts.append(cells)
        joined = pc.binary_join_element_wise(*parts, b"", null_handling="replace", null_replacement=b"")
        data, offsets = string_bytes(joined)
        return data[: int(offsets[-1])]

    def _planned(self, mask_bytes: int) -> Iterator[_Segment]:
        fields: list[tuple[str, str, tuple[int, ...]]] = [("mask", "u1", (mask_bytes,))] if mask_bytes else []
        fixed: list[int] = []
        for index, (column, kind) in enumerate(zip(self._columns, self._types, strict=True)):
            shape = _fixed_shape(column, kind)
            if shape is not None:
                fields.append((f"c{index}", _code(column.type, kind), shape))
                fixed.append(index)
                continue
            yield _Segment(tuple(fixed), np.dtype([*fields, ("count", ">i4")]), index)
            fields, fixed = [], []
        if fields:
            yield _Segment(tuple(fixed), np.dtype(fields), None)

    def _records(
        self, columns: list[pa.Array], segment: _Segment, counts: np.ndarray | None, *, first: bool
    ) -> np.ndarray:
        records = np.empty(len(columns[0]), segment.dtype)  # with no byte between its fields
        if first and self._masked:
            records["mask"] = _null_mask(columns)
        for index in segment.fixed:
            records[f"c{index}"] = self._fixed(columns[index], index)
        if counts is not None:
            records["count"] = counts
        return records

    def _fixed(self, array: pa.Array, index: int) -> np.ndarray:
        column, kind = self._columns[index], self._types[index]
        if pa.types.is_string(array.type):
            return _padded(array, kind, column.name)
        if not is_list(array.type):
            if kind.datatype == "bit":
                return to_numpy(array.cast(pa.uint8()), 0) << 7
            return self._values(array, column)
        values = self._values(elements(array, column.name)[0], column, kind)
        values = values.reshape(len(array), array.type.list_size).copy()
        if array.null_count and not self._masked:
            values[np.asarray(array.is_null())] = _nothing(column)
        return np.packbits(values, axis=1) if kind.datatype == "bit" else values

    def _variable(self, array: pa.Array, index: int) -> tuple[pa.Array, np.ndarray]:
        """Return the cells as a binary array and the number of elements of each."""
        column, kind = self._columns[index], self._types[index]
        if pa.types.is_string(array.type):
            data = _utf16(array) if kind.datatype == "unicodeChar" else array.cast(pa.binary())
            counts = pc.binary_length(data).fill_null(0).to_numpy(zero_copy_only=False)
            return data, counts // 2 if kind.datatype == "unicodeChar" else counts
        flat, offsets = elements(array, column.name)
        values = self._values(flat, column, kind)
        counts = np.diff(offsets)
        if kind.datatype == "bit":
            rows = np.split(values, offsets[1:-1]) if len(array) else []
            return pa.array([np.packbits(row).tobytes() for row in rows], pa.binary()), counts
        values = values.astype(_code(array.type, kind), copy=False)
        bounds = (offsets * values.itemsize).astype(np.int32)
        buffers = [None, pa.py_buffer(bounds), pa.py_buffer(np.ascontiguousarray(values).view(np.uint8))]
        return pa.Array.from_buffers(pa.binary(), len(array), buffers), counts // _numbers(kind)

    def _values(self, array: pa.Array, column: Column, kind: Datatype | None = None) -> np.ndarray:
        if pa.types.is_boolean(array.type):
            codes: np.ndarray = array.cast(pa.uint8()).fill_null(2).to_numpy(zero_copy_only=False)
            return codes & 1 if kind is not None and kind.datatype == "bit" else _BOOLEANS.take(codes)
        if pa.types.is_floating(array.type):
            return to_numpy(array, float("nan"))
        if self._masked or not array.null_count:
            return self._checked(array, column)
        return to_numpy(self._checked_array(array, column), _nothing(column))

    def _checked(self, array: pa.Array, column: Column) -> np.ndarray:
        return to_numpy(array if self._masked else self._checked_array(array, column), 0)

    def _checked_array(self, array: pa.Array, column: Column) -> pa.Array:
        """Return the integers; refuse one that BINARY would read as null, and a null that has no such value."""
        if array.null_count and column.null is None:
            raise UsageError(
                f"column {column.name}: BINARY has no value that could mean null here",
                hint="ask for votable/b2",
            )
        if column.null is not None and pc.any(pc.equal(array, column.null)).as_py():
            reason = f"column {column.name}: the value {column.null} would be read as null in BINARY"
            raise UsageError(reason, hint="ask for votable/b2")
        return array


def _numbers(kind: Datatype) -> int:
    return 2 if kind.datatype in {"floatComplex", "doubleComplex"} else 1


def _nothing(column: Column) -> object:
    item = column.type.value_type if is_list(column.type) else column.type
    if pa.types.is_floating(item):
        return float("nan")
    if pa.types.is_boolean(item):
        return ord("?")
    return 0 if column.null is None else column.null


def _fixed_shape(column: Column, kind: Datatype) -> tuple[int, ...] | None:
    if pa.types.is_fixed_size_list(column.type):
        size = column.type.list_size
        return ((size + 7) // 8,) if kind.datatype == "bit" else (size,)
    if pa.types.is_string(column.type):
        return None if kind.arraysize.endswith("*") else (_characters(kind) * _width(kind),)
    return None if pa.types.is_list(column.type) else ()


def _characters(kind: Datatype) -> int:
    return int(np.prod([int(size) for size in (kind.arraysize or "1").split("x")]))


def _width(kind: Datatype) -> int:
    return 2 if kind.datatype == "unicodeChar" else 1


def _code(arrow: pa.DataType, kind: Datatype) -> str:
    item = arrow.value_type if is_list(arrow) else arrow
    if kind.datatype in {"bit", "boolean", "char", "unicodeChar"}:
        return "u1"
    return str(np.dtype(item.to_pandas_dtype()).newbyteorder(">").str)


def _null_mask(columns: list[pa.Array]) -> np.ndarray:
    if not any(column.null_count for column in columns):
        return np.zeros((len(columns[0]), (len(columns) + 7) // 8), np.uint8)
    nulls = np.zeros((len(columns[0]), len(columns)), bool)
    for index, column in enumerate(columns):
        if column.null_count:
            nulls[:, index] = column.is_null().to_numpy(zero_copy_only=False)
    return np.packbits(nulls, axis=1)


def _utf16(array: pa.Array) -> pa.Array:
    """Return texts as big-endian UTF-16; a whole column is encoded at once."""
    sizes = pc.utf8_length(array).fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64) * 2
    whole = "".join(array.fill_null("").to_pylist())
    data = whole.encode("utf-16-be")
    if len(data) != sizes.sum():  # characters that take two units
        return pa.array([(text or "").encode("utf-16-be") for text in array.to_pylist()], pa.binary())
    bounds = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    return pa.Array.from_buffers(pa.binary(), len(array), [None, pa.py_buffer(bounds), pa.py_buffer(data)])


def _padded(array: pa.Array, kind: Datatype, name: str) -> np.ndarray:
    """Return texts of a fixed number of characters, with zeros behind the shorter ones."""
    width = _characters(kind) * _width(kind)
    data = _utf16(array) if kind.datatype == "unicodeChar" else array.cast(pa.binary())
    sizes = pc.binary_length(data).fill_null(0).to_numpy(zero_copy_only=False)
    if len(sizes) and int(sizes.max()) > width:
        text = array[int(sizes.argmax())].as_py()
        raise UsageError(
            f"column {name}: {text!r} is longer than its arraysize {kind.arraysize or 1}",
            hint="ask for TABLEDATA, csv, json or parquet",
        )
    padded = np.zeros((len(array), width), np.uint8)
    raw, offsets = string_bytes(data)
    flat = np.frombuffer(raw, np.uint8)[int(offsets[0]) : int(offsets[-1])]
    starts = np.arange(len(array)) * width
    ends = np.cumsum(sizes)
    where = np.repeat(starts - (ends - sizes), sizes) + np.arange(int(ends[-1]) if len(ends) else 0)
    padded.reshape(-1)[where] = flat
    return padded


def _as_binary(records: np.ndarray) -> pa.Array:
    bounds = np.arange(len(records) + 1, dtype=np.int32) * records.dtype.itemsize
    buffers = [None, pa.py_buffer(bounds), pa.py_buffer(records.view(np.uint8))]
    return pa.Array.from_buffers(pa.binary(), len(records), buffers)
