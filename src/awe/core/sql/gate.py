"""The gate: only the parts of SQL named here go any further.

A table of node classes and, for each, the arguments that may be filled in. Whatever is not in it is
refused by name and place, so nothing that a parser learns tomorrow reaches an engine unnoticed.
"""

from collections.abc import Mapping

from sqlglot import exp

from awe.core.sql._place import Text
from awe.core.sql._walk import nodes
from awe.errors import QueryError

__all__ = ["MAX_DEPTH", "check"]

MAX_DEPTH = 150
"""How deep expressions may nest once chains of AND and OR are balanced."""

_BINARY = frozenset({"this", "expression"})
_UNARY = frozenset({"this"})
_MANY = frozenset({"expressions"})
_CALL = frozenset({"this", "expressions", "big_int", "is_null", "is_numeric", "is_left"})
_SET = frozenset({"this", "expression", "distinct", "with_", "order", "limit", "offset"})

ALLOWED: Mapping[type[exp.Expr], frozenset[str]] = {
    # queries
    exp.Select: frozenset(
        {"expressions", "from_", "joins", "where", "group", "having", "order", "limit", "offset", "distinct",
         "with_"}
    ),
    exp.Union: _SET, exp.Except: _SET, exp.Intersect: _SET,
    exp.Subquery: frozenset({"this", "alias", "order", "limit", "offset", "joins"}),
    exp.With: _MANY, exp.CTE: frozenset({"this", "alias"}),
    exp.From: _UNARY, exp.Where: _UNARY, exp.Having: _UNARY, exp.Group: _MANY, exp.Order: _MANY,
    exp.Ordered: frozenset({"this", "desc", "nulls_first"}),
    exp.Limit: frozenset({"expression"}), exp.Offset: frozenset({"expression"}), exp.Distinct: _MANY,
    # sources
    exp.Table: frozenset({"this", "db", "catalog", "alias", "joins"}),
    exp.TableAlias: frozenset({"this", "columns"}),
    exp.Join: frozenset({"this", "on", "using", "side", "kind", "method"}),
    exp.Lateral: frozenset({"this", "alias", "cross_apply"}),
    # names and constants
    exp.Alias: frozenset({"this", "alias"}),
    exp.Column: frozenset({"this", "table", "db", "catalog"}),
    exp.Identifier: frozenset({"this", "quoted"}), exp.Star: frozenset(),
    exp.Literal: frozenset({"this", "is_string"}), exp.HexString: _UNARY,
    exp.Boolean: _UNARY, exp.Null: frozenset(), exp.Array: _MANY | {"bracket_notation"},
    # expressions
    exp.Anonymous: _CALL, exp.Dot: _BINARY, exp.Paren: _UNARY,
    exp.Add: _BINARY, exp.Sub: _BINARY, exp.Mul: _BINARY, exp.Mod: _BINARY, exp.Pow: _BINARY,
    exp.Div: _BINARY | {"typed", "safe"}, exp.Neg: _UNARY, exp.DPipe: _BINARY | {"safe"},
    exp.BitwiseAnd: _BINARY, exp.BitwiseOr: _BINARY, exp.BitwiseXor: _BINARY, exp.BitwiseNot: _UNARY,
    exp.EQ: _BINARY, exp.NEQ: _BINARY, exp.LT: _BINARY, exp.LTE: _BINARY, exp.GT: _BINARY, exp.GTE: _BINARY,
    exp.And: _BINARY, exp.Or: _BINARY, exp.Not: _UNARY, exp.Is: _BINARY | {"negate"},
    exp.In: frozenset({"this", "expressions", "query"}),
    exp.Between: frozenset({"this", "low", "high"}), exp.Exists: _UNARY,
    exp.Like: _BINARY | {"negate"}, exp.ILike: _BINARY | {"negate"}, exp.Escape: _BINARY,
    exp.Case: frozenset({"this", "ifs", "default"}), exp.If: frozenset({"this", "true"}),
    exp.Cast: frozenset({"this", "to"}), exp.Convert: frozenset({"this", "expression"}),
    exp.DataType: frozenset({"this", "expressions", "nested", "kind"}), exp.DataTypeParam: _UNARY,
    exp.Window: frozenset({"this", "partition_by", "order", "over"}),
    # what the ADQL parser names by class
    exp.Count: _CALL, exp.Sum: _CALL, exp.Avg: _CALL, exp.Min: _CALL, exp.Max: _CALL,
    exp.Coalesce: _CALL, exp.Lower: _CALL, exp.Upper: _CALL,
}  # fmt: skip

