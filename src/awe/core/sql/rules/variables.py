"""T-SQL's variables: ``@x`` becomes the value that it has where the query stands in its batch."""

import math
from datetime import date, datetime

import pyarrow as pa
from sqlglot import exp

from awe.core.sql._model import Variable
from awe.core.sql._walk import nodes
from awe.core.sql.rules._kinds import TYPE_NAMES, is_text
from awe.core.sql.rules._state import Compilation
from awe.core.suggestions import did_you_mean

__all__ = ["cast_of", "variables"]

_INT = 1 << 31


def variables(tree: exp.Expr, run: Compilation) -> exp.Expr:
    """Replace each variable by a constant of its type.

    Raises
    ------
    UnknownNameError
        For one that is not declared.
    """
    if run.dialect != "tsql":
        return tree
    for node in [n for n in nodes(tree) if isinstance(n, exp.Parameter)]:
        if isinstance(node.this, exp.Parameter):
            raise run.text.refused(node, f"@@{node.this.name} is not offered", "awe has no server variables")
        found = run.variables.get(node.name.casefold())
        if found is None:
            hint = (
                did_you_mean(node.name, run.variables)
                or "DECLARE @x float = 0.5 stands before it, in the same batch"
            )
            raise run.text.unknown(node, f"there is no variable @{node.name}", hint)
        new = _constant(found)
        start = next((n.meta["start"] for n in node.walk() if "start" in n.meta), None)
        if start is not None:
            new.meta["start"] = start
        node.replace(new)
    return tree


def _constant(variable: Variable) -> exp.Expr:
    quantity, kind = variable.value, variable.type
    if quantity is None:
        return cast_of(exp.Null(), kind)
    if isinstance(quantity, str):
        return exp.Literal.string(quantity)
    if isinstance(quantity, bool):
        return exp.Boolean(this=quantity)
    if isinstance(quantity, date | datetime):
        return cast_of(
            exp.Literal.string(
                quantity.isoformat(sep=" ") if isinstance(quantity, datetime) else str(quantity)
            ),
            kind,
        )
    if isinstance(quantity, float) and not math.isfinite(quantity):
        return cast_of(exp.Literal.string(repr(quantity)), kind)
    literal: exp.Expr = exp.Literal.number(repr(abs(quantity)))
    if quantity < 0:
        literal = exp.Neg(this=literal)
    own = kind == (
        pa.float64() if isinstance(quantity, float) else pa.int32() if abs(quantity) < _INT else pa.int64()
    )
    return literal if own else cast_of(literal, kind)


def cast_of(node: exp.Expr, kind: pa.DataType) -> exp.Expr:
    """Return a node, not bound, as a value of a type."""
    name = "VARCHAR" if is_text(kind) else TYPE_NAMES[str(kind)]
    return exp.Cast(this=node, to=exp.DataType(this=exp.DataType.Type[name]))
