"""Run the statements of one batch."""

import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from awe.core.sql import ParsedQuery, Variable
from awe.core.sql.batches import (
    AddColumns,
    Assign,
    Call,
    ChangeColumn,
    Counting,
    CreateTable,
    CreateTableAs,
    Declare,
    Delete,
    Drop,
    DropColumns,
    Go,
    If,
    Index,
    Insert,
    Print,
    RenameColumn,
    RenameTable,
    Select,
    Statement,
    TableName,
    Truncate,
    Update,
    Use,
    object_number,
)  # fmt: skip
from awe.core.suggestions import did_you_mean
from awe.core.tables import Column, Schema, TableStream
from awe.errors import TimeLimitError
from awe.services.catalogs.batches._changes import Alteration, Changes
from awe.services.catalogs.batches._procedures import procedure_query
from awe.services.catalogs.batches._rows import constant_rows, converted
from awe.services.catalogs.batches._tables import BatchTables
from awe.services.catalogs.batches.model import ROWS_AFFECTED, ResultSet, ResultStream
from awe.services.catalogs.memory import BatchScope
from awe.services.catalogs.own.service import TableService
from awe.services.catalogs.service import CatalogService
from awe.services.identity import Identity

__all__ = ["Asked", "Run"]

_CREATE: Literal["create", "replace"] = "create"

