"""Types of columns and variables, as CREATE TABLE, ALTER TABLE and DECLARE name them."""

from collections.abc import Mapping

import pyarrow as pa

from awe.core.sql.batches._cursor import Cursor
from awe.core.suggestions import did_you_mean
from awe.core.tables import Column
from awe.errors import QuerySyntaxError

__all__ = ["read_columns", "read_type"]

_TEXT, _TIME = pa.string(), pa.timestamp("us")
_NAMES: Mapping[str, pa.DataType] = {
    "bit": pa.bool_(), "bool": pa.bool_(), "boolean": pa.bool_(), "tinyint": pa.uint8(),
    "smallint": pa.int16(), "int2": pa.int16(), "int": pa.int32(), "integer": pa.int32(), "int4": pa.int32(),
    "bigint": pa.int64(), "int8": pa.int64(), "long": pa.int64(),
    "real": pa.float32(), "float4": pa.float32(), "float": pa.float64(), "float8": pa.float64(),
    "double": pa.float64(), "double precision": pa.float64(), "money": pa.float64(), "smallmoney": pa.float64(),
    "char": _TEXT, "varchar": _TEXT, "nchar": _TEXT, "nvarchar": _TEXT, "text": _TEXT, "ntext": _TEXT,
    "string": _TEXT, "character": _TEXT, "character varying": _TEXT, "uniqueidentifier": _TEXT,
    "date": pa.date32(), "datetime": _TIME, "datetime2": _TIME, "smalldatetime": _TIME, "timestamp": _TIME,
    "timestamptz": _TIME,
}  # fmt: skip
_DECIMALS = frozenset({"decimal", "numeric", "dec"})
_INT64_DIGITS = 18
_SINGLE_DIGITS = 24
_READ_ONLY = ("NOT", "NULL", "PRIMARY KEY", "KEY", "UNIQUE", "CLUSTERED", "NONCLUSTERED", "ASC", "DESC")
"""Words behind a type that are read and not kept: awe enforces no keys, and every column may hold NULL."""
_TABLE_RULES = ("CONSTRAINT", "PRIMARY KEY", "UNIQUE", "FOREIGN KEY", "CHECK", "INDEX")


def read_columns(cursor: Cursor) -> tuple[Column, ...]:
    """Return the columns between the parentheses of a CREATE TABLE."""
    columns: list[Column] = []
    place = cursor.place()
    for part in cursor.parts() if cursor.here is not None else ():
        if part.sees(*_TABLE_RULES):
            _read_rule(part)
            continue
        columns.append(read_column(part))
    if not columns:
        raise place.error(
            "a table has columns", "CREATE TABLE mydb.t (id bigint, ra float)", QuerySyntaxError
        )
    return tuple(columns)


def read_column(cursor: Cursor) -> Column:
    """Return one column: its name, its type, and what is said of it without effect."""
    column = Column(cursor.name("the name of a column"), read_type(cursor))
    while cursor.word(*_READ_ONLY):
        pass
    if cursor.here is not None:
        raise cursor.refused(
            f"{cursor.here.text} is not offered in the definition of a column", "write its name and its type"
        )
    return column


def _read_rule(cursor: Cursor) -> None:
    """Step over PRIMARY KEY (...) and UNIQUE (...), which have no effect; others are refused."""
    if cursor.word("CONSTRAINT"):
        cursor.name()
    if not cursor.sees("PRIMARY KEY", "UNIQUE"):
        raise cursor.refused(
            "rules for the rows of a table are not offered", "leave FOREIGN KEY, CHECK and INDEX out"
        )
    while cursor.word(*_READ_ONLY):
        pass
    cursor.parentheses()
    cursor.finish()


def read_type(cursor: Cursor) -> pa.DataType:
    """Return a type.

    Raises
    ------
    QuerySyntaxError
        If it is none.
    """
    place = cursor.place()
    name = " ".join(cursor.name("a type").casefold().split())
    if name in {"character", "char"} and cursor.word("VARYING"):
        name = "character varying"
    if name == "double":
        cursor.word("PRECISION")
    sizes = _sizes(cursor) if cursor.sees("(") else []
    if name == "timestamp" and (cursor.word("WITH") or cursor.word("WITHOUT")):
        cursor.words("TIME", "ZONE")
    if name in _DECIMALS:
        return _decimal(sizes)
    if name == "float" and sizes and sizes[0] <= _SINGLE_DIGITS:
        return pa.float32()
    if name not in _NAMES:
        hint = (
            did_you_mean(name, (*_NAMES, *_DECIMALS)) or "bigint, int, float, real, varchar(n), bit, datetime"
        )
        raise place.error(f"there is no type {name}", hint, QuerySyntaxError)
    return _NAMES[name]


def _sizes(cursor: Cursor) -> list[int]:
    return [int(t.text) for t in cursor.parentheses().tokens if t.text.isdigit()]


def _decimal(sizes: list[int]) -> pa.DataType:
    """Whole numbers stay exact: up to 18 digits as BIGINT, 19 and 20 (SDSS's identifiers) as unsigned 64-bit ones."""
    digits, decimals = (*sizes, _INT64_DIGITS)[0], sizes[1] if len(sizes) > 1 else 0
    if decimals or digits > _INT64_DIGITS + 2:
        return pa.float64()
    return pa.int64() if digits <= _INT64_DIGITS else pa.uint64()
