"""The records of schemas and tables in the system database."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Float,
    ForeignKey,
    Integer,
    Row,
    String,
    Table,
    Text,
    UniqueConstraint,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy import (
    Column as SqlColumn,
)

from awe.core.sql import ColumnNote, Parameter, ScalarFunction, TableFunction
from awe.core.tables import Column, Schema
from awe.errors import ConflictError
from awe.services.catalogs._types import type_from_text, type_to_text
from awe.services.catalogs.interface import StoredTable
from awe.services.catalogs.model import DescribedView, SchemaRecord, TableKey, TableRecord
from awe.services.system import Connection, SystemDatabase, UtcDateTime, metadata

__all__ = ["CatalogStore"]

_schemas = Table(
    "schemas",
    metadata,
    SqlColumn("folded", String(128), primary_key=True),
    SqlColumn("name", String(128), nullable=False),
    SqlColumn("title", Text, nullable=False),
    SqlColumn("description", Text, nullable=False),
    SqlColumn("utype", Text, nullable=False),
)
_tables = Table(
    "tables",
    metadata,
    SqlColumn("id", Integer, primary_key=True),
    SqlColumn("schema", String(128), ForeignKey(_schemas.c.folded), nullable=False),
    SqlColumn("folded", String(128), nullable=False),
    SqlColumn("name", String(128), nullable=False),
    SqlColumn("title", Text, nullable=False),
    SqlColumn("description", Text, nullable=False),
    SqlColumn("utype", Text, nullable=False),
    SqlColumn("metadata", JSON, nullable=False),
    SqlColumn("foreign_keys", JSON, nullable=False, server_default="[]"),
    SqlColumn("ra", Text),
    SqlColumn("dec", Text),
    SqlColumn("id_column", Text),
    SqlColumn("location", Text, nullable=False),
    SqlColumn("rows", BigInteger, nullable=False),
    SqlColumn("bytes", BigInteger, nullable=False),
    SqlColumn("version", Integer, nullable=False),
    SqlColumn("created", UtcDateTime, nullable=False),
    UniqueConstraint("schema", "folded"),
)
_columns = Table(
    "table_columns",
    metadata,
    SqlColumn("table_id", ForeignKey(_tables.c.id, ondelete="CASCADE"), primary_key=True),
    SqlColumn("position", Integer, primary_key=True),
    SqlColumn("name", Text, nullable=False),
    SqlColumn("type", Text, nullable=False),
    *(SqlColumn(name, Text, nullable=False) for name in ("unit", "ucd", "utype", "xtype", "description")),
    *(SqlColumn(name, Boolean, nullable=False) for name in ("principal", "indexed", "std")),
    SqlColumn("null", BigInteger),
)
_functions = Table(
    "table_functions",
    metadata,
    SqlColumn("table_id", ForeignKey(_tables.c.id, ondelete="CASCADE"), nullable=False),
    SqlColumn("schema", String(128), primary_key=True),
    SqlColumn("folded", String(128), primary_key=True),
    SqlColumn("name", String(128), nullable=False),
    SqlColumn("parameters", JSON, nullable=False),
    SqlColumn("sql", Text, nullable=False),
    SqlColumn("description", Text, nullable=False),
    SqlColumn("kind", String(16), nullable=False, server_default="table"),
    SqlColumn("unit", Text, nullable=False, server_default=""),
    SqlColumn("columns", JSON, nullable=False, server_default="[]"),
)
_views = Table(
    "table_views",
    metadata,
    SqlColumn("table_id", ForeignKey(_tables.c.id, ondelete="CASCADE"), nullable=False),
    SqlColumn("schema", String(128), primary_key=True),
    SqlColumn("folded", String(128), primary_key=True),
    SqlColumn("position", Integer, nullable=False),
    SqlColumn("name", String(128), nullable=False),
    SqlColumn("title", Text, nullable=False),
    SqlColumn("description", Text, nullable=False),
    SqlColumn("sql", Text, nullable=False),
    SqlColumn("columns", JSON, nullable=False),
    SqlColumn("reads", JSON, nullable=False),
)
_retired = Table(
    "retired_versions",
    metadata,
    SqlColumn("location", String(255), primary_key=True),
    SqlColumn("rows", BigInteger, nullable=False),
    SqlColumn("bytes", BigInteger, nullable=False),
    SqlColumn("retired", Float, nullable=False),
)
_state = Table(
    "catalog_state",
    metadata,
    SqlColumn("id", Integer, primary_key=True, autoincrement=False),
    SqlColumn("revision", BigInteger, nullable=False),
)

Also = Callable[[Connection], None]
"""What else belongs into the same transaction."""


class CatalogStore:
    """Read and write the records. Whoever reads sees a table's old version or its new one."""

    def __init__(self, system: SystemDatabase) -> None:
        self._system = system

    def stamp(self) -> object:
        """Return the state of the whole system database; see `SystemDatabase.stamp`."""
        return self._system.stamp()

    def revision(self) -> int:
        """Return a number that grows with every change, whichever process makes it."""
        with self._system.reading() as connection:
            return _revision(connection)

    def load(self) -> tuple[int, tuple[SchemaRecord, ...], tuple[TableRecord, ...]]:
        """Return the revision, the schemas and the tables, all of one moment, by name."""
        with self._system.reading() as connection:
            revision = _revision(connection)
            schemas = connection.execute(select(_schemas).order_by(_schemas.c.folded)).all()
            tables = connection.execute(select(_tables).order_by(_tables.c.schema, _tables.c.folded)).all()
            columns = connection.execute(
                select(_columns).order_by(_columns.c.table_id, _columns.c.position)
            ).all()
            functions = connection.execute(select(_functions).order_by(_functions.c.folded)).all()
            views = connection.execute(select(_views).order_by(_views.c.position)).all()
        names = {row.folded: row.name for row in schemas}
        parts = (_grouped(columns), _grouped(functions), _grouped(views))
        records = tuple(_table_record(row, names[row.schema], *parts) for row in tables)
        return (
            revision,
            tuple(SchemaRecord(r.name, r.title, r.description, r.utype) for r in schemas),
            records,
        )

    def keep(
        self, record: TableRecord, schema: SchemaRecord, *, replaces: bool, also: Also | None
    ) -> TableRecord:
        """Make this version the current one, in one transaction with whatever `also` does.

        Raises
        ------
        ConflictError
            If there is such a table already and `replaces` is false, or a function or view has a name
            that one of another table has.
        """
        with self._system.transaction() as connection:
            name = _keep_schema(connection, schema)
            old = _find(connection, record.schema, record.name)
            if old is not None and not replaces:
                raise ConflictError(f"there is a table {record.full_name} already", hint="replace it")
            kept = replace(
                record, schema=name, version=old.version + 1 if old else 1, created=datetime.now(UTC)
            )
            if old is not None:
                _remove(connection, old)
            _insert(connection, kept)
            if also is not None:
                also(connection)
            _advance(connection)
        return kept

    def forget(self, record: TableRecord, also: Also | None = None) -> None:
        """Remove a table's record; its files are retired, and removed a while later."""
        with self._system.transaction() as connection:
            old = _find(connection, record.schema, record.name)
            if old is not None:
                _remove(connection, old)
            schema = record.schema.casefold()
            if connection.execute(select(_tables.c.id).where(_tables.c.schema == schema)).first() is None:
                connection.execute(delete(_schemas).where(_schemas.c.folded == schema))
            if also is not None:
                also(connection)
            _advance(connection)

    def retired(self) -> Mapping[StoredTable, float]:
        """Return the versions nobody points to any more, and since when (seconds since 1970)."""
        with self._system.reading() as connection:
            rows = connection.execute(select(_retired)).all()
        return {StoredTable(r.location, r.rows, r.bytes): r.retired for r in rows}

    def removed(self, stored: StoredTable) -> None:
        """Say that a retired version's files are gone."""
        with self._system.transaction() as connection:
            connection.execute(delete(_retired).where(_retired.c.location == stored.location))


