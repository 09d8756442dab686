"""What a statement of a batch says. Names of tables are as `TableName` reads them; queries are read, not understood."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from awe.core.sql._place import Text
from awe.core.sql._query import ParsedQuery
from awe.core.tables import Column
from awe.errors import QueryError, UnknownNameError

__all__ = [
    "AddColumns",
    "Assign",
    "Call",
    "ChangeColumn",
    "Counting",
    "CreateTable",
    "CreateTableAs",
    "Declare",
    "Declared",
    "Drop",
    "DropColumns",
    "Go",
    "If",
    "Index",
    "Insert",
    "Place",
    "Print",
    "RenameColumn",
    "RenameTable",
    "Select",
    "Statement",
    "TableName",
    "Truncate",
    "Use",
]


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in a batch."""

    text: Text
    start: int

    @property
    def line(self) -> int:
        """The line, counted from one."""
        return self.text.line_column(self.start)[0]

    def error(self, message: str, hint: str | None = None, kind: type[QueryError] = QueryError) -> QueryError:
        """Return an error that points here."""
        line, column = self.text.line_column(self.start)
        return kind(message, line=line, column=column, hint=hint)

    def unknown(self, message: str, hint: str | None = None) -> QueryError:
        """Return an `UnknownNameError` that points here."""
        return self.error(message, hint, UnknownNameError)


@dataclass(frozen=True, slots=True)
class TableName:
    """A table as a statement names it: ``mydb.t``, ``t``, ``dr14.t``, or ``#t`` (which lives as long as its batch)."""

    name: str
    place: Place = field(compare=False, repr=False)

    @property
    def temporary(self) -> bool:
        """Whether it is a table of the batch."""
        return self.name.startswith(("#", "@"))

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement.

    Attributes
    ----------
    text
        As it was written.
    place
        Where it begins.
    """

    text: str
    place: Place = field(compare=False, repr=False)

    @property
    def line(self) -> int:
        """Its first line, counted from one."""
        return self.place.line

    @property
    def targets(self) -> tuple[TableName, ...]:
        """The tables that it makes, changes or removes."""
        return ()


@dataclass(frozen=True, slots=True)
class Select(Statement):
    """A query, and the table that its rows make."""

    query: ParsedQuery
    into: TableName | None = None

    @property
    def targets(self) -> tuple[TableName, ...]:
        """Where the rows go."""
        return () if self.into is None else (self.into,)


@dataclass(frozen=True, slots=True)
class _OfTable(Statement):
    table: TableName

    @property
    def targets(self) -> tuple[TableName, ...]:
        """The table."""
        return (self.table,)


@dataclass(frozen=True, slots=True)
class CreateTable(_OfTable):
    """An empty table; `if_missing`: one that is there already stays."""

    columns: tuple[Column, ...]
    if_missing: bool = False


@dataclass(frozen=True, slots=True)
class CreateTableAs(_OfTable):
    """A table of a query's rows."""

    query: ParsedQuery
    if_missing: bool = False


@dataclass(frozen=True, slots=True)
class Insert(_OfTable):
    """Rows for a table: of a query, of a procedure, or constants; `columns` are all when empty."""

    columns: tuple[str, ...] = ()
    query: ParsedQuery | None = None
    call: "Call | None" = None
    rows: tuple[tuple[object, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class AddColumns(_OfTable):
    """New columns, NULL in all rows."""

    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class DropColumns(_OfTable):
    """Columns that go."""

    names: tuple[str, ...]
    if_there: bool = False


@dataclass(frozen=True, slots=True)
class ChangeColumn(_OfTable):
    """Another type for a column."""

    column: Column


@dataclass(frozen=True, slots=True)
class RenameColumn(_OfTable):
    """Another name for a column."""

    old: str
    new: str


@dataclass(frozen=True, slots=True)
class RenameTable(_OfTable):
    """Another name for a table."""

    new: str

    @property
    def targets(self) -> tuple[TableName, ...]:
        """The table, under both of its names."""
        schema = self.table.name.rpartition(".")[0]
        new = self.new.rpartition(".")[2]
        return (self.table, TableName(f"{schema}.{new}" if schema else new, self.table.place))


@dataclass(frozen=True, slots=True)
class Index(_OfTable):
    """An index on columns: of positions it is made, others need none."""

    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Truncate(_OfTable):
    """No rows any more."""


@dataclass(frozen=True, slots=True)
class Drop(Statement):
    """Tables that go; `if_there`: one that is not there is no error."""

    tables: tuple[TableName, ...]
    if_there: bool = False

    @property
    def targets(self) -> tuple[TableName, ...]:
        """The tables."""
        return self.tables


@dataclass(frozen=True, slots=True)
class Declared:
    """A variable as it is declared; its value is NULL without a query."""

    name: str
    type: pa.DataType
    query: ParsedQuery | None = None


@dataclass(frozen=True, slots=True)
class Declare(Statement):
    """DECLARE: variables; `table` with `columns` where it declares a table."""

    variables: tuple[Declared, ...] = ()
    table: TableName | None = None
    columns: tuple[Column, ...] = ()


@dataclass(frozen=True, slots=True)
class Assign(Statement):
    """SET and ``SELECT @x = ...``: variables get what a query's last row has, in order."""

    names: tuple[str, ...]
    query: ParsedQuery


@dataclass(frozen=True, slots=True)
class If(Statement):
    """IF: a query of one value, 1 where the condition is true; `asked` are the tables of its OBJECT_ID()."""

    condition: ParsedQuery
    then: tuple[Statement, ...]
    otherwise: tuple[Statement, ...] = ()
    asked: Mapping[str, TableName] = field(default_factory=dict)

    @property
    def targets(self) -> tuple[TableName, ...]:
        """Those of both branches."""
        return tuple(t for branch in (self.then, self.otherwise) for s in branch for t in s.targets)


@dataclass(frozen=True, slots=True)
class Print(Statement):
    """PRINT: a query of one value."""

    query: ParsedQuery


@dataclass(frozen=True, slots=True)
class Call(Statement):
    """EXEC: a procedure, and its arguments by position and by folded name."""

    procedure: str
    positional: tuple[ParsedQuery, ...] = ()
    named: Mapping[str, ParsedQuery] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Use(Statement):
    """USE: another context for what follows."""

    context: str


@dataclass(frozen=True, slots=True)
class Go(Statement):
    """GO: the variables before it are forgotten."""


@dataclass(frozen=True, slots=True)
class Counting(Statement):
    """SET NOCOUNT: whether changes say how many rows they touched."""

    counts: bool
