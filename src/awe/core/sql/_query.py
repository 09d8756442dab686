"""A query, understood: what it reads, what it gives, and how an engine is to be asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from awe.core.sql._model import Names
from awe.core.sql._own_names import plain_names
from awe.core.sql._place import Text
from awe.core.sql._size import check_text
from awe.core.sql.dialects import DIALECTS, PARSERS
from awe.core.sql.lower import TARGETS
from awe.core.sql.rules import RULES
from awe.core.sql.rules._state import Compilation, Resolve, TableUse
from awe.core.suggestions import did_you_mean
from awe.core.tables import Schema
from awe.errors import ParameterError

__all__ = ["Query", "compile_query"]


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
    max_rows
        The outermost TOP or LIMIT, or None.
    """

    text: str
    dialect: str
    columns: Schema
    uses: tuple[TableUse, ...]
    max_rows: int | None
    _tree: exp.Expr = field(repr=False, compare=False)

    def lower(self, target: str, relations: Mapping[str, str]) -> str:
        """Return the query in an engine's own SQL.

        The columns come in the order and with the types of `columns`; their names are made unique
        where those repeat, so read them by place.

        Parameters
        ----------
        target
            The engine's dialect: ``duckdb``.
        relations
            For the key of each of `uses`, the SQL of what to read, e.g. ``read_parquet([...])``.

        Raises
        ------
        ParameterError
            For an unknown target.
        """
        if target not in TARGETS:
            raise ParameterError("target", target, f"one of {', '.join(TARGETS)}")
        return TARGETS[target](self._tree, relations)


def compile_query(
    text: str,
    names: Names,
    *,
    dialect: str = "adql",
    context: str | None = None,
    resolve: Resolve | None = None,
) -> Query:
    """Understand a query.

    Parameters
    ----------
    text
        One query.
    names
        What the caller may read.
    dialect
        ``adql`` (2.1), ``tsql`` (CasJobs) or ``postgres`` (Data Lab).
    context
        The schema in which unqualified names are looked up first.
    resolve
        From the name of an object to its position (ICRS, degrees), for ``ivo_simbadpoint``; it may raise
        `NotFoundError` with near names as its hint.

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
    check_text(text)
    tree = PARSERS[dialect](plain_names(text))
    run = Compilation(Text(text, dialect), names, context, resolve)
    for rule in RULES:
        tree = rule(tree, run)
    limit = tree.args.get("limit")
    return Query(
        text=text,
        dialect=dialect,
        columns=Schema(tuple(output.column for output in run.outputs)),
        uses=tuple(run.uses.values()),
        max_rows=None if limit is None else int(limit.expression.name),
        _tree=tree,
    )
