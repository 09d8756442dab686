"""INSERT, UPDATE, DELETE and ALTER: the rows that a table is to have, made of those that it has."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

import pyarrow as pa

from awe.core.sql import ParsedQuery
from awe.core.sql.batches import (
    AddColumns,
    ChangeColumn,
    Delete,
    DropColumns,
    Insert,
    RenameColumn,
    Statement,
    Update,
)
from awe.core.suggestions import did_you_mean
from awe.core.tables import TableStream
from awe.services.catalogs.batches._rows import converted, fitted
from awe.services.catalogs.batches._tables import BatchTables
from awe.services.catalogs.model import TableRecord

__all__ = ["Alteration", "Changes"]

Alteration = AddColumns | DropColumns | ChangeColumn | RenameColumn
"""What changes the columns of a table."""


_Rows = Callable[[TableRecord], TableStream]
"""Reads all rows of a table."""


class _Query(Protocol):
    def __call__(self, query: ParsedQuery, *, whole: bool) -> TableStream:
        """Return the rows of a query."""


class Changes:
    """What statements do to the tables of one batch.

    Parameters
    ----------
    tables
        The tables.
    query
        Runs a query of this batch.
    """

    def __init__(self, tables: BatchTables, query: _Query) -> None:
        self._tables, self._query = tables, query

    def insert(self, statement: Insert, made: Callable[[], TableStream]) -> int:
        """Add rows, which are made once the table is found; return how many."""
        record = self._tables.changing(statement.table)
        names = [_known(statement, name, record) for name in statement.columns] or list(record.columns.names)
        with made() as stream:
            if len(stream.schema) != len(names):
                message = f"INSERT has {len(stream.schema)} values for {len(names)} columns"
                raise statement.place.error(message, f"the columns are {', '.join(names)}")
            counted = 0

            def count(batch: pa.RecordBatch) -> pa.RecordBatch:
                nonlocal counted
                counted += batch.num_rows
                return batch

            rows = fitted(stream.map(stream.schema, count), record.columns, names)
            self._tables.append(statement.table, rows, statement.text)
        return counted

    def update(self, statement: Update) -> int:
        """Change values; return in how many rows."""
        changed = 0

        def make(record: TableRecord) -> TableStream:
            nonlocal changed
            changed = 0
            stream = self._query(statement.query(record.columns, record.full_name), whole=True)

            def take(batch: pa.RecordBatch) -> pa.RecordBatch:
                nonlocal changed
                changed += batch.columns[-1].true_count
                arrays = [
                    converted(array, column.type, column.name)
                    for array, column in zip(batch.columns[:-1], record.columns, strict=True)
                ]
                return pa.RecordBatch.from_arrays(arrays, names=list(record.columns.names))

            return stream.map(record.columns, take)

        self._tables.rewrite(statement.table, make, statement.text)
        return changed

    def delete(self, statement: Delete) -> int:
        """Remove rows; return how many."""
        before = 0

        def make(record: TableRecord) -> TableStream:
            nonlocal before
            before = record.rows
            stream = self._query(statement.query(record.columns, record.full_name), whole=True)
            return fitted(stream, record.columns, record.columns.names)

        after = self._tables.rewrite(statement.table, make, statement.text).rows
        return before - after

    def alter(self, statement: Alteration) -> None:
        """Change the columns."""
        make = partial(_ALTERATIONS[type(statement)], self._tables.rows, statement)
        self._tables.rewrite(statement.table, make, statement.text)


def _added(rows: _Rows, statement: AddColumns, record: TableRecord) -> TableStream:
    for column in statement.columns:
        if column.name in record.columns:
            raise statement.place.error(
                f"Column names in each table must be unique: {record.name} has a column {column.name}"
            )
    columns = record.columns.with_columns((*record.columns, *statement.columns))
    return fitted(rows(record), columns, record.columns.names)


def _dropped(rows: _Rows, statement: DropColumns, record: TableRecord) -> TableStream:
    gone = {
        _known(statement, name, record)
        for name in statement.names
        if name in record.columns or not statement.if_there
    }
    columns = record.columns.with_columns(tuple(c for c in record.columns if c.name not in gone))
    if not len(columns):
        raise statement.place.error("a table keeps one column at least", "DROP TABLE removes it")
    return fitted(rows(record), columns, record.columns.names)


def _changed(rows: _Rows, statement: ChangeColumn, record: TableRecord) -> TableStream:
    name = _known(statement, statement.column.name, record)
    changed = tuple(
        replace(c, type=statement.column.type, null=None, datatype="", arraysize="") if c.name == name else c
        for c in record.columns
    )
    columns = record.columns.with_columns(changed)
    return fitted(rows(record), columns, record.columns.names)


def _renamed(rows: _Rows, statement: RenameColumn, record: TableRecord) -> TableStream:
    old = _known(statement, statement.old, record)
    new = tuple(replace(c, name=statement.new) if c.name == old else c for c in record.columns)
    return fitted(rows(record), record.columns.with_columns(new), [c.name for c in new])


_ALTERATIONS: Mapping[type[Alteration], Callable[[_Rows, Any, TableRecord], TableStream]] = {
    AddColumns: _added,
    DropColumns: _dropped,
    ChangeColumn: _changed,
    RenameColumn: _renamed,
}


def _known(statement: Statement, name: str, record: TableRecord) -> str:
    found = record.columns.find(name)
    if found is None:
        hint = did_you_mean(name, record.columns.names)
        raise statement.place.unknown(f"no column {name} in {record.name}", hint)
    return found.name
