"""Table functions: a call becomes the view that it names, with its arguments in place."""

import re

import pyarrow as pa
from sqlglot import exp

from awe.core.sql._model import TableFunction
from awe.core.sql._place import Text
from awe.core.sql.dialects import PARSERS
from awe.core.sql.gate import check
from awe.core.sql.rules._state import Compilation, set_value, value, view_name
from awe.core.sql.rules.calls import calls
from awe.core.sql.rules.shape import balance, canonical
from awe.core.tables import Column
from awe.errors import ServiceError

__all__ = ["expand"]

_PLACE = "awe_argument_"
_ARGUMENT = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|--[^\n]*|:([A-Za-z][A-Za-z0-9_]*)")


def _text_of(function: TableFunction) -> Text:
    """Return the view's own text, with names that can be parsed where the arguments go."""
    text = _ARGUMENT.sub(lambda m: _PLACE + m[1] if m[1] else m[0], function.sql)
    return Text(text, "adql")


def expand(
    function: TableFunction, call: exp.Anonymous, arguments: list[exp.Expression], run: Compilation
) -> exp.Expression:
    """Return the view as a query of its own, not yet bound but for its arguments.

    Raises
    ------
    QuerySyntaxError
        For a wrong number of arguments, or one that is not a number.
    """
    if view_name(function) in run.views:
        raise ServiceError(f"the table function {function.name} is defined by itself")
    given = _given(function, call, arguments, run)
    text = _text_of(function)
    tree = calls(canonical(balance(check(PARSERS["adql"](text.text), text)), text), text)
    for node in list(tree.walk()):
        node.meta.pop("start", None)
        if isinstance(node, exp.Column) and node.name.startswith(_PLACE):
            name = node.name.removeprefix(_PLACE)
            if name not in given:
                raise ServiceError(f"the table function {function.name} has no parameter {name}")
            node.replace(given[name].copy())
    return tree


def _given(
    function: TableFunction, call: exp.Anonymous, arguments: list[exp.Expression], run: Compilation
) -> dict[str, exp.Expression]:
    parameters = function.parameters
    needed = [p for p in parameters if p.default is None]
    if not len(needed) <= len(arguments) <= len(parameters):
        signature = ", ".join(f"{p.name} [{p.unit}]" if p.unit else p.name for p in parameters)
        raise run.text.syntax(
            call, f"{call.name} takes {len(parameters)} arguments, not {len(arguments)}",
            f"{function.name}({signature})",
        )  # fmt: skip
    given: dict[str, exp.Expression] = {}
    for parameter, argument in zip(parameters, arguments, strict=False):
        if str(value(argument).type) in {"string", "bool", "null"}:
            raise run.text.syntax(argument, f"{parameter.name} of {call.name} is a number")
        given[parameter.name] = argument
    for parameter in parameters[len(arguments) :]:
        literal = exp.Literal.number(repr(parameter.default))
        given[parameter.name] = set_value(literal, Column("", pa.float64()))
    return given
