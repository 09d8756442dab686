"""The tree as ADQL again: `parse_adql` of what comes out gives the same tree.

Reads the conventions that the package's docstring lists and nothing else; ADQL has one spelling for each
node. Negated predicates are written as people write them (``x NOT IN ...``).
"""

from collections.abc import Callable, Mapping

from sqlglot import exp

__all__ = ["to_adql"]

_OPERATORS: Mapping[type[exp.Expr], str] = {
    exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.DPipe: "||",
    exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">=",
    exp.Like: "LIKE", exp.ILike: "ILIKE",
}  # fmt: skip
_CONNECTORS: Mapping[type[exp.Expr], str] = {exp.And: " AND ", exp.Or: " OR "}
_SETS: Mapping[type[exp.Expr], str] = {
    exp.Union: "UNION", exp.Except: "EXCEPT", exp.Intersect: "INTERSECT",
}  # fmt: skip
_TYPES: Mapping[exp.DType, str] = {
    exp.DType.INT: "INTEGER", exp.DType.FLOAT: "REAL", exp.DType.DOUBLE: "DOUBLE PRECISION",
}  # fmt: skip


def to_adql(tree: exp.Expr) -> str:
    """Return a query, a condition or a value of `parse_adql` as ADQL.

    Raises
    ------
    TypeError
        If a node is none that `parse_adql` makes.
    """
    if isinstance(tree, (exp.Select, exp.SetOperation)):
        return _query(tree)
    return _value(tree)


def _query(node: exp.Expr) -> str:
    body = _set_operation(node) if isinstance(node, exp.SetOperation) else _select(node)
    with_ = node.args.get("with_")
    if with_ is not None:
        named = (f"{_name(cte.args['alias'].this)} AS ({_query(cte.this)})" for cte in with_.expressions)
        body = f"WITH {', '.join(named)} {body}"
    order, offset = node.args.get("order"), node.args.get("offset")
    if order is not None:
        body += " ORDER BY " + ", ".join(
            _value(term.this) + (" DESC" if term.args.get("desc") else "") for term in order.expressions
        )
    return body if offset is None else f"{body} OFFSET {offset.expression.this}"


def _set_operation(node: exp.Expr) -> str:
    parts: list[str] = []
    while isinstance(node, exp.SetOperation):  # left-deep, and there may be many
        every = "" if node.args.get("distinct") else " ALL"
        parts += [_operand(node.expression), _SETS[type(node)] + every]
        node = node.this
    return " ".join(reversed([*parts, _operand(node)]))


def _operand(node: exp.Expr) -> str:
    return f"({_query(node.this)})" if isinstance(node, exp.Subquery) else _query(node)


def _select(node: exp.Expr) -> str:
    text = "SELECT "
    if node.args.get("distinct") is not None:
        text += "DISTINCT "
    if node.args.get("limit") is not None:
        text += f"TOP {node.args['limit'].expression.this} "
    text += ", ".join(map(_item, node.expressions))
    text += f" FROM {_table(node.args['from_'].this)}{_joins(node)}"
    for key, word in (("where", "WHERE"), ("group", "GROUP BY"), ("having", "HAVING")):
        clause = node.args.get(key)
        if clause is not None:
            text += f" {word} {', '.join(map(_value, clause.expressions or [clause.this]))}"
    return text


def _item(node: exp.Expr) -> str:
    if isinstance(node, exp.Alias):
        return f"{_value(node.this)} AS {_name(node.args['alias'])}"
    return _value(node)


def _table(node: exp.Expr) -> str:
    alias = node.args.get("alias")
    named = "" if alias is None else f" AS {_name(alias.this)}"
    if isinstance(node, exp.Table):
        parts = [node.args.get(key) for key in ("catalog", "db")]
        written = [_name(part) for part in parts if part is not None]
        own = _call(node.this) if isinstance(node.this, exp.Anonymous) else _name(node.this)
        return ".".join([*written, own]) + named
    inner = node.this
    if isinstance(inner, (exp.Table, exp.Subquery)):  # a join in parentheses
        return f"({_table(inner)}{_joins(inner)})"
    return f"({_query(inner)}){named}"


def _joins(node: exp.Expr) -> str:
    return "".join(map(_join, node.args.get("joins") or []))


