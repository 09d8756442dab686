"""Views: a call of a table function, or the name of a view, becomes the query that it stands for."""

from collections.abc import Mapping

import pyarrow as pa
from sqlglot import exp

from awe.core.sql._model import TableDef, TableFunction
from awe.core.sql._place import Text
from awe.core.sql.dialects.adql import parse_adql
from awe.core.sql.gate import check
from awe.core.sql.rules._state import Compilation, set_value, value, view_name
from awe.core.sql.rules.calls import calls
from awe.core.sql.rules.shape import balance, canonical
from awe.core.tables import Column
from awe.errors import ServiceError

__all__ = ["expand", "expand_table"]


def expand(
    function: TableFunction, call: exp.Anonymous, arguments: list[exp.Expr], run: Compilation
) -> exp.Expr:
    """Return the view as a query of its own, not yet bound but for its arguments.

    Raises
    ------
    QuerySyntaxError
        For a wrong number of arguments, or one that is not a number.
    """
    return _parsed(function, _given(function, call, arguments, run), run)


def expand_table(view: TableDef, run: Compilation) -> exp.Expr:
    """Return the query that a view stands for, not yet bound."""
    return _parsed(view, {}, run)


def _parsed(view: TableFunction | TableDef, given: Mapping[str, exp.Expr], run: Compilation) -> exp.Expr:
    if view_name(view) in run.views:
        raise ServiceError(f"{view.name} is defined by itself")
    text = Text(view.sql, "adql", placed=False)
    tree: exp.Expr = parse_adql(view.sql, parameters=list(given))
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
