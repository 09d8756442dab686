"""Kinds of values: SQL's type names, what goes together, and how a message calls them.

Types are Arrow's. Whether an array or a text is a geometry, its xtype says (``rules._geometry``).
"""

import re
from collections.abc import Callable, Mapping

import pyarrow as pa
from sqlglot import exp

__all__ = [
    "ARRAY",
    "KINDS",
    "KIND_SAID",
    "NUMBER",
    "RESULTS",
    "SQL_TYPES",
    "TYPE_NAMES",
    "common",
    "is_null",
    "is_number",
    "is_text",
    "said",
]

ARRAY = pa.list_(pa.float64())

_T = exp.DataType.Type
SQL_TYPES: Mapping[object, pa.DataType] = {
    _T.BOOLEAN: pa.bool_(), _T.BIT: pa.bool_(), _T.TINYINT: pa.uint8(), _T.UTINYINT: pa.uint8(),
    _T.SMALLINT: pa.int16(), _T.INT: pa.int32(), _T.BIGINT: pa.int64(),
    _T.FLOAT: pa.float32(), _T.DOUBLE: pa.float64(), _T.DECIMAL: pa.float64(), _T.MONEY: pa.float64(),
    _T.CHAR: pa.string(), _T.VARCHAR: pa.string(), _T.NCHAR: pa.string(), _T.NVARCHAR: pa.string(),
    _T.TEXT: pa.string(), _T.DATE: pa.date32(), _T.TIMESTAMP: pa.timestamp("us"),
    _T.DATETIME: pa.timestamp("us"), _T.DATETIME2: pa.timestamp("us"), _T.TIMESTAMPTZ: pa.timestamp("us"),
    _T.SMALLDATETIME: pa.timestamp("us"), _T.USMALLINT: pa.uint16(), _T.UINT: pa.uint32(), _T.UBIGINT: pa.uint64(),
}  # fmt: skip
"""Type names of all dialects. DECIMAL is double precision: measured values carry no more."""

TYPE_NAMES: Mapping[str, str] = {
    "bool": "BOOLEAN", "uint8": "UTINYINT", "int16": "SMALLINT", "int32": "INT", "int64": "BIGINT",
    "uint16": "USMALLINT", "uint32": "UINT", "uint64": "UBIGINT", "float": "FLOAT", "double": "DOUBLE",
    "string": "VARCHAR", "large_string": "VARCHAR", "date32[day]": "DATE", "timestamp[us]": "TIMESTAMP",
}  # fmt: skip
"""What rules write to make a value of a type; types that are not here are not made."""

RESULTS: Mapping[str, pa.DataType] = {
    "double": pa.float64(), "bigint": pa.int64(), "integer": pa.int32(), "text": pa.string(),
    "boolean": pa.bool_(), "timestamp": pa.timestamp("us"),
    "doubles": ARRAY, "counts": pa.list_(pa.int64()),
}  # fmt: skip
NUMBER = re.compile(
    r"\s*[+-]?(\d+\.?\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?|nan|inf(inity)?)\s*", re.IGNORECASE
)
_WIDTHS = {8: pa.int8(), 16: pa.int16(), 32: pa.int32(), 64: pa.int64()}


def is_text(kind: pa.DataType) -> bool:
    """Say whether values of the type are texts."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def is_number(kind: pa.DataType) -> bool:
    """Say whether values of the type are numbers."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def is_null(kind: pa.DataType) -> bool:
    """Say whether the type is that of a bare NULL."""
    return bool(pa.types.is_null(kind))


def common(left: pa.DataType, right: pa.DataType) -> pa.DataType | None:
    """Return the type that holds both, or None where there is none."""
    if left == right or is_null(right):
        return left
    if is_null(left):
        return right
    if is_number(left) and is_number(right):
        return _common_number(left, right)
    if is_text(left) and is_text(right):
        return pa.string()
    if pa.types.is_temporal(left) and pa.types.is_temporal(right):
        return pa.timestamp("us")
    return None


def _common_number(left: pa.DataType, right: pa.DataType) -> pa.DataType:
    if pa.types.is_integer(left) and pa.types.is_integer(right):
        widest = max(left.bit_width, right.bit_width)
        unsigned = pa.types.is_unsigned_integer(left) or pa.types.is_unsigned_integer(right)
        if unsigned and left != right:
            signed = [t for t in (left, right) if pa.types.is_signed_integer(t)]
            widest = max(widest, 2 * max(t.bit_width for t in (left, right) if t not in signed))
        return _WIDTHS.get(widest, pa.int64())
    single = all(t == pa.float32() or (pa.types.is_integer(t) and t.bit_width <= 16) for t in (left, right))
    return pa.float32() if single else pa.float64()


def said(kind: pa.DataType) -> str:
    """Return what a message calls the type."""
    names = {"list": "a list", "fixed_size_list": "a list", "bool": "a condition", "string": "a text"}
    return next((said for start, said in names.items() if str(kind).startswith(start)),
                "a number" if is_number(kind) else "a time")  # fmt: skip


KINDS: Mapping[str, Callable[[pa.DataType], bool]] = {
    "number": is_number,
    "integer": pa.types.is_integer,
    "text": is_text,
    "time": lambda kind: is_text(kind) or pa.types.is_temporal(kind),
    "boolean": pa.types.is_boolean,
    "any": lambda _kind: True,
    "literal": is_text,
    "whole": pa.types.is_integer,
    "array": pa.types.is_list,
}
KIND_SAID = {
    "number": "a number", "integer": "a whole number", "text": "a text", "time": "a time",
    "boolean": "a condition", "literal": "a constant text", "whole": "a constant whole number",
    "array": "ARRAY[...]", "point": "a POINT", "place": "a POINT or a number",
    "shape": "a geometry, such as a POINT or a CIRCLE,", "any": "a value",
}  # fmt: skip