def _revision(connection: Connection) -> int:
    return int(connection.scalar(select(_state.c.revision)) or 0)


def _advance(connection: Connection) -> None:
    connection.execute(update(_state).values(revision=_state.c.revision + 1))


def _keep_schema(connection: Connection, schema: SchemaRecord) -> str:
    """Add or complete a schema; return its name as first published."""
    folded = schema.name.casefold()
    said = {k: v for k, v in asdict(schema).items() if v and k != "name"}
    row = connection.execute(select(_schemas).where(_schemas.c.folded == folded)).first()
    if row is None:
        connection.execute(insert(_schemas).values(folded=folded, **asdict(schema)))
        return schema.name
    if said:
        connection.execute(update(_schemas).where(_schemas.c.folded == folded).values(said))
    return str(row.name)


def _find(connection: Connection, schema: str, name: str) -> Row[tuple[object, ...]] | None:
    return connection.execute(
        select(_tables).where(_tables.c.schema == schema.casefold(), _tables.c.folded == name.casefold())
    ).first()


def _remove(connection: Connection, old: Row[tuple[object, ...]]) -> None:
    connection.execute(delete(_tables).where(_tables.c.id == old.id))
    row = {"location": old.location, "rows": old.rows, "bytes": old.bytes, "retired": time.time()}
    connection.execute(insert(_retired).values(row))


def _insert(connection: Connection, record: TableRecord) -> None:
    schema = record.schema.casefold()
    row = {
        "schema": schema,
        "folded": record.name.casefold(),
        **{key: getattr(record, key) for key in _SAME},
        "metadata": dict(record.metadata),
        "foreign_keys": [asdict(key) for key in record.keys],
        **{key: getattr(record.stored, key) for key in ("location", "rows", "bytes")},
    }
    _check_no_view(connection, record.full_name)
    table_id = connection.execute(insert(_tables).values(row).returning(_tables.c.id)).scalar_one()
    rows = [
        _column_row(column) | {"table_id": table_id, "position": position}
        for position, column in enumerate(record.columns)
    ]
    connection.execute(insert(_columns), rows)
    for function in record.functions:
        _insert_function(connection, function, schema, table_id)
    for position, view in enumerate(record.views):
        _insert_view(connection, record, view, {"table_id": table_id, "position": position})