def _join(node: exp.Expr) -> str:
    on, using = node.args.get("on"), node.args.get("using")
    words = [node.args[key] for key in ("method", "side", "kind") if node.args.get(key)]
    if on is None and not using and not words:
        return f", {_table(node.this)}"
    text = f" {' '.join([*words, 'JOIN'])} {_table(node.this)}"
    if on is not None:
        return f"{text} ON {_value(on)}"
    return f"{text} USING ({', '.join(map(_name, using))})" if using else text


def _name(node: exp.Expr) -> str:
    name = str(node.this)
    return '"' + name.replace('"', '""') + '"' if node.args.get("quoted") else name


def _value(node: exp.Expr) -> str:
    operator = _OPERATORS.get(type(node))
    if operator is not None:
        return f"{_value(node.this)} {operator} {_value(node.expression)}"
    write = _WRITERS.get(type(node))
    if write is None:
        raise TypeError(f"{node.key} is no node of ADQL")
    return write(node)


def _connected(node: exp.Expr) -> str:
    kind, parts = type(node), []
    while type(node) is kind:
        parts.append(_value(node.expression))
        node = node.this
    return _CONNECTORS[kind].join(reversed([*parts, _value(node)]))


def _not(node: exp.Expr) -> str:
    inner = node.this
    if isinstance(inner, exp.Is):
        return f"{_value(inner.this)} IS NOT NULL"
    if isinstance(inner, (exp.Between, exp.In, exp.Like, exp.ILike)):
        return f"{_value(inner.this)} NOT{_value(inner).removeprefix(_value(inner.this))}"
    return f"NOT {_value(inner)}"


def _column(node: exp.Expr) -> str:
    parts = [node.args.get(key) for key in ("catalog", "db", "table", "this")]
    return ".".join("*" if isinstance(p, exp.Star) else _name(p) for p in parts if p is not None)


def _literal(node: exp.Expr) -> str:
    text = str(node.this)
    return "'" + text.replace("'", "''") + "'" if node.args.get("is_string") else text


def _call(node: exp.Expr) -> str:
    name = node.this if isinstance(node, exp.Anonymous) else node.key.upper()
    parts = node.expressions if isinstance(node, exp.Anonymous) else [node.this, *node.expressions]
    return f"{name}({', '.join(map(_value, parts))})"


def _between(node: exp.Expr) -> str:
    return f"{_value(node.this)} BETWEEN {_value(node.args['low'])} AND {_value(node.args['high'])}"


def _in(node: exp.Expr) -> str:
    query = node.args.get("query")
    options = ", ".join(map(_value, node.expressions)) if query is None else _query(query.this)
    return f"{_value(node.this)} IN ({options})"


def _case(node: exp.Expr) -> str:
    text = "CASE" if node.this is None else f"CASE {_value(node.this)}"
    for branch in node.args["ifs"]:
        text += f" WHEN {_value(branch.this)} THEN {_value(branch.args['true'])}"
    default = node.args.get("default")
    return text + (" END" if default is None else f" ELSE {_value(default)} END")


def _cast(node: exp.Expr) -> str:
    target = node.args["to"]
    kind = target.args.get("kind") or _TYPES.get(target.this, target.this.value)
    length = f"({target.expressions[0].this.this})" if target.expressions else ""
    return f"CAST({_value(node.this)} AS {kind}{length})"


_WRITERS: Mapping[type[exp.Expr], Callable[[exp.Expr], str]] = {
    exp.And: _connected,
    exp.Or: _connected,
    exp.Not: _not,
    exp.Between: _between,
    exp.In: _in,
    exp.Is: lambda node: f"{_value(node.this)} IS NULL",
    exp.Exists: lambda node: f"EXISTS ({_query(node.this)})",
    exp.Column: _column,
    exp.Star: lambda _node: "*",
    exp.Literal: _literal,
    exp.Null: lambda _node: "NULL",
    exp.Neg: lambda node: f"-{_value(node.this)}",
    exp.Paren: lambda node: f"({_value(node.this)})",
    exp.Placeholder: lambda node: f":{node.this}",
    exp.Distinct: lambda node: f"DISTINCT {_value(node.expressions[0])}",
    exp.Anonymous: _call,
    **dict.fromkeys(
        (exp.Count, exp.Sum, exp.Avg, exp.Min, exp.Max, exp.Coalesce, exp.Lower, exp.Upper), _call
    ),
    exp.Case: _case,
    exp.Cast: _cast,
}
