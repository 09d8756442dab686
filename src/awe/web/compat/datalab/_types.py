"""Columns and their types in PostgreSQL's words."""

from collections.abc import Mapping

import pyarrow as pa

from awe.core.sql.batches import CreateTable, read_batch
from awe.core.tables import Schema
from awe.errors import ParameterError

__all__ = ["columns_said", "plain_name", "type_word"]

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


def columns_said(text: str) -> Schema:
    """Return the columns of a schema as the client writes it: a line ``name,type`` for each, in PostgreSQL's words.

    Raises
    ------
    QueryError
        If a type is none, or there are no lines.
    """
    lines = [line.partition(",") for line in text.replace("\r", "").split("\n") if line.strip()]
    columns = ", ".join(f"{_quoted(name)} {kind.strip().rstrip(',') or 'text'}" for name, _, kind in lines)
    statements = read_batch(f"CREATE TABLE t ({columns})", dialect="postgres")
    if len(statements) != 1 or not isinstance(statements[0], CreateTable):
        raise ParameterError("schema", text[:100], "is no list of lines NAME,TYPE")
    return Schema(statements[0].columns)


def _quoted(name: str) -> str:
    return '"' + plain_name(name).replace('"', '""') + '"'


def plain_name(name: str) -> str:
    """Return the name of a column as it is kept: in small letters, without points."""
    return name.strip().strip('"').lower().replace(".", "_")
