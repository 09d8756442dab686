"""What the rules know while one query is compiled: sources, scopes, what a node's value is.

A node that is bound carries ``meta["value"]``, a `Column` that says its type, unit and UCD. A bound
column's qualifier is its source's key (``t1``), never the caller's alias, so nothing shadows anything.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlglot import exp

from awe.core.sky import Region
from awe.core.sql._model import Names, ScalarFunction, TableDef, TableFunction, Variable
from awe.core.sql._place import Text
from awe.core.sql._size import MAX_COLUMNS, MAX_GROWN, too_large
from awe.core.tables import Column

__all__ = [
    "CELL",
    "DEC",
    "DESCRIBED",
    "INDEX",
    "RA",
    "RADIUS",
    "ROW",
    "SEPARATION",
    "TESTED",
    "Compilation",
    "Described",
    "Output",
    "Resolve",
    "Scope",
    "Side",
    "SkyMatch",
    "Source",
    "TableUse",
    "Tested",
    "computed",
    "has_value",
    "set_value",
    "value",
    "view_name",
]


Resolve = Callable[[str], tuple[float, float] | None]
"""From the name of an object to its position (ICRS, degrees), or None; it may raise NotFoundError, with a hint."""

CELL = "_cell"
"""The column that a source of a sky join gets, one row for each cell within reach."""


TESTED = "tested"
"""Where the exact condition of a spatial test says which region it tests the table's own position for."""

RA, DEC, INDEX, RADIUS, SEPARATION, ROW = "ra", "dec", "index", "radius", "separation", "row"
"""The columns of the sides of a sky join, and of its pairs, that are nobody's own: those have a dot in their names."""

DESCRIBED = "described"
"""Where a call of a described function says which one."""


@dataclass(frozen=True, slots=True)
class TableUse:
    """One place where a query reads a table.

    Attributes
    ----------
    key
        The name of this use; `Query.lower` is given a relation for each.
    table
        The table read.
    region
        Where every row of this use that matters must lie, or None: the whole sky. Engines open only
        what touches it; the query itself tests the rows exactly.
    """

    key: str
    table: TableDef
    region: Region | None = None


@dataclass(frozen=True, slots=True)
class Tested:
    """The region that a condition tests a table's own position for; `strict`: of a circle, not its edge."""

    region: Region
    strict: bool = False

    def __deepcopy__(self, memo: object) -> "Tested":
        return self


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two lists of rows that a sky join matches; `Query.lower` gives its SQL.

    Its columns are those that the pairs have, and where the rows are: `RA` and `DEC` (ICRS, degrees). Where each row has
    a radius of its own, one of the two sides has it, as `RADIUS` (degrees; NULL and what is negative reaches nothing).

    Attributes
    ----------
    rows
        How many there are at the most; infinitely many where nobody says.
    indexed
        The key of the table use whose HEALPix index the column `INDEX` is. It may be read file by file.
    plain
        Which columns of that table the side's are, in order, where it is nothing else than columns of all its rows.
    """

    tree: exp.Expr = field(repr=False, compare=False)
    rows: float = math.inf
    indexed: str | None = None
    plain: tuple[tuple[str, str], ...] | None = None


@dataclass(frozen=True, slots=True)
class SkyMatch:
    """A source of pairs of rows that are near each other, which an engine makes for a query.

    It has the columns of both sides but for those of their positions, and `SEPARATION`, in degrees; with `exists` those
    of `held` alone, and a `SEPARATION` that is NULL.

    Attributes
    ----------
    key
        What the query calls it: `Query.lower` is given a relation for it, as for each table use.
    held, other
        The sides; `held` is the one with fewer rows, where that is known and no matter.
    radius_deg
        How far apart the rows of a pair may be, up to 180; None where a side has it.
    strict
        Whether they must be nearer than that.
    outer
        Whether a row of `held` that nothing is near stands alone, with NULL for all else.
    full
        Whether a row of `other` that nothing is near does, too.
    nearest
        How many rows of `other` are wanted for each of `held`, the nearest ones; all when None.
    exists
        Whether the rows of `held` are wanted that something is near (True), or nothing (False); pairs when None.
    asked
        What else makes a pair, before any of the above: a query of pairs, called by the key, with their number, `ROW`;
        it gives the numbers of those that it lets through. None where nothing is asked.
    """

    key: str
    held: Side
    other: Side
    radius_deg: float | None
    strict: bool = False
    outer: bool = False
    full: bool = False
    nearest: int | None = None
    exists: bool | None = None
    asked: Side | None = None


@dataclass(frozen=True, slots=True)
class Output:
    """One column of a query or a source: what callers see, and its name in the generated SQL."""

    column: Column
    sql: str


@dataclass(slots=True)
class Source:
    """Something in FROM: the caller's name for it, our key, its columns.

    `hidden` are columns merged into another source's by USING or NATURAL JOIN.
    """

    name: str
    key: str
    columns: tuple[Output, ...]
    schema: str | None = None
    table: TableDef | None = None
    hidden: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Scope:
    """The sources that an expression can see, and the scope around it.

    `merged` are the columns of FULL JOIN ... USING, by folded name: from whichever side has a row.
    """

    parent: "Scope | None" = None
    ctes: dict[str, tuple[str, tuple[Output, ...]]] = field(default_factory=dict)
    sources: list[Source] = field(default_factory=list)
    aliases: Mapping[str, exp.Expr] = field(default_factory=dict)
    merged: dict[str, exp.Expr] = field(default_factory=dict)

    def around(self) -> Iterator["Scope"]:
        """Yield this scope and those around it, innermost first."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent

    def cte(self, name: str) -> tuple[str, tuple[Output, ...]] | None:
        """Return the common table expression of that name (ignoring case)."""
        folded = name.casefold()
        return next((s.ctes[folded] for s in self.around() if folded in s.ctes), None)


