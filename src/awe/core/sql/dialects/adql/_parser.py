"""The door of the package."""

from collections.abc import Collection

from sqlglot import exp

from awe.core.sql.dialects.adql._height import check_height
from awe.core.sql.dialects.adql._queries import QueryParser

__all__ = ["parse_adql"]


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
