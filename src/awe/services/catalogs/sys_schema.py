"""The schema ``sys``, where scripts in T-SQL look whether a table is there before they drop or make it.

The catalogue views of SQL Server ("Object Catalog Views", T-SQL reference) as far as such scripts read them, made for
each caller of the caller's own tables: what ``sys`` says of a database is said of mydb here.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import pyarrow as pa

from awe.core.sql.batches import object_number
from awe.core.tables import Column, Schema
from awe.services.catalogs.interface import StoredTable
from awe.services.catalogs.model import SchemaRecord, TableRecord

__all__ = ["SYS", "records", "relations"]

SYS = SchemaRecord("sys", description="One's own tables, as scripts in T-SQL look for them.")
_TEXT, _NUMBER, _TIME = pa.string(), pa.int32(), pa.timestamp("us")
_OBJECTS = (
    Column("name", _TEXT),
    Column("object_id", _NUMBER),
    Column("schema_id", _NUMBER),
    Column("type", _TEXT),
    Column("type_desc", _TEXT),
    Column("create_date", _TIME),
    Column("modify_date", _TIME),
)
_COLUMNS = (
    Column("object_id", _NUMBER),
    Column("name", _TEXT),
    Column("column_id", _NUMBER),
    Column("is_nullable", pa.bool_()),
)
_TABLES: Mapping[str, tuple[Column, ...]] = {
    "objects": _OBJECTS,
    "tables": _OBJECTS,
    "columns": _COLUMNS,
}


@cache
def records() -> tuple[TableRecord, ...]:
    """Return the records of these tables."""
    return tuple(
        TableRecord(SYS.name, name, Schema(columns, f"{SYS.name}.{name}"), StoredTable("", 0, 0))
        for name, columns in _TABLES.items()
    )


def relations(tables: Sequence[TableRecord], own: str | None) -> Mapping[str, pa.Table]:
    """Return their rows, by full name, describing those of `tables` that are in the caller's `own` schema."""
    mine = [table for table in tables if table.schema == own]
    objects = [_object(table) for table in mine]
    columns = [
        (object_number(table.full_name), column.name, place, True)
        for table in mine
        for place, column in enumerate(table.columns, 1)
    ]
    rows: dict[str, list[tuple[Any, ...]]] = {"objects": objects, "tables": objects, "columns": columns}
    return {record.full_name: _table(record, rows[record.name]) for record in records()}


def _object(table: TableRecord) -> tuple[Any, ...]:
    made = None if table.created is None else table.created.replace(tzinfo=None)
    return (table.name, object_number(table.full_name), 1, "U", "USER_TABLE", made, made)


def _table(record: TableRecord, rows: list[tuple[Any, ...]]) -> pa.Table:
    by_column = list(zip(*rows, strict=True)) or [()] * len(record.columns)
    arrays = [pa.array(values, column.type) for column, values in zip(record.columns, by_column, strict=True)]
    return pa.table(arrays, names=list(record.columns.names))