_SERVER_VIEWS: Mapping[str, tuple[str, str]] = {
    "columns": ("information_schema", "columns"),
    "sysobjects": ("sys", "objects"),
    "syscolumns": ("sys", "columns"),
}
"""What T-SQL calls by a name alone."""


@dataclass(slots=True)
class Compilation:
    """One run of the compiler: its input, and what the rules have found so far."""

    text: Text
    names: Names
    context: str | None
    resolve: Resolve | None = None
    variables: Mapping[str, Variable] = field(default_factory=dict)
    uses: dict[str, TableUse] = field(default_factory=dict)
    matches: list[SkyMatch] = field(default_factory=list)
    outputs: tuple[Output, ...] = ()
    views: tuple[str, ...] = ()
    shared: dict[str, tuple[exp.CTE, tuple[Output, ...]]] = field(default_factory=dict)
    counter: int = 0
    columns: int = 0
    grown: int = 0

    @property
    def dialect(self) -> str:
        """The dialect of the text at hand (a view's own is ADQL)."""
        return self.text.dialect

    def table(self, schema: str | None, name: str) -> TableDef | None:
        """Find a table: without a schema in the context first; T-SQL's own views have names of their own."""
        found = self.names.table(self.context, name) if schema is None and self.context else None
        meant = _SERVER_VIEWS.get(name.casefold()) if schema is None and self.dialect == "tsql" else None
        if found is None and meant is not None:
            found = self.names.table(*meant)
        return found or self.names.table(schema, name)

    def table_function(self, schema: str | None, name: str) -> TableFunction | None:
        """Find a table function: without a schema in the context first."""
        found = self.names.table_function(self.context, name) if schema is None and self.context else None
        return found or self.names.table_function(schema, name)

    @contextmanager
    def inside(self, view: "Described") -> Iterator[None]:
        """Compile the query that a view stands for: it is ADQL, its context is its own schema."""
        before = self.text, self.context, self.views
        self.text, self.context = Text(view.sql, "adql", placed=False), view.schema
        self.views = (*self.views, view_name(view))
        try:
            yield
        finally:
            self.text, self.context, self.views = before

    def check_columns(self, more: int) -> None:
        """Refuse select lists that are too long together.

        Raises
        ------
        LimitError
            If there are more than `MAX_COLUMNS` with `more` of them.
        """
        if self.columns + more > MAX_COLUMNS:
            raise too_large(f"its select lists may have {MAX_COLUMNS:,} columns together")

    def count_columns(self, more: int) -> None:
        """Take note of a finished select list; see `check_columns`."""
        self.check_columns(more)
        self.columns += more

    def grow(self, parts: int) -> None:
        """Take note of parts that described functions put in the place of their calls.

        Raises
        ------
        LimitError
            If there are more than `MAX_GROWN`.
        """
        self.grown += parts
        if self.grown > MAX_GROWN:
            raise too_large("calls of described functions nest too many others")

    def key(self, letter: str) -> str:
        """Return a new key: ``t1``, ``t2``, ``c3``."""
        self.counter += 1
        return f"{letter}{self.counter}"


def view_name(view: "Described") -> str:
    """Return what identifies a view."""
    return f"{view.schema}.{view.name}".casefold()


Described = TableFunction | ScalarFunction | TableDef
"""What stands for ADQL of its own."""


class _Fact:
    """A column that copies of a node share: deep copies of Arrow types are slow."""

    __slots__ = ("column",)

    def __init__(self, column: Column) -> None:
        self.column = column

    def __deepcopy__(self, memo: object) -> "_Fact":
        return self


def value(node: exp.Expr) -> Column:
    """Return what is known of a bound node's value."""
    fact = node.meta["value"]
    if not isinstance(fact, _Fact):
        raise TypeError("a bound node carries a fact")
    return fact.column


def has_value(node: exp.Expr) -> bool:
    """Say whether the node has been bound."""
    return "value" in node.meta


def set_value(node: exp.Expr, column: Column) -> exp.Expr:
    """Attach what is known of the node's value, and return the node."""
    node.meta["value"] = _Fact(column)
    return node


def computed(tree: exp.Expr) -> Iterator[exp.Expr]:
    """Yield the nodes of a bound tree but for names: wide tables are mostly plain columns."""
    todo = [tree]
    while todo:
        node = todo.pop()
        yield node
        for part in node.args.values():
            for child in part if isinstance(part, list) else (part,):
                plain = type(child) is exp.Alias and type(child.this) is exp.Column
                if isinstance(child, exp.Expr) and not plain and type(child) not in _NAMES:
                    todo.append(child)


_NAMES = frozenset({exp.Column, exp.Identifier, exp.TableAlias})
