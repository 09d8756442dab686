"""Arrow arrays brought to the few types that the astronomical formats know.

What is not *basic* (`awe.core.tables._datatypes`) becomes it: dates and times ISO 8601 text, decimals an
exact 64-bit integer when they fit by type, text when they are longer integers, and the nearest double
otherwise, binary a list of bytes, dictionaries their values, lists of text and structures JSON text. Nothing here knows a format.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from awe.core.tables._datatypes import UNSIGNED_LONG, basic_type, is_bytes, votable_type
from awe.core.tables._schema import Column, Schema
from awe.core.tables._stream import TableStream
from awe.errors import UsageError

__all__ = [
    "basic_columns",
    "basic_schema",
    "cast_text",
    "cuts",
    "elements",
    "iso_text",
    "pieces",
    "string_bytes",
    "text_bytes",
    "to_basic",
    "to_numpy",
]

_PIECE_ROWS = 16_384
_PIECE_BYTES = 32 << 20
_FEW = 64
_FEW_ROWS = 64


def _is_text(arrow: pa.DataType) -> bool:
    return any(
        test(arrow) for test in (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    )


def basic_schema(schema: Schema, numbers: Mapping[pa.DataType, pa.DataType]) -> Schema:
    """Return the schema with every type basic; times say so by their xtype."""
    return schema.with_columns(tuple(_basic(column, basic_type(column.type, numbers)) for column in schema))


def _basic(column: Column, basic: pa.DataType) -> Column:
    xtype = votable_type(column).xtype
    number = xtype == UNSIGNED_LONG and not pa.types.is_string(basic)  # the format has the type
    return replace(column, type=basic, xtype=column.xtype if number else xtype)


def to_basic(array: pa.Array, target: pa.DataType, name: str) -> pa.Array:
    """Return the values of `array` as the basic type of their column.

    Raises
    ------
    UsageError
        If a value does not fit: an unsigned 64-bit integer above 2⁶³-1 in a format without that type.
    """
    source = array.type
    if source == target:
        return array
    if pa.types.is_dictionary(source):
        return to_basic(array.dictionary_decode(), target, name)
    if pa.types.is_temporal(source) and not pa.types.is_duration(source):
        return iso_text(array)
    if is_bytes(source):
        return _byte_lists(array).cast(target)
    if pa.types.is_string(target) and (pa.types.is_decimal(source) or pa.types.is_integer(source)):
        return array.cast(target)
    if pa.types.is_string(target) and not _is_text(source) and not pa.types.is_null(source):
        return pa.array(
            [None if v is None else json.dumps(v, default=str) for v in array.to_pylist()], pa.string()
        )
    try:
        return array.cast(target)
    except pa.ArrowInvalid as error:
        raise UsageError(
            f"column {name}: a value of type {source} does not fit {target} ({error})",
            hint="ask for parquet, csv or json, which hold it exactly",
        ) from None


def iso_text(array: pa.Array) -> pa.Array:
    """Return dates and times as ISO 8601 text, UTC without a zone (DALI 1.1 section 3.3.3)."""
    if pa.types.is_timestamp(array.type):
        naive = array.cast(pa.timestamp(array.type.unit))
        return pc.replace_substring(naive.cast(pa.string()), " ", "T", max_replacements=1)
    return array.cast(pa.string())


def _byte_lists(array: pa.Array) -> pa.Array:
    plain = array.cast(pa.binary())
    _, offsets, data = plain.buffers()
    size = 0 if data is None else data.size
    values = pa.Array.from_buffers(pa.uint8(), size, [None, data or pa.py_buffer(b"")])
    bounds = pa.Array.from_buffers(pa.int32(), len(plain) + 1, [None, offsets], offset=plain.offset)
    mask = plain.is_null() if plain.null_count else None
    return pa.ListArray.from_arrays(bounds, values, mask=mask)


def pieces(stream: TableStream, schema: Schema, rows: int = _PIECE_ROWS) -> Iterator[list[pa.Array]]:
    """Yield the columns of a stream in the basic types of `schema`, not more than so many rows at a time."""
    for batch in stream:
        for part in cuts(batch, rows):
            yield basic_columns(part, schema)


def basic_columns(batch: pa.RecordBatch, schema: Schema) -> list[pa.Array]:
    """Return the columns in the basic types of `schema`."""
    return [to_basic(batch.column(i), c.type, c.name) for i, c in enumerate(schema)]


def cuts(batch: pa.RecordBatch, rows: int = _PIECE_ROWS) -> list[pa.RecordBatch]:
    """Return the rows of a batch in pieces of bounded size, not more than so many rows in each."""
    if batch.num_rows <= _FEW_ROWS:  # to ask how large they are takes longer than to write them
        return [batch] if batch.num_rows else []
    width = max(1, batch.nbytes // batch.num_rows)
    step = max(1, min(rows, _PIECE_BYTES // width))
    return [batch.slice(start, step) for start in range(0, batch.num_rows, step)]


def elements(array: pa.Array, name: str) -> tuple[pa.Array, np.ndarray]:
    """Return the flat elements of a list array and the offsets (rows + 1) of its rows in them.

    A null row has no elements in a variable list and elements of no meaning in a fixed one. A null
    element of a float becomes NaN; of other numbers it stays for the caller to refuse.

    Raises
    ------
    UsageError
        If an integer element is null: neither VOTable nor FITS can say so.
    """
    if pa.types.is_fixed_size_list(array.type):
        width = array.type.list_size
        flat = array.values.slice(array.offset * width, len(array) * width)
        offsets = np.arange(len(array) + 1, dtype=np.int64) * width
        if flat.null_count and array.null_count:
            flat = pc.if_else(_spread(array.is_null(), width), pa.scalar(0).cast(flat.type), flat)
    else:
        flat = array.flatten()
        counts = pc.list_value_length(array).fill_null(0).to_numpy(zero_copy_only=False)
        offsets = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
    if flat.null_count and pa.types.is_floating(flat.type):
        flat = flat.fill_null(float("nan"))
    if flat.null_count and pa.types.is_integer(flat.type):
        raise UsageError(
            f"column {name}: an integer array with a missing element has no representation here",
            hint="ask for parquet or json",
        )
    return flat, offsets


def _spread(flags: pa.Array, width: int) -> pa.Array:
    return pa.array(np.repeat(flags.to_numpy(zero_copy_only=False), width))


def to_numpy(array: pa.Array, fill: object) -> np.ndarray:
    """Return the values of a number column, `fill` where they are null."""
    if array.null_count:
        array = array.fill_null(pa.scalar(fill).cast(array.type))
    values: np.ndarray = array.to_numpy(zero_copy_only=False)
    return values


def cast_text(text: pa.Array, target: pa.DataType) -> pa.Array:
    """Return texts as numbers; where they are none, say so at a low price: Arrow words an error for each of them.

    Raises
    ------
    pyarrow.ArrowInvalid
        If one is no number.
    """
    text.slice(0, _FEW).cast(target)
    return text.cast(target)


def text_bytes(array: pa.Array) -> np.ndarray:
    """Return the UTF-8 bytes of all the texts of a string array, without a copy; of nulls there are none."""
    data, offsets = string_bytes(array)
    return np.frombuffer(data, np.uint8)[int(offsets[0]) : int(offsets[-1])]


def string_bytes(array: pa.Array) -> tuple[memoryview, np.ndarray]:
    """Return the UTF-8 bytes behind a string or binary array and its offsets (rows + 1), without a copy."""
    _, offsets, data = array.buffers()
    if offsets is None:
        return memoryview(b""), np.zeros(len(array) + 1, np.int32)
    bounds = np.frombuffer(offsets, np.int32)[array.offset : array.offset + len(array) + 1]
    return memoryview(b"" if data is None else data), bounds
