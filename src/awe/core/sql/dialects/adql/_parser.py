"""The door of the package."""

from collections.abc import Collection

from sqlglot import exp

from awe.core.sql.dialects.adql._height import check_height
from awe.core.sql.dialects.adql._queries import QueryParser

__all__ = ["parse_adql", "parse_value"]


def parse_adql(text: str, *, parameters: Collection[str] = ()) -> exp.Query:
    """Parse one ADQL 2.1 query.

    Parameters
    ----------
    text
        The query.
    parameters
        Names that may stand as ``:name`` where a value goes, for the SQL of table functions. None
        without: ADQL has no parameters.

    Returns
    -------
    An ``exp.Select``, ``exp.Union``, ``exp.Except`` or ``exp.Intersect``; the package's docstring
    describes the tree.

    Raises
    ------
    QuerySyntaxError
        The text is not ADQL: line, column, what was found and what could stand there.
    NotOfferedError
        A geometry names a coordinate system other than ICRS.
    """
    tree = QueryParser(text, frozenset(parameters)).statement()
    check_height(tree)
    return tree


def parse_value(text: str, *, parameters: Collection[str] = ()) -> exp.Expr:
    """Parse what a described function stands for: one value, or a query (an ``exp.Query``) that gives it.

    Raises
    ------
    QuerySyntaxError, NotOfferedError
        As `parse_adql`.
    """
    parser = QueryParser(text, frozenset(parameters))
    tree: exp.Expr = parser.statement() if parser.token.key in {"SELECT", "WITH"} else parser.lone_value()
    check_height(tree)
    return tree
