"""Rows of one type become rows of another, as INSERT and assignments do it."""

from collections.abc import Callable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from awe.core.tables import Column, Schema, TableStream
from awe.errors import QueryError

__all__ = ["constant_rows", "converted", "fitted", "reshaped"]

_TRUE, _FALSE = ("1", "t", "true", "yes"), ("0", "f", "false", "no")


def converted(array: pa.Array, kind: pa.DataType, name: str) -> pa.Array:
    """Return values as another type: texts are read as numbers, and decimals are cut off where only whole ones fit.

    Raises
    ------
    QueryError
        If a value does not fit: in the words of SQL Server where it has some.
    """
    if array.type == kind:
        return array
    if pa.types.is_null(array.type):
        return pa.nulls(len(array), kind)
    try:
        if pa.types.is_floating(array.type) and pa.types.is_integer(kind):
            return pc.trunc(array).cast(kind)
        if pa.types.is_boolean(kind) and pa.types.is_string(array.type):
            return _truth(array)
        if pa.types.is_boolean(kind):
            return array.cast(pa.bool_(), safe=False)
        if pa.types.is_string(array.type) and not pa.types.is_string(kind):
            return _read(array, kind)
        return array.cast(kind, safe=not pa.types.is_floating(kind))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise QueryError(
            f"a value does not fit into the column {name}: {_reason(str(error), kind)}",
            hint=f"CAST(... AS another type), or make {name} wider",
        ) from None


def _truth(array: pa.Array) -> pa.Array:
    words = pc.utf8_lower(pc.utf8_trim_whitespace(array))
    known = pc.or_(pc.is_in(words, pa.array(_TRUE)), pc.is_in(words, pa.array(_FALSE)))
    if not pc.all(pc.or_(known, pc.is_null(array))).as_py():
        raise pa.ArrowInvalid("Conversion failed: not a truth value")
    return pc.if_else(pc.is_null(array), None, pc.is_in(words, pa.array(_TRUE)))


def _read(array: pa.Array, kind: pa.DataType) -> pa.Array:
    """Return texts as numbers or times; an empty text is 0, as in SQL Server."""
    words = pc.utf8_trim_whitespace(array)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        words = pc.if_else(pc.equal(words, ""), "0", words)
    return words.cast(kind)


def _reason(text: str, kind: pa.DataType) -> str:
    if "not in range" in text or "out of bounds" in text:
        return f"Arithmetic overflow error converting to {kind}"
    return f"Conversion failed when converting to {kind}"


def reshaped(
    stream: TableStream,
    columns: Sequence[Column],
    make: Callable[[pa.RecordBatch], list[pa.Array]],
    like: Schema,
) -> TableStream:
    """Return the rows in other columns; what is said of the table stays."""
    schema = like.with_columns(tuple(columns))
    names = [column.name for column in columns]
    return stream.map(schema, lambda batch: pa.RecordBatch.from_arrays(make(batch), names=names))


def fitted(stream: TableStream, columns: Schema, names: Sequence[str]) -> TableStream:
    """Return rows for a table: the stream's columns, in order, are those called `names`; the rest is NULL."""
    places = {name.casefold(): place for place, name in enumerate(names)}

    def make(batch: pa.RecordBatch) -> list[pa.Array]:
        return [
            converted(batch.column(places[c.name.casefold()]), c.type, c.name)
            if c.name.casefold() in places
            else pa.nulls(batch.num_rows, c.type)
            for c in columns
        ]

    return reshaped(stream, tuple(columns), make, columns)


def constant_rows(rows: Sequence[Sequence[object]]) -> TableStream:
    """Return constants as a stream: each column holds numbers, or texts where one of its values is a text."""
    arrays = [_array([row[place] for row in rows]) for place in range(len(rows[0]))]
    names = [f"column{place}" for place in range(1, len(arrays) + 1)]
    return TableStream.from_table(pa.table(arrays, names=names))


def _array(values: list[object]) -> pa.Array:
    kinds = {type(value) for value in values if value is not None}
    if str in kinds and len(kinds) > 1:
        values = [value if value is None or isinstance(value, str) else str(value) for value in values]
    elif float in kinds:
        values = [float(value) if isinstance(value, int) else value for value in values]
    elif bool in kinds and len(kinds) > 1:
        values = [int(value) if isinstance(value, bool) else value for value in values]
    numbers = [value for value in values if isinstance(value, int)]
    kind = pa.uint64() if kinds == {int} and min(numbers) >= 0 and max(numbers) >= 1 << 63 else None
    try:
        return pa.array(values, kind)
    except (pa.ArrowInvalid, OverflowError):
        raise QueryError("a number is too large", hint="whole numbers have 64 bits") from None
