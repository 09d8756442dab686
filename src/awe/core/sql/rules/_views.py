"""Views: a call of a described function, or the name of a view, becomes the ADQL that it stands for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import pyarrow as pa
from sqlglot import exp

from awe.core.sql._model import Parameter, ScalarFunction, TableDef, TableFunction
from awe.core.sql._place import Text
from awe.core.sql._walk import nodes
from awe.core.sql.dialects.adql import parse_adql, parse_value
from awe.core.sql.functions import AGGREGATE, FUNCTIONS
from awe.core.sql.gate import check
from awe.core.sql.rules._build import cast, number
from awe.core.sql.rules._kinds import KIND_SAID, is_number, is_text
from awe.core.sql.rules._state import Compilation, Described, set_value, value, view_name
from awe.core.sql.rules.calls import calls
from awe.core.sql.rules.shape import balance, canonical
from awe.errors import ServiceError

__all__ = ["expand", "expand_table", "expand_value", "selects_rows"]


def expand(
    function: TableFunction, call: exp.Anonymous, arguments: list[exp.Expr], run: Compilation
) -> exp.Expr:
    """Return the view as a query of its own, not yet bound but for its arguments.

    Raises
    ------
    QuerySyntaxError
        For a wrong number of arguments, or one of another kind.
    """
    given = _given(function, call, arguments, run)
    return _filled(function, parse_adql(function.sql, parameters=list(given)), given, run)


def expand_table(view: TableDef, run: Compilation) -> exp.Expr:
    """Return the query that a view stands for, not yet bound."""
    return _filled(view, parse_adql(view.sql), {}, run)


def expand_value(
    function: ScalarFunction, call: exp.Anonymous, arguments: list[exp.Expr], run: Compilation
) -> exp.Expr:
    """Return what a described function stands for: an expression or a query; otherwise as `expand`."""
    given = _given(function, call, arguments, run)
    return _filled(function, parse_value(function.sql, parameters=list(given)), given, run)


def selects_rows(tree: exp.Expr) -> bool:
    """Say whether each row of a query is one of what it reads: then a condition on its rows is one on theirs."""
    if not isinstance(tree, exp.Select) or any(tree.args.get(key) for key in _BEYOND_ROWS):
        return False
    return not any(
        isinstance(node, exp.Window)
        or (
            isinstance(node, exp.Anonymous)
            and node.name in FUNCTIONS
            and FUNCTIONS[node.name].kind == AGGREGATE
        )
        for projection in tree.expressions
        for node in nodes(projection)
    )


_BEYOND_ROWS = ("group", "having", "distinct", "limit", "offset", "order", "with_")


def _filled(view: Described, tree: exp.Expr, given: Mapping[str, exp.Expr], run: Compilation) -> exp.Expr:
    """Return the tree with its arguments, which are bound already and go through no rule again."""
    if view_name(view) in run.views:
        raise ServiceError(f"{view.name} is defined by itself")
    for node in nodes(tree):
        node.meta.pop("start", None)  # places in the view's text say nothing to its caller
    text = Text(view.sql, "adql", placed=False)
    tree = canonical(check(balance(tree), text, parameters=True), text)
    with run.inside(view):
        tree = calls(tree, run)
    sizes = {name: sum(1 for _ in nodes(argument)) for name, argument in given.items()}
    places = [node for node in nodes(tree) if isinstance(node, exp.Placeholder)]
    run.grow(sum(1 for _ in nodes(tree)) + sum(sizes[place.name] for place in places))
    for place in places:
        filled = given[place.name].copy()
        if place is tree:
            tree = filled
        else:
            place.replace(filled)
    return tree


def _given(
    function: TableFunction | ScalarFunction,
    call: exp.Anonymous,
    arguments: Sequence[exp.Expr],
    run: Compilation,
) -> dict[str, exp.Expr]:
    parameters = function.parameters
    needed = [p for p in parameters if p.default is None]
    if not len(needed) <= len(arguments) <= len(parameters):
        signature = ", ".join(f"{p.name} [{p.unit}]" if p.unit else p.name for p in parameters)
        count = f"{len(parameters)} argument{'' if len(parameters) == 1 else 's'}"
        raise run.text.syntax(
            call, f"{call.name} takes {count}, not {len(arguments)}", f"{function.name}({signature})"
        )
    given: dict[str, exp.Expr] = {}
    for parameter, argument in zip(parameters, arguments, strict=False):
        if not _fits(parameter, argument):
            raise run.text.syntax(argument, f"{parameter.name} of {call.name} is {KIND_SAID[parameter.kind]}")
        given[parameter.name] = argument
    for parameter in parameters[len(arguments) :]:
        given[parameter.name] = number(parameter.default or 0)
    return {p.name: _wide(given[p.name], p.kind) for p in parameters}


def _fits(parameter: Parameter, argument: exp.Expr) -> bool:
    return _KINDS[parameter.kind](value(argument).type)


def _wide(argument: exp.Expr, kind: str) -> exp.Expr:
    """Return a number in its widest type.

    A real one, since ``:radius / 60`` of 3 arcmin is no division of whole numbers; an integer of 64 bits, since
    identifiers are made of small ones.
    """
    known = value(argument)
    if kind == "text" or known.type in _WIDE[kind]:
        return argument
    name, wide = ("DOUBLE", pa.float64()) if kind == "number" else ("BIGINT", pa.int64())
    return set_value(cast(argument, name, wide), replace(known, name="", type=wide))


_WIDE: Mapping[str, tuple[pa.DataType, ...]] = {
    "number": (pa.float64(),), "integer": (pa.int64(), pa.uint64()),
}  # fmt: skip
_KINDS: Mapping[str, Callable[[pa.DataType], bool]] = {
    "number": is_number, "integer": pa.types.is_integer, "text": is_text,
}  # fmt: skip
