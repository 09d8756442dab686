"""Records of users' tables as rows of the system database, and back."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from awe.core.tables import Column, Schema
from awe.services.catalogs._types import type_from_text, type_to_text
from awe.services.catalogs.interface import StoredTable
from awe.services.catalogs.model import TableRecord
from awe.services.catalogs.own.model import TableVersion

__all__ = ["SAID", "record_of", "row_of", "version_of"]

_SAME = ("title", "description", "ra", "dec", "id_column")
_PLAIN = {f.name: f.default for f in fields(Column) if f.name not in {"name", "type"}}

SAID = frozenset({*_SAME, "columns", "metadata"})
"""The values of a row that say what a table is, and not where its rows are."""


def row_of(record: TableRecord) -> dict[str, object]:
    """Return the values of a record's row, by the names of its columns."""
    return {
        "schema": record.schema,
        "folded": record.name.casefold(),
        "name": record.name,
        "number": record.version,
        "columns": [_column_row(column) for column in record.columns],
        "metadata": dict(record.metadata),
        "created": record.created,
        **{key: getattr(record, key) for key in _SAME},
        **{key: getattr(record.stored, key) for key in ("location", "rows", "bytes")},
    }


def record_of(row: Mapping[str, Any], owner: str) -> TableRecord:
    """Return the record of a row."""
    columns = tuple(Column(**{**values, "type": type_from_text(values["type"])}) for values in row["columns"])
    said = Schema(columns, f"{row['schema']}.{row['name']}", row["description"], row["metadata"])
    return TableRecord(
        schema=row["schema"],
        name=row["name"],
        columns=said,
        stored=StoredTable(row["location"], row["rows"], row["bytes"]),
        version=row["number"],
        created=row["created"],
        metadata=row["metadata"],
        owner=owner,
        **{key: row[key] for key in _SAME},
    )


def version_of(row: Mapping[str, Any], owner: str) -> TableVersion:
    """Return the version of a row."""
    return TableVersion(row["number"], record_of(row, owner), row["created"], row["origin"], row["ended"])


def _column_row(column: Column) -> dict[str, object]:
    said = {key: value for key, value in asdict(column).items() if key in _PLAIN and value != _PLAIN[key]}
    return {"name": column.name, "type": type_to_text(column.type), **said}
