"""Rules that need no names: balance long chains, spell T-SQL's and PostgreSQL's own forms as one."""

from collections.abc import Callable, Mapping

from sqlglot import exp

from awe.core.sql._place import Text
from awe.core.sql._walk import nodes

__all__ = ["SCHEMA", "balance", "canonical"]

SCHEMA = "schema"
"""Where a call says whose function is meant."""


def balance(tree: exp.Expr) -> exp.Expr:
    """Make chains of AND, and of OR, as shallow as can be: ``id = 1 OR id = 2 OR ...`` has no limit."""
    for top in [n for n in nodes(tree) if type(n) in _CHAINED and type(n.parent) is not type(n)]:
        kind = type(top)
        parts = _parts(top, kind)
        if len(parts) > 2:
            for part in parts:
                part.pop()
            halves = _joined(parts, kind)
            top.set("this", halves.this)
            top.set("expression", halves.expression)
    return tree


_CHAINED = frozenset({exp.And, exp.Or})


def _parts(top: exp.Expr, kind: type[exp.Expr]) -> list[exp.Expr]:
    parts: list[exp.Expr] = []
    todo = [top]
    while todo:
        node = todo.pop()
        if type(node) is kind:
            todo += [node.expression, node.this]
        else:
            parts.append(node)
    return parts


def _joined(parts: list[exp.Expr], kind: type[exp.Expr]) -> exp.Expr:
    if len(parts) == 1:
        return parts[0]
    half = len(parts) // 2
    return kind(this=_joined(parts[:half], kind), expression=_joined(parts[half:], kind))


def canonical(tree: exp.Expr, text: Text) -> exp.Expr:
    """Replace forms that only one dialect has: CONVERT, hex numbers, ``^``, APPLY, ``dbo.f(x)``."""
    for node in list(nodes(tree)):
        change = _CHANGES.get(type(node))
        if change is not None:
            new = change(node, text)
            if new is not node:
                new.meta.update({k: v for k, v in node.meta.items() if k not in new.meta})
                if node is tree:
                    tree = new
                else:
                    node.replace(new)
    return tree


def _hex(node: exp.Expr, text: Text) -> exp.Expr:
    try:
        return exp.Literal.number(int(node.name, 16))
    except ValueError:
        raise text.syntax(node, f"0x{node.name} is not a number") from None


def _convert(node: exp.Expr, text: Text) -> exp.Expr:
    if not isinstance(node.this, exp.DataType):
        raise text.syntax(node, "CONVERT takes a type and a value", "CONVERT(float, x)")
    return exp.Cast(this=node.expression, to=node.this)


def _power(node: exp.Expr, _text: Text) -> exp.Expr:
    return exp.Anonymous(this="POWER", expressions=[node.this, node.expression])


def _method(node: exp.Expr, text: Text) -> exp.Expr:
    """``dbo.f(x)`` is ``f(x)``; ``sdss.f(x)`` and ``sdss.dbo.f(x)`` are the function that sdss describes."""
    if isinstance(node.parent, exp.Dot):  # the names before a call, which go with it
        return node
    call, path = node.expression, _path(node.this)
    schemas = [name for name in path or () if name.casefold() != "dbo"]
    if not isinstance(call, exp.Anonymous) or path is None or len(schemas) > 1:
        raise text.refused(node, f"{node.sql()} cannot be called", "schema.function(...)")
    if schemas and isinstance(node.parent, exp.Lateral):
        return exp.Dot(this=exp.to_identifier(schemas[0]), expression=call)
    if schemas:
        call.meta[SCHEMA] = schemas[0]
    return call


def _path(node: exp.Expr) -> list[str] | None:
    """Return the names before a call, or None if they are something else."""
    if isinstance(node, exp.Identifier):
        return [node.name]
    if isinstance(node, exp.Dot) and isinstance(node.expression, exp.Identifier):
        before = _path(node.this)
        return None if before is None else [*before, node.expression.name]
    return None


def _not(node: exp.Expr, _text: Text) -> exp.Expr:
    if not node.args.pop("negate", None):
        return node
    return exp.Not(this=type(node)(this=node.this, expression=node.expression))


_CHANGES: Mapping[type[exp.Expr], Callable[[exp.Expr, Text], exp.Expr]] = {
    exp.HexString: _hex,
    exp.Convert: _convert,
    exp.Pow: _power,
    exp.Dot: _method,
    exp.Like: _not,
    exp.ILike: _not,
    exp.Is: _not,
}
