"""Every call becomes one of the closed table, by its canonical name, or is refused."""

from collections.abc import Mapping, Sequence

from sqlglot import exp

from awe.core.sql._walk import nodes
from awe.core.sql.functions import AGGREGATE, WINDOW, Function, names_of, spelled
from awe.core.sql.rules._state import DESCRIBED, Compilation
from awe.core.sql.rules.shape import SCHEMA
from awe.core.suggestions import did_you_mean

__all__ = ["calls"]

_TYPED: Mapping[type[exp.Expr], str] = {
    exp.Count: "COUNT", exp.Sum: "SUM", exp.Avg: "AVG", exp.Min: "MIN", exp.Max: "MAX",
    exp.Coalesce: "COALESCE", exp.Lower: "LOWER", exp.Upper: "UPPER",
}  # fmt: skip


def calls(tree: exp.Expr, run: Compilation) -> exp.Expr:
    """Give each call outside FROM its canonical name, or say which described function it is of.

    Raises
    ------
    UnknownNameError, QuerySyntaxError
        For an unknown function, a wrong number of arguments, or one that stands where it cannot.
    """
    for node in list(nodes(tree)):
        if type(node) in _TYPED:
            parts = [node.this, *node.expressions]
            call = exp.Anonymous(this=_TYPED[type(node)], expressions=[p for p in parts if p is not None])
            call.meta.update(node.meta)
            node.replace(call)
            _check(call, run)
        elif isinstance(node, exp.Anonymous) and not _is_source(node):
            _check(node, run)
    return tree


def _is_source(node: exp.Expr) -> bool:
    parent = node.parent.parent if isinstance(node.parent, exp.Dot) else node.parent
    return isinstance(parent, (exp.Table, exp.Lateral))


def _check(call: exp.Anonymous, run: Compilation) -> None:
    name, count, text = call.name, len(call.expressions), run.text
    schema = call.meta.get(SCHEMA)
    rows = () if schema else spelled(text.dialect, name)
    described = None if rows else run.names.scalar_function(str(schema) if schema else None, name)
    if described is not None:
        call.meta[DESCRIBED], call.meta["spelled"] = described, name
        return
    if not rows:
        hint = did_you_mean(name, (*names_of(text.dialect), *run.names.spellings()))
        full = f"{schema}.{name}" if schema else name
        raise text.unknown(call, f"there is no function {full}", hint)
    found = next((row for row in rows if row.accepts(count)), None)
    if found is None:
        raise text.syntax(call, f"{name} takes {_counts(rows)}, not {count}", rows[0].doc)
    for argument in call.expressions:
        _check_argument(argument, found, call, run)
    if found.kind == WINDOW and not (isinstance(call.parent, exp.Window) and call.parent.this is call):
        raise text.syntax(call, f"{name} needs OVER (...)")
    call.set("this", found.name)
    call.meta["spelled"] = name


def _check_argument(argument: exp.Expr, found: Function, call: exp.Anonymous, run: Compilation) -> None:
    star, distinct = isinstance(argument, exp.Star), isinstance(argument, exp.Distinct)
    if (star and found.name != "COUNT") or (distinct and found.kind != AGGREGATE):
        raise run.text.syntax(call, f"{call.name} does not take {'*' if star else 'DISTINCT'}")
    if distinct and len(argument.expressions) != 1:
        raise run.text.refused(call, "DISTINCT takes one expression here")


def _counts(rows: Sequence[Function]) -> str:
    row = rows[0]
    most = len(row.parameters)
    if row.variadic:
        return f"at least {row.required} arguments"
    if most == row.required:
        return f"{most} argument{'' if most == 1 else 's'}"
    return f"{row.required} to {most} arguments"
