"""A query, understood: what it reads, what it gives, and how an engine is to be asked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from sqlglot import exp

from awe.core.sky import Region
from awe.core.sql._counts import Count, counted
from awe.core.sql._look_up import Around, Inside, LookUp, enough, look_up, only_source, reads
from awe.core.sql._model import Names, TableDef, Variable
from awe.core.sql._own_names import plain_names
from awe.core.sql._place import Text
from awe.core.sql._size import check_text
from awe.core.sql.dialects import DIALECTS, PARSERS
from awe.core.sql.lower import TARGETS
from awe.core.sql.rules import RULES
from awe.core.sql.rules._state import Compilation, Resolve, Side, SkyMatch, TableUse
from awe.core.suggestions import did_you_mean
from awe.core.tables import Column, Schema
from awe.errors import NotOfferedError, ParameterError

_NO_VARIABLES: Mapping[str, Variable] = MappingProxyType({})

__all__ = ["ParsedQuery", "Query", "compile_query", "look_up_query", "look_ups_query"]


@dataclass(frozen=True, slots=True)
class ParsedQuery:
    """A query that is read and not yet understood: part of a batch, whose text its errors point into.

    Attributes
    ----------
    text
        The text that it was read from.
    dialect
        Of the text.
    """

    text: str
    dialect: str
    _tree: exp.Expr = field(repr=False, compare=False)

    def tree(self) -> exp.Expr:
        """Return a tree of its own for whoever changes it."""
        return self._tree.copy()


@dataclass(frozen=True, slots=True)
class Query:
    """A compiled query: immutable, bound to the tables that its caller may read.

    Attributes
    ----------
    text, dialect
        As they came.
    columns
        What the query gives, in order: names as the caller spells them (they may repeat), types, units.
    uses
        Each place where it reads a table.
    matches
        Its sky joins, a join before those that read it.
    max_rows
        The outermost TOP or LIMIT, or None.
    look_up
        What it looks up by its place, where it does nothing else.
    """

    text: str
    dialect: str
    columns: Schema
    uses: tuple[TableUse, ...]
    max_rows: int | None
    _tree: Callable[[], exp.Expr] = field(repr=False, compare=False)
    matches: tuple[SkyMatch, ...] = ()
    look_up: LookUp | None = None

    @property
    def reads(self) -> Mapping[str, frozenset[str]]:
        """The stored columns that it reads of each of `uses`, by their keys."""
        sides = [side.tree for match in self.matches for side in (match.held, match.other)]
        found = [reads(tree) for tree in (self._tree(), *sides)]
        return {
            use.key: frozenset().union(*(part.get(use.key, frozenset()) for part in found))
            for use in self.uses
        }

    @property
    def enough(self) -> int | None:
        """How many rows of its only table it takes as they come; None where it may need them all."""
        return enough(self._tree())

    def counted(self, sources: Mapping[str, Count]) -> Count:
        """Return how many rows it gives, told of how many its `uses` and `matches` have, by their keys."""
        return counted(self._tree(), sources)

    @property
    def only_source(self) -> str | None:
        """The key of the one among `uses` and `matches` that it reads, where it joins it with nothing; None elsewhere."""
        return only_source(self._tree())

    @property
    def ordered(self) -> bool:
        """Whether its rows come in an order that it says."""
        return self._tree().args.get("order") is not None

    def lower(self, target: str, relations: Mapping[str, str], side: Side | None = None) -> str:
        """Return the query, or one side of one of its sky joins, in an engine's own SQL.

        The columns come in the order and with the types of `columns`; their names are made unique
        where those repeat, so read them by place.

        Parameters
        ----------
        target
            The engine's dialect: ``duckdb`` or ``spark``.
        relations
            For the key of each of `uses` and `matches`, the SQL of what to read, e.g. ``read_parquet([...])``.

        Raises
        ------
        ParameterError
            For an unknown target.
        """
        if target not in TARGETS:
            raise ParameterError("target", target, f"one of {', '.join(TARGETS)}")
        return TARGETS[target](self._tree() if side is None else side.tree, relations)


def compile_query(
    text: str | ParsedQuery,
    names: Names,
    *,
    dialect: str = "adql",
    context: str | None = None,
    resolve: Resolve | None = None,
    variables: Mapping[str, Variable] = _NO_VARIABLES,
) -> Query:
    """Understand a query.

    Parameters
    ----------
    text
        One query, or one that is read already.
    names
        What the caller may read.
    dialect
        ``adql`` (2.1), ``tsql`` (CasJobs) or ``postgres`` (Data Lab); of a text.
    context
        The schema in which unqualified names are looked up first.
    resolve
        From the name of an object to its position (ICRS, degrees), for ``ivo_simbadpoint``; it may raise
        `NotFoundError` with near names as its hint.
    variables
        What ``@x`` stands for, by folded name.

    Raises
    ------
    QuerySyntaxError, UnknownNameError, NotOfferedError
        With line, column, and what was perhaps meant.
    LimitError
        If the query is too large to be understood in bounded time.
    ParameterError
        For an unknown dialect.
    """
    if dialect not in PARSERS:
        raise ParameterError(
            "dialect", dialect, f"one of {', '.join(DIALECTS)}", hint=did_you_mean(dialect, DIALECTS)
        )
    if isinstance(text, ParsedQuery):
        tree, said = text.tree(), Text(text.text, text.dialect)
    else:
        check_text(text)
        tree, said = PARSERS[dialect](plain_names(text)), Text(text, dialect)
    run = Compilation(said, names, context, resolve, variables)
    for rule in RULES:
        tree = rule(tree, run)
    limit = tree.args.get("limit")
    columns = Schema(tuple(output.column for output in run.outputs))
    return Query(
        text=said.text,
        dialect=said.dialect,
        columns=columns.distinct() if dialect == "adql" else columns,
        uses=tuple(run.uses.values()),
        matches=tuple(run.matches),
        max_rows=None if limit is None else int(limit.expression.name),
        _tree=lambda: tree,
        look_up=look_up(tree, run.uses),
    )


def look_up_query(text: str, names: Names, table: TableDef, columns: Schema, region: Region) -> Query:
    """Return a query that looks rows of a table up, without compiling it before an engine wants its tree.

    Parameters
    ----------
    text
        The same in ADQL.
    names
        What the text reads, at least the table.
    columns
        Of the table.
    """

    def tree() -> exp.Expr:
        return compile_query(text, names)._tree()  # noqa: SLF001  a query of the same class

    return Query(
        text=text,
        dialect="adql",
        columns=columns,
        uses=(TableUse(_ONLY, table, region),),
        max_rows=None,
        _tree=tree,
        look_up=LookUp(columns.names, (Inside(region),)),
    )


def look_ups_query(table: TableDef, columns: Schema, number: Column, around: Around) -> Query:
    """Return a query that looks up the rows of a table around many positions.

    An engine that keeps no rows by their position raises `NotOfferedError` when it is asked.

    Parameters
    ----------
    columns
        Of the table.
    number
        The column, of 32-bit integers, that says which position a row belongs to.
    """

    def tree() -> exp.Expr:
        raise NotOfferedError("rows around many positions are not looked up here")

    return Query(
        text="",
        dialect="adql",
        columns=columns.with_columns((number, *columns.columns)),
        uses=(TableUse(_ONLY, table, None),),
        max_rows=None,
        _tree=tree,
        look_up=LookUp(columns.names, (), around=around),
    )


_ONLY = "t1"
"""The key of the only table of a query."""
