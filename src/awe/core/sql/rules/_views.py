"""Table functions: a call becomes the view that it names, with its arguments in place."""

import pyarrow as pa
from sqlglot import exp

from awe.core.sql._model import TableFunction
from awe.core.sql._place import Text
from awe.core.sql.dialects.adql import parse_adql
from awe.core.sql.gate import check
from awe.core.sql.rules._state import Compilation, set_value, value, view_name
from awe.core.sql.rules.calls import calls
from awe.core.sql.rules.shape import balance, canonical
from awe.core.tables import Column
from awe.errors import ServiceError

__all__ = ["expand"]


def expand(
    function: TableFunction, call: exp.Anonymous, arguments: list[exp.Expr], run: Compilation
) -> exp.Expr:
    """Return the view as a query of its own, not yet bound but for its arguments.

    Raises
    ------
    QuerySyntaxError
        For a wrong number of arguments, or one that is not a number.
    """
    if view_name(function) in run.views:
        raise ServiceError(f"the table function {function.name} is defined by itself")
    given = _given(function, call, arguments, run)
    text = Text(function.sql, "adql", placed=False)
    tree: exp.Expr = parse_adql(function.sql, parameters=[p.name for p in function.parameters])
    for node in list(tree.walk()):
        # Places in the view's text say nothing to its caller.
        node.meta.pop("start", None)
        if isinstance(node, exp.Placeholder):
            node.replace(given[node.name].copy())
    return calls(canonical(check(balance(tree), text), text), text)


def _given(
    function: TableFunction, call: exp.Anonymous, arguments: list[exp.Expr], run: Compilation
) -> dict[str, exp.Expr]:
    parameters = function.parameters
    needed = [p for p in parameters if p.default is None]
    if not len(needed) <= len(arguments) <= len(parameters):
        signature = ", ".join(f"{p.name} [{p.unit}]" if p.unit else p.name for p in parameters)
        raise run.text.syntax(
            call, f"{call.name} takes {len(parameters)} arguments, not {len(arguments)}",
            f"{function.name}({signature})",
        )  # fmt: skip
    given: dict[str, exp.Expr] = {}
    for parameter, argument in zip(parameters, arguments, strict=False):
        if str(value(argument).type) in {"string", "bool", "null"}:
            raise run.text.syntax(argument, f"{parameter.name} of {call.name} is a number")
        given[parameter.name] = argument
    for parameter in parameters[len(arguments) :]:
        literal = exp.Literal.number(repr(parameter.default))
        given[parameter.name] = set_value(literal, Column("", pa.float64()))
    return given