_Results = Generator[ResultSet, None, None]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the caller of a batch asked for, as `BatchService.run` takes it."""

    identity: Identity
    context: str | None
    seconds: float
    max_rows: int | None
    into: str | None
    replace: bool
    uploads: Mapping[str, Path]
    address: str


class Run:
    """One run.

    Parameters
    ----------
    catalogs, tables
        Who answers and who keeps.
    asked
        What for.
    """

    def __init__(self, catalogs: CatalogService, tables: TableService, asked: Asked) -> None:
        self._catalogs, self._asked = catalogs, asked
        self._context = asked.context
        self._tables = BatchTables(catalogs, tables, asked.identity, self.query)
        self._changes = Changes(self._tables, self.query)
        self._variables: dict[str, Variable] = {}
        self._ends = time.monotonic() + asked.seconds
        self._count = 0
        self._engines: dict[str, None] = {}
        self._counts = True
        self._reading = self._ended = False

    def results(self, statements: Sequence[Statement]) -> _Results:
        """Run the statements."""
        try:
            for statement in statements:
                for result in self._one(statement):
                    self._reading = True
                    stream = ResultStream(result.stream, self._read)
                    yield replace(result, stream=stream)
                    stream.pass_by()
            if self._count == 0:
                nothing = Schema(
                    (Column(ROWS_AFFECTED, pa.int64()),)
                )  # no format has a table without columns
                yield self._result(statements[-1], TableStream(nothing, ()), None)
        finally:
            self._ended = True
            self._let_go()

    def stop(self) -> None:
        """Let go of the tables of the batch, whoever may still read them."""
        self._reading, self._ended = False, True
        self._let_go()

    def _read(self) -> None:
        self._reading = False
        self._let_go()

    def _let_go(self) -> None:
        """Remove the tables of the batch once it has ended and nobody reads its last result."""
        if self._ended and not self._reading:
            self._tables.close()

    def query(
        self,
        query: ParsedQuery | str,
        *,
        whole: bool = False,
        more: Mapping[str, Variable] | None = None,
        dialect: str = "tsql",
    ) -> TableStream:
        """Return the rows of a query; all of them where they make a table."""
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeLimitError(
                "the batch took longer than it may", hint="ask for less, or send it as a job"
            )
        stream = self._catalogs.query(
            query,
            dialect=query.dialect if isinstance(query, ParsedQuery) else dialect,
            context=self._context,
            identity=self._asked.identity,
            max_rows=None if whole else self._asked.max_rows,
            seconds=left,
            uploads=self._asked.uploads,
            address=self._asked.address,
            asked=False,
            whole=whole,
            scope=BatchScope(self._tables.temporary, {**self._variables, **(more or {})}),
        )
        self._engines[self._catalogs.engine_of(stream)] = None
        return stream

    # Statements

    def _one(self, statement: Statement) -> Iterable[ResultSet]:
        return _RUNS[type(statement)](self, statement) or ()

    def _result(self, statement: Statement, stream: TableStream, affected: int | None) -> ResultSet:
        self._count += 1
        engines, self._engines = ", ".join(self._engines), {}
        return ResultSet(f"Table{self._count}", stream, affected, statement.text, statement.line, engines)

    def _affected(self, statement: Statement, rows: int, *tables: TableName) -> Iterable[ResultSet]:
        """Say how many rows a change touched; of tables of the batch nobody asks."""
        if not self._counts or (tables and all(table.temporary for table in tables)):
            return
        told = pa.table({ROWS_AFFECTED: pa.array([rows], pa.int64())})
        yield self._result(statement, TableStream.from_table(told), rows)

    def select(self, statement: Select) -> Iterable[ResultSet]:
        """SELECT, with or without INTO."""
        into, mode = statement.into, _CREATE
        if into is None and self._asked.into is not None:
            into = TableName(self._asked.into, statement.place)
            mode = "replace" if self._asked.replace else "create"
        if into is None:
            yield self._result(statement, self.query(statement.query), None)
            return
        record = self._tables.write(into, self.query(statement.query, whole=True), mode, statement.text)
        yield from self._affected(statement, record.rows, into)

    def create(self, statement: CreateTable) -> None:
        """CREATE TABLE (...)."""
        columns = Schema(statement.columns)
        self._tables.create(statement.table, columns, "keep" if statement.if_missing else "error")

    def create_as(self, statement: CreateTableAs) -> Iterable[ResultSet]:
        """CREATE TABLE ... AS SELECT ..."""
        if statement.if_missing and self._tables.find(statement.table) is not None:
            return
        record = self._tables.write(
            statement.table, self.query(statement.query, whole=True), "create", statement.text
        )
        yield from self._affected(statement, record.rows, statement.table)

    def insert(self, statement: Insert) -> Iterable[ResultSet]:
        """INSERT."""
        affected = self._changes.insert(statement, lambda: self._inserted(statement))
        yield from self._affected(statement, affected, statement.table)

    def _inserted(self, statement: Insert) -> TableStream:
        if statement.call is not None:
            return self.procedure(statement.call, whole=True)
        if statement.query is not None:
            return self.query(statement.query, whole=True)
        return constant_rows(statement.rows)

    def update(self, statement: Update) -> Iterable[ResultSet]:
        """UPDATE."""
        yield from self._affected(statement, self._changes.update(statement), statement.table)

    def delete(self, statement: Delete) -> Iterable[ResultSet]:
        """DELETE."""
        yield from self._affected(statement, self._changes.delete(statement), statement.table)

    def alter(self, statement: Alteration) -> None:
        """ALTER TABLE, and sp_rename of a column."""
        self._changes.alter(statement)

    def rename_table(self, statement: RenameTable) -> None:
        """sp_rename of a table, ALTER TABLE ... RENAME TO."""
        self._tables.rename(statement.table, statement.new)

    def index(self, statement: Index) -> None:
        """CREATE INDEX: on two columns of positions it is made, others need none."""
        self._tables.index(statement.table, statement.columns)

    def truncate(self, statement: Truncate) -> None:
        """TRUNCATE TABLE."""
        self._tables.rewrite(statement.table, lambda record: TableStream(record.columns, ()), statement.text)

    def drop(self, statement: Drop) -> None:
        """DROP TABLE."""
        for table in statement.tables:
            self._tables.drop(table, missing_ok=statement.if_there)

    # Variables and flow

    def declare(self, statement: Declare) -> None:
        """DECLARE."""
        if statement.table is not None:
            self._tables.create(statement.table, Schema(statement.columns), "error")
        for declared in statement.variables:
            variable = Variable(declared.type)
            if declared.query is not None:
                variable = _valued(variable, self._last(declared.query)[0], declared.name)
            self._variables[declared.name.casefold()] = variable

    def assign(self, statement: Assign) -> None:
        """SET, and SELECT @x = ..."""
        for name in statement.names:
            if name.casefold() not in self._variables:
                hint = did_you_mean(name, self._variables) or f"DECLARE @{name} float stands before it"
                raise statement.place.unknown(f"there is no variable @{name}", hint)
        found = self._last(statement.query)
        for name, array in zip(statement.names, found, strict=True):
            if len(array):
                folded = name.casefold()
                self._variables[folded] = _valued(self._variables[folded], array, name)

    def _last(self, query: ParsedQuery, more: Mapping[str, Variable] | None = None) -> list[pa.Array]:
        """Return the values of the last row of a query, each as an array; of no row empty ones."""
        table = self.query(query, whole=True, more=more).to_table()
        return [
            column.combine_chunks()[-1:] if len(column) else column.combine_chunks()
            for column in table.columns
        ]

    def if_(self, statement: If) -> Iterable[ResultSet]:
        """IF ... ELSE ..."""
        objects = {key: Variable(pa.int32(), self._object(table)) for key, table in statement.asked.items()}
        found = self._last(statement.condition, objects)[0]
        chosen = statement.then if found.to_pylist() == [1] else statement.otherwise
        for inner in chosen:
            yield from self._one(inner)

    def _object(self, table: TableName) -> int | None:
        found = self._tables.find(table)
        return None if found is None else object_number(found.full_name)

    def print(self, statement: Print) -> None:
        """PRINT: its value is computed, and nobody reads it."""
        self.query(statement.query, whole=True).to_table()

    def use(self, statement: Use) -> None:
        """USE."""
        self._context = statement.context

    def go(self, statement: Go) -> None:  # noqa: ARG002  # a statement's shape
        """GO."""
        self._variables.clear()

    def set_counts(self, statement: Counting) -> None:
        """SET NOCOUNT."""
        self._counts = statement.counts

    def call(self, statement: Call) -> Iterable[ResultSet]:
        """EXEC."""
        yield self._result(statement, self.procedure(statement), None)

    def procedure(self, call: Call, *, whole: bool = False) -> TableStream:
        """Return what a procedure gives."""
        positional = [self._argument(query) for query in call.positional]
        named = {name: self._argument(query) for name, query in call.named.items()}
        text = procedure_query(call, positional, named, lambda table: self._tables.find(table, self._context))
        return self.query(text, whole=whole, dialect="postgres")

    def _argument(self, query: ParsedQuery) -> object:
        found: object = self._last(query)[0].to_pylist()[0]
        return found


_RUNS: Mapping[type[Statement], Callable[[Run, Any], Iterable[ResultSet] | None]] = {
    Select: Run.select, CreateTable: Run.create, CreateTableAs: Run.create_as, Insert: Run.insert,
    Update: Run.update, Delete: Run.delete, AddColumns: Run.alter, DropColumns: Run.alter,
    ChangeColumn: Run.alter, RenameColumn: Run.alter, RenameTable: Run.rename_table,
    Index: Run.index, Truncate: Run.truncate, Drop: Run.drop, Declare: Run.declare, Assign: Run.assign, If: Run.if_,
    Print: Run.print, Call: Run.call, Use: Run.use, Go: Run.go, Counting: Run.set_counts,
}  # fmt: skip


def _valued(variable: Variable, array: pa.Array, name: str) -> Variable:
    value = converted(array, variable.type, f"@{name}").to_pylist()
    return replace(variable, value=value[-1] if value else None)
