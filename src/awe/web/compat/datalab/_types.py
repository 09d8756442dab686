"""The types of columns in PostgreSQL's words."""

from collections.abc import Mapping

import pyarrow as pa

__all__ = ["type_word"]

_WORDS: Mapping[pa.DataType, str] = {
    pa.bool_(): "boolean",
    pa.int8(): "smallint",
    pa.uint8(): "smallint",
    pa.int16(): "smallint",
    pa.uint16(): "integer",
    pa.int32(): "integer",
    pa.uint32(): "bigint",
    pa.int64(): "bigint",
    pa.uint64(): "numeric(20,0)",
    pa.float16(): "real",
    pa.float32(): "real",
    pa.float64(): "double precision",
    pa.string(): "text",
    pa.large_string(): "text",
    pa.binary(): "bytea",
    pa.date32(): "date",
}


def type_word(arrow: pa.DataType) -> str:
    """Return what PostgreSQL calls a type (its manual, chapter 8)."""
    if pa.types.is_timestamp(arrow):
        return "timestamp"
    if pa.types.is_decimal(arrow):
        return f"numeric({arrow.precision},{arrow.scale})"
    if pa.types.is_list(arrow) or pa.types.is_fixed_size_list(arrow):
        return f"{type_word(arrow.value_type)}[]"
    return _WORDS.get(arrow, "text")
