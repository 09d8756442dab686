"""CREATE, ALTER, DROP, TRUNCATE of tables, and sp_rename."""

from collections.abc import Mapping

from sqlglot import exp

from awe.core.sql.batches._cursor import Cursor
from awe.core.sql.batches._queries import QueryReader
from awe.core.sql.batches._types import read_column, read_columns
from awe.core.sql.batches._values import (
    AddColumns,
    Call,
    ChangeColumn,
    CreateTable,
    CreateTableAs,
    Drop,
    DropColumns,
    Index,
    Place,
    RenameColumn,
    RenameTable,
    Statement,
    TableName,
    Truncate,
)
from awe.core.tables import Column

__all__ = ["alter", "create", "drop", "renaming", "truncate"]

_OTHER_THINGS: Mapping[str, str | None] = {
    "VIEW": "make a table: SELECT ... INTO mydb.t FROM ...",
    "FUNCTION": "a collection that is published declares functions in its describe file",
    "PROCEDURE": "send the statements as a batch",
    "PROC": "send the statements as a batch",
    "TRIGGER": None,
    "DATABASE": "your own tables are in mydb",
    "SCHEMA": "your own tables are in mydb",
    "USER": None,
    "SEQUENCE": None,
}


def create(cursor: Cursor, queries: QueryReader) -> Statement:
    """Read CREATE TABLE and CREATE INDEX."""
    place, source = cursor.place(), cursor.source()
    cursor.need("CREATE")
    while cursor.word("UNIQUE", "CLUSTERED", "NONCLUSTERED"):
        pass
    if cursor.word("INDEX", "CLUSTERED INDEX", "NONCLUSTERED INDEX"):
        return _index(cursor, source, place)
    if cursor.sees("TEMP", "TEMPORARY"):
        raise cursor.refused(
            "temporary tables are not offered here", "write CREATE TABLE mydb.t, and drop it"
        )
    _need_table(cursor, "CREATE")
    missing = cursor.words("IF", "NOT", "EXISTS")
    table = cursor.table()
    if cursor.word("AS"):
        return CreateTableAs(source, place, table, queries.query(cursor.rest()), missing)
    if not cursor.sees("("):
        raise cursor.expected("the columns", "CREATE TABLE mydb.t (id bigint, ra float)")
    return CreateTable(source, place, table, read_columns(cursor.parentheses()), missing)


def _need_table(cursor: Cursor, verb: str) -> None:
    if cursor.word("TABLE"):
        return
    here = cursor.here
    thing = here.text.upper() if here is not None else ""
    if thing in _OTHER_THINGS:
        raise cursor.refused(f"{verb} {thing} is not offered", _OTHER_THINGS[thing])
    raise cursor.expected("TABLE")


def _index(cursor: Cursor, source: str, place: Place) -> Statement:
    cursor.words("IF", "NOT", "EXISTS")
    if not cursor.sees("ON"):
        cursor.name("the name of an index")
    cursor.need("ON")
    table = cursor.table()
    if cursor.word("USING"):
        cursor.name()
    names: list[str] = []
    for part in cursor.parentheses().parts():
        column = part.name("the name of a column")
        if part.sees("("):  # q3c_ang2ipix(ra, dec)
            names += [inner.name("the name of a column") for inner in part.parentheses().parts()]
        else:
            names.append(column)
        part.word("ASC", "DESC")
        part.finish()
    if cursor.word("INCLUDE"):
        cursor.parentheses()
    return Index(source, place, table, tuple(names))


def drop(cursor: Cursor) -> Statement:
    """Read DROP TABLE."""
    place, source = cursor.place(), cursor.source()
    cursor.need("DROP")
    _need_table(cursor, "DROP")
    there = cursor.words("IF", "EXISTS")
    tables = [cursor.table()]
    while cursor.word(","):
        tables.append(cursor.table())
    cursor.word("CASCADE", "RESTRICT")
    return Drop(source, place, tuple(tables), there)


def truncate(cursor: Cursor) -> Statement:
    """Read TRUNCATE TABLE."""
    place, source = cursor.place(), cursor.source()
    cursor.need("TRUNCATE")
    cursor.word("TABLE")
    return Truncate(source, place, cursor.table())


def alter(cursor: Cursor) -> Statement:
    """Read ALTER TABLE: ADD, DROP, ALTER, RENAME."""
    place, source = cursor.place(), cursor.source()
    cursor.need("ALTER")
    _need_table(cursor, "ALTER")
    cursor.words("IF", "EXISTS")
    table = cursor.table()
    if cursor.word("ADD"):
        return AddColumns(source, place, table, _added(cursor))
    if cursor.word("DROP"):
        return _dropped(cursor, table, source, place)
    if cursor.word("ALTER"):
        cursor.word("COLUMN")
        column_cursor = cursor.rest()
        column_cursor.tokens = [t for t in column_cursor.tokens if t.text.upper() != "TYPE"]
        return ChangeColumn(source, place, table, read_column(column_cursor))
    if cursor.word("RENAME"):
        if cursor.word("TO"):
            return RenameTable(source, place, table, cursor.table().name)
        cursor.word("COLUMN")
        old = cursor.name("the name of a column")
        cursor.need("TO", "RENAME COLUMN a TO b")
        return RenameColumn(source, place, table, old, cursor.name("the name of a column"))
    raise cursor.expected("ADD, DROP, ALTER or RENAME", "ALTER TABLE mydb.t ADD z float")


def _added(cursor: Cursor) -> tuple[Column, ...]:
    if cursor.sees("("):
        return read_columns(cursor.parentheses())
    columns = []
    for part in cursor.parts():
        part.word("ADD")
        part.word("COLUMN")
        part.words("IF", "NOT", "EXISTS")
        columns.append(read_column(part))
    return tuple(columns)


def _dropped(cursor: Cursor, table: TableName, source: str, place: Place) -> Statement:
    names, there = [], False
    for part in cursor.parts():
        part.word("DROP")
        if part.sees("CONSTRAINT"):
            raise part.refused("there are no constraints to drop", "name a column")
        part.word("COLUMN")
        there = part.words("IF", "EXISTS") or there
        names.append(part.name("the name of a column"))
        part.word("CASCADE", "RESTRICT")
        part.finish()
    return DropColumns(source, place, table, tuple(names), there)


def renaming(call: Call, source: str, place: Place) -> Statement | None:
    """Return what ``EXEC sp_rename 'old', 'new'[, 'COLUMN']`` says; None of another call."""
    if call.procedure.casefold() != "sp_rename":
        return None
    given = dict(zip(("objname", "newname", "objtype"), call.positional, strict=False)) | dict(call.named)
    words = {name: _text(query.tree()) for name, query in given.items()}
    old, new, kind = words.get("objname"), words.get("newname"), words.get("objtype") or "OBJECT"
    if not old or not new:
        raise place.error("sp_rename takes two names in quotes", "EXEC sp_rename 'mydb.old', 'new'")
    if kind.upper() == "COLUMN":
        table, _, column = old.rpartition(".")
        return RenameColumn(source, place, TableName(_bare(table), place), _bare(column), _bare(new))
    return RenameTable(source, place, TableName(_bare(old), place), _bare(new))


def _text(tree: exp.Expr) -> str | None:
    found = tree.expressions[0] if tree.expressions else None
    return found.name if isinstance(found, exp.Literal | exp.Column) else None


def _bare(name: str) -> str:
    """Return a name without brackets and without ``dbo``."""
    parts = [part.strip().strip('[]"') for part in name.split(".")]
    return ".".join(part for part in parts if part and part.casefold() != "dbo")
