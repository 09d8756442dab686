"""The schema TAP_SCHEMA: what is published, as tables that a query can read.

TAP 1.1 (IVOA Recommendation 2019-09-27) section 4: ``schemas``, ``tables``, ``columns``, ``keys`` and
``key_columns`` with every column of the standard. They are made from the records the caller may read,
in memory, and describe themselves too.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import pyarrow as pa

from awe.core.sql.dialects.adql import RESERVED_WORDS
from awe.core.tables import Column, Schema, votable_type
from awe.services.catalogs.interface import StoredTable
from awe.services.catalogs.model import SchemaRecord, TableKey, TableRecord

__all__ = ["TAP_SCHEMA", "as_written", "records", "relations"]

TAP_SCHEMA = SchemaRecord(
    "TAP_SCHEMA", description="The tables published here, described (TAP 1.1 section 4)."
)

_TEXT, _FLAG = pa.string(), pa.int32()
# name, type, description; the position in the list is the column's index.
_COLUMNS: dict[str, tuple[str, tuple[tuple[str, pa.DataType, str], ...]]] = {
    "schemas": (
        "The schemas.",
        (
            ("schema_name", _TEXT, "name of the schema, as it is written in a query"),
            ("utype", _TEXT, "its utype, if it has one"),
            ("description", _TEXT, "what it holds"),
            ("schema_index", _FLAG, "where to show it among the schemas"),
        ),
    ),
    "tables": (
        "The tables.",
        (
            ("schema_name", _TEXT, "the schema it is in"),
            ("table_name", _TEXT, "name of the table, as it is written in a query"),
            ("table_type", _TEXT, "table or view"),
            ("utype", _TEXT, "its utype, if it has one"),
            ("description", _TEXT, "what it holds"),
            ("table_index", _FLAG, "where to show it among the tables"),
        ),
    ),
    "columns": (
        "The columns of all tables.",
        (
            ("table_name", _TEXT, "the table it is in"),
            ("column_name", _TEXT, "name of the column, as it is written in a query"),
            ("datatype", _TEXT, "VOTable datatype"),
            ("arraysize", _TEXT, "VOTable arraysize; null for a single value"),
            ("xtype", _TEXT, "VOTable xtype"),
            ("size", _FLAG, "length of a fixed-size array (deprecated: use arraysize)"),
            ("description", _TEXT, "what it holds"),
            ("utype", _TEXT, "its utype, if it has one"),
            ("unit", _TEXT, "its unit (VOUnits)"),
            ("ucd", _TEXT, "its UCD1+"),
            ("indexed", _FLAG, "1: a condition on it is fast"),
            ("principal", _FLAG, "1: among the most important columns"),
            ("std", _FLAG, "1: defined by a standard"),
            ("column_index", _FLAG, "where to show it among the columns"),
        ),
    ),
    "keys": (
        "Which tables can be joined.",
        (
            ("key_id", _TEXT, "name of the key"),
            ("from_table", _TEXT, "the table that refers"),
            ("target_table", _TEXT, "the table referred to"),
            ("utype", _TEXT, "its utype, if it has one"),
            ("description", _TEXT, "what it says"),
        ),
    ),
    "key_columns": (
        "On which columns they can be joined.",
        (
            ("key_id", _TEXT, "name of the key"),
            ("from_column", _TEXT, "the column that refers"),
            ("target_column", _TEXT, "the column referred to"),
        ),
    ),
}
_KEYS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "tables": (("schema_name", "schemas", "schema_name"),),
    "columns": (("table_name", "tables", "table_name"),),
    "keys": (("from_table", "tables", "table_name"), ("target_table", "tables", "table_name")),
    "key_columns": (("key_id", "keys", "key_id"),),
}
_PLAIN_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


@cache
def records() -> tuple[TableRecord, ...]:
    """Return the records of TAP_SCHEMA's own tables."""
    return tuple(_record(name, text, columns) for name, (text, columns) in _COLUMNS.items())


def _record(name: str, text: str, columns: Sequence[tuple[str, pa.DataType, str]]) -> TableRecord:
    said = tuple(Column(n, kind, description=d, principal=True, std=True) for n, kind, d in columns)
    full = f"{TAP_SCHEMA.name}.{name}"
    schema = Schema(said, full, text)
    keys = tuple(
        TableKey(f"{TAP_SCHEMA.name}.{target}", ((own, its),)) for own, target, its in _KEYS.get(name, ())
    )
    return TableRecord(TAP_SCHEMA.name, name, schema, StoredTable("", 0, 0), description=text, keys=keys)


def relations(schemas: Iterable[SchemaRecord], tables: Sequence[TableRecord]) -> Mapping[str, pa.Table]:
    """Return the five tables, by full name, describing `tables` and themselves."""
    every = (*records(), *tables)
    used = {record.schema.casefold() for record in every}
    shown = [schema for schema in (TAP_SCHEMA, *schemas) if schema.name.casefold() in used]
    keys = [(f"key_{i}", *key) for i, key in enumerate(_all_keys(every), 1)]
    rows: dict[str, list[tuple[Any, ...]]] = {
        "schemas": [(s.name, s.utype, s.description, i) for i, s in enumerate(shown)],
        "tables": [(t.schema, t.full_name, t.kind, t.utype, t.description, i) for i, t in enumerate(every)],
        "columns": [_column_row(t, c, i) for t in every for i, c in enumerate(t.columns)],
        "keys": [(name, source, key.target, key.utype, key.description) for name, source, key in keys],
        "key_columns": [
            (name, as_written(own), as_written(its)) for name, _, key in keys for own, its in key.columns
        ],
    }
    return {record.full_name: _table(record, rows[record.name]) for record in records()}


def _all_keys(tables: Sequence[TableRecord]) -> Iterator[tuple[str, TableKey]]:
    """Yield the keys between the tables, with the table that refers; a target the caller may not read is none."""
    known = {table.full_name for table in tables}
    return ((table.full_name, key) for table in tables for key in table.keys if key.target in known)


def _column_row(table: TableRecord, column: Column, index: int) -> tuple[Any, ...]:
    datatype, arraysize, xtype = votable_type(column)
    size = int(arraysize) if arraysize.isdigit() else None
    return (
        table.full_name,
        as_written(column.name),
        datatype,
        arraysize,
        xtype,
        size,
        column.description,
        column.utype,
        column.unit,
        column.ucd,
        int(column.indexed or column.name in {table.ra, table.dec}),
        int(column.principal),
        int(column.std),
        index,
    )


def as_written(name: str) -> str:
    """Return a column's name as a query must write it (TAP 1.1 section 4.3)."""
    plain = _PLAIN_NAME.fullmatch(name) and name.upper() not in RESERVED_WORDS
    return name if plain else f'"{name}"'


def _table(record: TableRecord, rows: Sequence[tuple[Any, ...]]) -> pa.Table:
    by_column = zip(*rows, strict=True)
    arrays = [
        pa.array([None if value == "" else value for value in values], column.type)
        for column, values in zip(record.columns, by_column, strict=True)
    ]
    return pa.table(arrays, names=list(record.columns.names))
