"""Refuse what would compare each row of a large table with each row of another, which no engine ends in a day."""

import math
from itertools import combinations

from sqlglot import exp

from awe.core.sql.rules._matches import conjuncts, from_items, sources_of
from awe.core.sql.rules._sides import rows_of
from awe.core.sql.rules._state import Compilation
from awe.errors import QueryError

__all__ = ["refuse_endless"]

_MOST_PAIRS = 1e13
"""A processor compares a few hundred million pairs of positions a second."""


def refuse_endless(condition: exp.Expr, select: exp.Select, run: Compilation) -> None:
    """Raise where a condition on the distance of two sources' rows has no bound that an index could use.

    Raises
    ------
    QueryError
        If there are too many pairs of rows, and no equality joins the two.
    """
    items = from_items(select)
    where = select.args.get("where")
    asked = conjuncts(where and where.this)
    for join in select.args.get("joins") or []:
        asked += conjuncts(join.args.get("on"))
    equal = [sources_of(part) for part in asked if isinstance(part, exp.EQ)]
    for pair in combinations(sorted(sources_of(condition) & set(items)), 2):
        rows = [rows_of(items[key][0], run) for key in pair]
        if any(keys >= set(pair) for keys in equal) or not _MOST_PAIRS < math.prod(rows) < math.inf:
            continue
        raise run.text.error(
            QueryError,
            condition,
            f"this would compare each of {rows[0]:,.0f} rows with each of {rows[1]:,.0f}: it does not say how far"
            " apart they are at the most",
            "add a largest distance, AND DISTANCE(...) < 0.1, or ask for each alternative with UNION between them",
        )
