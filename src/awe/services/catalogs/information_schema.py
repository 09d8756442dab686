"""The schema information_schema, where SQL itself looks tables up, and Data Lab's ``tbl_stat``.

ISO/IEC 9075-11 (SQL/Schemata), with the columns that PostgreSQL and SQL Server share; made for each caller from what
that caller may read. Names are matched ignoring case, so ``INFORMATION_SCHEMA.TABLES`` is the same.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import pyarrow as pa

from awe.core.tables import Column, Schema
from awe.services.catalogs.interface import StoredTable
from awe.services.catalogs.model import SchemaRecord, TableRecord

__all__ = ["INFORMATION_SCHEMA", "TABLE_STATISTICS", "records", "relations"]

INFORMATION_SCHEMA = SchemaRecord("information_schema", description="The tables here, as SQL describes them.")
TABLE_STATISTICS = "tbl_stat"
"""The one table that is found by its name alone."""

_TEXT, _NUMBER = pa.string(), pa.int32()
_TABLES: Mapping[str, tuple[tuple[str, pa.DataType], ...]] = {
    "schemata": (("catalog_name", _TEXT), ("schema_name", _TEXT), ("schema_owner", _TEXT)),
    "tables": (
        ("table_catalog", _TEXT),
        ("table_schema", _TEXT),
        ("table_name", _TEXT),
        ("table_type", _TEXT),
    ),
    "columns": (
        ("table_catalog", _TEXT),
        ("table_schema", _TEXT),
        ("table_name", _TEXT),
        ("column_name", _TEXT),
        ("ordinal_position", _NUMBER),
        ("column_default", _TEXT),
        ("is_nullable", _TEXT),
        ("data_type", _TEXT),
        ("character_maximum_length", _NUMBER),
        ("numeric_precision", _NUMBER),
        ("numeric_scale", _NUMBER),
    ),
    TABLE_STATISTICS: (
        ("schema", _TEXT),
        ("tbl_name", _TEXT),
        ("nrows", pa.int64()),
        ("ncols", _NUMBER),
        ("nindex", _NUMBER),
        ("table_size", pa.int64()),
        ("indexes_size", pa.int64()),
        ("total_size", pa.int64()),
    ),
}
_TYPES: Mapping[pa.DataType, tuple[str, int | None]] = {
    pa.bool_(): ("boolean", None),
    pa.int8(): ("smallint", 16),
    pa.uint8(): ("smallint", 16),
    pa.int16(): ("smallint", 16),
    pa.uint16(): ("integer", 32),
    pa.int32(): ("integer", 32),
    pa.uint32(): ("bigint", 64),
    pa.int64(): ("bigint", 64),
    pa.uint64(): ("numeric", 20),
    pa.float32(): ("real", 24),
    pa.float64(): ("double precision", 53),
    pa.string(): ("character varying", None),
    pa.binary(): ("bytea", None),
    pa.date32(): ("date", None),
}


@cache
def records() -> tuple[TableRecord, ...]:
    """Return the records of these tables."""
    schema = INFORMATION_SCHEMA.name
    return tuple(
        TableRecord(
            schema,
            name,
            Schema(tuple(Column(column, kind) for column, kind in columns), f"{schema}.{name}"),
            StoredTable("", 0, 0),
        )
        for name, columns in _TABLES.items()
    )


def relations(tables: Sequence[TableRecord]) -> Mapping[str, pa.Table]:
    """Return their rows, by full name, describing `tables`."""
    owners = {table.schema: table.owner or None for table in tables}
    rows: dict[str, list[tuple[Any, ...]]] = {
        "schemata": [(name, name, owner) for name, owner in owners.items()],
        "tables": [(t.schema, t.schema, t.name, "VIEW" if t.sql else "BASE TABLE") for t in tables],
        "columns": [
            (t.schema, t.schema, t.name, *_column(c, place))
            for t in tables
            for place, c in enumerate(t.columns, 1)
        ],
        TABLE_STATISTICS: [
            (t.schema, t.name, t.rows, len(t.columns), int(t.ra is not None), t.bytes, 0, t.bytes)
            for t in tables
            if not t.sql
        ],
    }
    return {record.full_name: _table(record, rows[record.name]) for record in records()}


def _column(column: Column, place: int) -> tuple[Any, ...]:
    name, precision, scale = _type(column.type)
    return (column.name, place, None, "YES", name, None, precision, scale)


def _type(kind: pa.DataType) -> tuple[str, int | None, int | None]:
    """Return PostgreSQL's name of a type, its precision and its scale."""
    if pa.types.is_decimal(kind):
        return "numeric", kind.precision, kind.scale
    if pa.types.is_timestamp(kind):
        return "timestamp without time zone", None, None
    if pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind):
        return "ARRAY", None, None
    name, precision = _TYPES[kind]
    return name, precision, 0 if pa.types.is_integer(kind) else None


def _table(record: TableRecord, rows: Iterable[tuple[Any, ...]]) -> pa.Table:
    by_column = list(zip(*rows, strict=True)) or [()] * len(record.columns)
    arrays = [pa.array(values, column.type) for column, values in zip(record.columns, by_column, strict=True)]
    return pa.table(arrays, names=list(record.columns.names))