_DROPPED: Mapping[type[exp.Expr], frozenset[str]] = {
    # Locking hints say how to read, not what; published tables are immutable.
    exp.Table: frozenset({"hints"}),
    exp.Lateral: frozenset({"view", "outer", "ordinality"}),
}

_MAY_BE_EMPTY = (exp.Case, exp.TableAlias)

_ADVICE: Mapping[str, tuple[str, str | None]] = {
    "into": ("INTO is not offered: a query cannot make a table", "leave INTO out and save the result"),
    "distinct on": ("DISTINCT ON is not offered", "use ROW_NUMBER() OVER (PARTITION BY ... ORDER BY ...)"),
    "recursive": ("WITH RECURSIVE is not offered", None),
    "limit_options": ("TOP ... PERCENT and WITH TIES are not offered", "use TOP n"),
    "sample": ("TABLESAMPLE is not offered", "use ORDER BY RANDOM() LIMIT n"),
    "locks": ("FOR UPDATE is not offered", None),
    "options": ("OPTION hints are not offered", "leave them out"),
    "pivots": ("PIVOT is not offered", "use SUM(CASE WHEN ... THEN ... END)"),
    "windows": ("WINDOW clauses are not offered", "write OVER (...) at each function"),
    "spec": ("window frames (ROWS, RANGE) are not offered", None),
    "unnest": ("UNNEST is not offered", None),
    "parameter": ("variables are not offered", "write the value"),
    "fetch": ("FETCH is not offered", "use TOP n or LIMIT n"),
    "placeholder": ("placeholders are not offered", "write the value"),
    "trycast": ("TRY_CAST and TRY_CONVERT are not offered: they hide errors", "use CAST"),
    "tryconvert": ("TRY_CONVERT is not offered: it hides errors", "use CAST"),
    "style": ("CONVERT with a style is not offered", "use CONVERT(type, value)"),
    "interval": ("INTERVAL is not offered", None),
}


def check(tree: exp.Expr, text: Text, *, parameters: bool = False) -> exp.Expr:
    """Return the tree unchanged but for dropped hints; `parameters`: whether ``:name`` may stand in it.

    Raises
    ------
    NotOfferedError, QuerySyntaxError
        At the first part that is not allowed.
    """
    for node in nodes(tree):
        if parameters and isinstance(node, exp.Placeholder):
            continue
        allowed = ALLOWED.get(type(node))
        if allowed is None:
            raise _refused(node, text)
        _check_complete(node, allowed, text)
        dropped = _DROPPED.get(type(node), frozenset())
        for key, value in list(node.args.items()):
            if key in dropped and key in node.args:
                node.set(key, None)
            elif value not in (None, False, [], "") and key not in allowed:
                raise _refused_part(node, key, text)
    _check_depth(tree, text)
    return tree


def _check_complete(node: exp.Expr, allowed: frozenset[str], text: Text) -> None:
    """Refuse what sqlglot's parser leaves half filled."""
    if isinstance(node, exp.Select) and not node.expressions:
        raise text.syntax(node, "nothing is selected", "SELECT columns FROM table")
    if isinstance(node, _MAY_BE_EMPTY):
        return
    for key in ("this", "expression"):
        if key in allowed and node.args.get(key) is None:
            raise text.syntax(node, f"{node.key.upper()} is incomplete")


def _refused(node: exp.Expr, text: Text) -> QueryError:
    name = node.key
    if name in _ADVICE:
        message, hint = _ADVICE[name]
        return text.refused(node, message, hint)
    if isinstance(node, exp.Func):
        return text.refused(node, f"the function {node.sql_name()} is not offered")
    return text.refused(node, f"{name.upper()} is not offered")


def _refused_part(node: exp.Expr, key: str, text: Text) -> QueryError:
    part = "distinct on" if isinstance(node, exp.Distinct) and key == "on" else key
    message, hint = _ADVICE.get(
        part, (f"{key.upper().strip('_')} is not offered in {node.key.upper()}", None)
    )
    value = node.args[key]
    at = value if isinstance(value, exp.Expr) else node
    return text.refused(at, message, hint)


def _check_depth(tree: exp.Expr, text: Text) -> None:
    level = [tree]
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in node.iter_expressions()]
        if not level:
            return
    raise text.refused(level[0], f"nested more than {MAX_DEPTH} deep", "use IN (...) for long lists")