_SAME = (
    "name",
    "title",
    "description",
    "utype",
    "ra",
    "dec",
    "id_column",
    "version",
    "created",
)


def _insert_function(
    connection: Connection, function: TableFunction | ScalarFunction, schema: str, table_id: int
) -> None:
    key = {"schema": schema, "folded": function.name.casefold()}
    if connection.execute(select(_functions.c.name).filter_by(**key)).first() is not None:
        raise ConflictError(
            f"another table of {function.schema} describes a function {function.name} already"
        )
    row = {
        **key,
        "table_id": table_id,
        "name": function.name,
        "parameters": [asdict(parameter) for parameter in function.parameters],
        "sql": function.sql,
        "description": function.description,
        "kind": "scalar" if isinstance(function, ScalarFunction) else "table",
        "unit": function.unit if isinstance(function, ScalarFunction) else "",
        "columns": [asdict(n) for n in function.columns] if isinstance(function, TableFunction) else [],
    }
    connection.execute(insert(_functions).values(row))


def _insert_view(
    connection: Connection, record: TableRecord, view: DescribedView, place: Mapping[str, int]
) -> None:
    full_name = f"{record.schema}.{view.name}"
    _check_no_view(connection, full_name)
    if _find(connection, record.schema, view.name) is not None:
        raise ConflictError(f"there is a table {full_name} already", hint="give the view another name")
    row = {
        **place,
        "schema": record.schema.casefold(),
        "folded": view.name.casefold(),
        **{key: getattr(view, key) for key in ("name", "title", "description", "sql")},
        "columns": [_column_row(column) for column in view.columns],
        "reads": list(view.reads),
    }
    connection.execute(insert(_views).values(row))


def _check_no_view(connection: Connection, full_name: str) -> None:
    schema, _, name = full_name.casefold().partition(".")
    if connection.execute(select(_views.c.name).filter_by(schema=schema, folded=name)).first() is not None:
        raise ConflictError(f"another table describes a view {full_name} already")


Grouped = Mapping[int, Sequence[Row[tuple[object, ...]]]]


def _grouped(rows: Sequence[Row[tuple[object, ...]]]) -> Grouped:
    found: dict[int, list[Row[tuple[object, ...]]]] = {}
    for row in rows:
        found.setdefault(row.table_id, []).append(row)
    return found


def _table_record(
    row: Row[tuple[object, ...]], schema: str, columns: Grouped, functions: Grouped, views: Grouped
) -> TableRecord:
    said = Schema(
        tuple(_column(c) for c in columns.get(row.id, ())),
        name=f"{schema}.{row.name}",
        description=row.description,
        metadata=row.metadata,
    )
    return TableRecord(
        schema=schema,
        columns=said,
        stored=StoredTable(row.location, row.rows, row.bytes),
        metadata=row.metadata,
        functions=tuple(_function(f, schema) for f in functions.get(row.id, ())),
        keys=tuple(_foreign_key(values) for values in row.foreign_keys),
        views=tuple(_view(v) for v in views.get(row.id, ())),
        **{key: getattr(row, key) for key in _SAME},
    )


def _foreign_key(values: Mapping[str, Any]) -> TableKey:
    return TableKey(**{**values, "columns": tuple((own, its) for own, its in values["columns"])})


def _column_row(column: Column) -> dict[str, object]:
    values = {f.name: getattr(column, f.name) for f in fields(column)}
    return values | {"type": type_to_text(column.type)}


def _column(row: Row[tuple[object, ...]]) -> Column:
    values = dict(row._mapping)  # noqa: SLF001  # SQLAlchemy's public accessor for a row as a mapping
    values = {key: value for key, value in values.items() if key not in {"table_id", "position", "type"}}
    return Column(type=type_from_text(row.type), **values)


def _view(row: Row[tuple[object, ...]]) -> DescribedView:
    columns = tuple(Column(**{**said, "type": type_from_text(said["type"])}) for said in row.columns)
    said = {key: getattr(row, key) for key in ("name", "title", "description", "sql")}
    return DescribedView(columns=Schema(columns), reads=tuple(row.reads), **said)


def _function(row: Row[tuple[object, ...]], schema: str) -> TableFunction | ScalarFunction:
    parameters = tuple(Parameter(**values) for values in row.parameters)
    if row.kind == "scalar":
        return ScalarFunction(schema, row.name, parameters, row.sql, row.description, row.unit)
    notes = tuple(ColumnNote(**values) for values in row.columns)
    return TableFunction(schema, row.name, parameters, row.sql, row.description, notes)
