"""Types and units of values, and the operators whose meaning depends on them.

`settle` is called on each node after its parts. What SQL leaves to the types is made explicit here:
integer division (exact for 64-bit identifiers), ``+`` between texts, numbers written as texts
(``x <> 'NaN'``), comparisons of text that ignore case (SQL Server's default collation).
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import replace

import pyarrow as pa
from sqlglot import exp

from awe.core.sql._place import Text
from awe.core.sql.functions import FUNCTIONS, Function
from awe.core.sql.rules._build import call, cast
from awe.core.sql.rules._casts import cast_to, check_time, iso
from awe.core.sql.rules._geometry import (
    SHAPES,
    agreed_shape,
    check_form,
    fits,
    said_value,
    shape_kind,
    wrong_order,
)
from awe.core.sql.rules._kinds import (
    ARRAY,
    KIND_SAID,
    KINDS,
    NUMBER,
    RESULTS,
    common,
    is_null,
    is_number,
    is_text,
    said,
)
from awe.core.sql.rules._state import has_value, set_value, value
from awe.core.tables import Column
from awe.errors import QueryError

__all__ = ["need_condition", "settle"]


def settle(node: exp.Expr, text: Text) -> exp.Expr:
    """Return the node, or what it means, with its value attached; its parts have theirs.

    Raises
    ------
    QuerySyntaxError
        For types that do not go together.
    """
    rule = _RULES.get(type(node))
    if rule is None:
        raise text.refused(node, f"{node.key.upper()} is not offered as a value")
    return rule(node, text)


def _plain(kind: pa.DataType) -> Callable[[exp.Expr, Text], exp.Expr]:
    return lambda node, _text: set_value(node, Column("", kind))


def _literal(node: exp.Expr, text: Text) -> exp.Expr:
    return set_value(
        node, Column("", pa.string() if node.args.get("is_string") else _number_type(node, text))
    )


def _number_type(node: exp.Expr, text: Text) -> pa.DataType:
    name = node.name
    if not NUMBER.fullmatch(name) or name[:1].isalpha():
        raise text.syntax(node, f"{name} is not a number")
    if math.isinf(float(name)):
        raise text.syntax(node, "the number is too large")
    if not name.isdigit() or int(name) >= 1 << 64:
        return pa.float64()
    digits = int(name)
    return pa.int32() if digits < 1 << 31 else pa.int64() if digits < 1 << 63 else pa.uint64()


def _same(node: exp.Expr, _text: Text) -> exp.Expr:
    return set_value(node, replace(value(node.this), name=""))


def _paren(node: exp.Expr, _text: Text) -> exp.Expr:
    inner: exp.Expr = node.this
    return inner


def _negative(node: exp.Expr, text: Text) -> exp.Expr:
    _need(node.this, "number", text)
    kind = value(node.this).type
    if is_null(kind):  # engines make a number of -NULL, which does not go where NULL goes
        inner: exp.Expr = node.this
        return inner
    if pa.types.is_unsigned_integer(kind):
        node.set("this", _signed(node.this, _SIGNED[kind]))
    return _same(node, text)


def _array(node: exp.Expr, text: Text) -> exp.Expr:
    call = node.parent
    if not isinstance(call, exp.Anonymous) or "array" not in FUNCTIONS[call.name].parameters:
        raise text.refused(
            node, "ARRAY[...] is not offered as a value", "it gives q3c_poly_query its corners"
        )
    for part in node.expressions:
        _need(part, "number", text)
    return set_value(node, Column("", ARRAY))


def _add(node: exp.Expr, text: Text) -> exp.Expr:
    left, right = value(node.this), value(node.expression)
    if text.dialect == "tsql" and (is_text(left.type) or is_text(right.type)):
        if is_number(left.type) or is_number(right.type):
            return _arithmetic(node, text)
        joined = exp.DPipe(this=node.this, expression=node.expression)
        return _concatenated(joined, text)
    return _arithmetic(node, text)


def _arithmetic(node: exp.Expr, text: Text) -> exp.Expr:
    for key in ("this", "expression"):
        _numeric(node, key, text)
    left, right = value(node.this), value(node.expression)
    both = common(left.type, right.type) or pa.float64()
    kind = _computed_in(node, pa.float64() if is_null(both) else both)
    keeps = isinstance(node, (exp.Add, exp.Sub)) and left.unit == right.unit
    return set_value(node, Column("", kind, unit=left.unit if keeps else ""))


_SIGNED: Mapping[pa.DataType, pa.DataType] = {
    pa.int8(): pa.int32(), pa.int16(): pa.int32(), pa.uint8(): pa.int32(), pa.uint16(): pa.int32(),
    pa.uint32(): pa.int64(), pa.uint64(): pa.int64(),
}  # fmt: skip
"""In what sums of short and of unsigned integers are computed; UBIGINT only with itself in UBIGINT."""


def _computed_in(node: exp.Expr, kind: pa.DataType) -> pa.DataType:
    """Return the type of a sum, and make its unsigned parts signed: ``b - 5`` may be negative."""
    if kind == pa.uint64() or not pa.types.is_integer(kind):
        return kind
    kind = _SIGNED.get(kind, kind)
    for key in ("this", "expression"):
        node.set(key, _signed(node.args[key], kind))
    return kind


def _signed(part: exp.Expr, kind: pa.DataType) -> exp.Expr:
    narrow = value(part).type in _SIGNED and not isinstance(part, exp.Literal)
    return cast(part, "BIGINT" if kind == pa.int64() else "INT", kind) if narrow else part


def _divide(node: exp.Expr, text: Text) -> exp.Expr:
    for key in ("this", "expression"):
        _numeric(node, key, text)
    left, right = value(node.this).type, value(node.expression).type
    if pa.types.is_integer(left) and pa.types.is_integer(right):
        whole = exp.IntDiv(this=node.this, expression=node.expression)
        return set_value(whole, Column("", _computed_in(whole, common(left, right) or pa.int64())))
    return _arithmetic(node, text)


def _bits(node: exp.Expr, text: Text) -> exp.Expr:
    parts = [node.this, node.args.get("expression")]
    kinds = [value(p).type for p in parts if p is not None]
    if not all(pa.types.is_integer(k) or is_null(k) for k in kinds):
        raise text.syntax(node, "bits are taken of integers only", "CAST(x AS BIGINT)")
    kind = kinds[0] if len(kinds) == 1 else common(kinds[0], kinds[1])
    return set_value(node, Column("", kind or pa.int64()))


def _concatenated(node: exp.Expr, text: Text) -> exp.Expr:
    for key in ("this", "expression"):
        kind = value(node.args[key]).type
        if pa.types.is_nested(kind):
            raise text.syntax(
                node.args[key], f"expected a text here, not {said_value(value(node.args[key]))}"
            )
        node.set(key, iso(node.args[key], text))
    return set_value(node, Column("", pa.string()))


def need_condition(part: exp.Expr, text: Text) -> None:
    """Check that a bound expression is true or false.

    Raises
    ------
    QuerySyntaxError
        If it is a number, a text or anything else.
    """
    kind = value(part).type
    if not (pa.types.is_boolean(kind) or is_null(kind)):
        raise text.syntax(part, "expected a condition here", _condition_hint(part))


def _logic(node: exp.Expr, text: Text) -> exp.Expr:
    for key in ("this", "expression"):
        part = node.args.get(key)
        if part is not None:
            need_condition(part, text)
    return set_value(node, Column("", pa.bool_()))


def _condition_hint(part: exp.Expr) -> str:
    if isinstance(part, exp.Anonymous) and part.name in {"CONTAINS", "INTERSECTS"}:
        return f"write 1 = {part.name}(...)"
    return "compare it with something, such as <> 0"


def _comparison(node: exp.Expr, text: Text) -> exp.Expr:
    _comparable(node, ("this", "expression"), text)
    shapes = {shape_kind(value(node.args[key])) for key in ("this", "expression")}
    if shapes != {""} and not isinstance(node, (exp.EQ, exp.NEQ)) and not is_text(value(node.this).type):
        raise wrong_order(node, text)
    return set_value(node, Column("", pa.bool_()))


def _between(node: exp.Expr, text: Text) -> exp.Expr:
    _comparable(node, ("this", "low", "high"), text)
    return set_value(node, Column("", pa.bool_()))


def _in(node: exp.Expr, text: Text) -> exp.Expr:
    for index in range(len(node.expressions)):
        _one_option(node, index, text)
    query = node.args.get("query")
    if query is not None and common(value(node.this).type, value(query).type) is None:
        raise _mixed(query, value(node.this).type, value(query).type, text)
    if text.dialect == "tsql" and is_text(value(node.this).type):
        node.set("this", _lower(node.this))
        node.set("expressions", [_lower(o) for o in node.expressions])
        node.meta["ignore_case"] = True
    return set_value(node, Column("", pa.bool_()))


def _one_option(node: exp.Expr, index: int, text: Text) -> None:
    option, kind = node.expressions[index], value(node.this).type
    if common(kind, value(option).type) is None:
        node.expressions[index].replace(_as_number(node.this, option, text))


def _like(node: exp.Expr, text: Text) -> exp.Expr:
    for key in ("this", "expression"):
        _need(node.args[key], "text", text)
    _check_pattern(node, text)
    if text.dialect == "tsql" and isinstance(node, exp.Like):
        node = exp.ILike(this=node.this, expression=node.expression)
    return set_value(node, Column("", pa.bool_()))


def _check_pattern(node: exp.Expr, text: Text) -> None:
    """Refuse what a dialect alone gives a meaning: T-SQL's [a-c], PostgreSQL's backslash."""
    special = {"tsql": "[", "postgres": "\\"}.get(text.dialect)
    if special and special in node.expression.name and not isinstance(node.parent, exp.Escape):
        raise text.refused(node, f"{special} in a LIKE pattern is not offered", "use % and _, and ESCAPE '!'")


def _escape(node: exp.Expr, text: Text) -> exp.Expr:
    if not (isinstance(node.expression, exp.Literal) and len(node.expression.name) == 1):
        raise text.syntax(node.expression, "ESCAPE takes one character in quotes")
    return set_value(node, Column("", pa.bool_()))


def _comparable(node: exp.Expr, keys: tuple[str, ...], text: Text) -> None:
    """Make the operands comparable: numbers in quotes become numbers; T-SQL's texts lose their case."""
    first = node.args[keys[0]]
    for key in keys[1:]:
        other = node.args[key]
        if common(value(first).type, value(other).type) is not None:
            continue
        if isinstance(other, exp.Literal) or not isinstance(first, exp.Literal):
            node.set(key, _as_number(first, other, text))
        else:
            node.set(keys[0], _as_number(other, first, text))
            first = node.args[keys[0]]
    if text.dialect == "tsql" and all(is_text(value(node.args[k]).type) for k in keys):
        for key in keys:
            node.set(key, _lower(node.args[key]))


_WHOLE = re.compile(r"\s*[+-]?\d{1,18}\s*")


def _as_number(against: exp.Expr, part: exp.Expr, text: Text) -> exp.Expr:
    """Return the quoted constant `part` as the type of `against`, as SQL Server and PostgreSQL do."""
    kind, literal = value(against).type, isinstance(part, exp.Literal)
    if literal and is_number(kind) and NUMBER.fullmatch(part.name):
        # 64-bit identifiers do not go through double precision
        whole = pa.types.is_integer(kind) and _WHOLE.fullmatch(part.name)
        return cast(part, "BIGINT", pa.int64()) if whole else cast(part, "DOUBLE", pa.float64())
    if literal and pa.types.is_temporal(kind) and part.args.get("is_string"):
        check_time(part, text)
        return cast(part, "TIMESTAMP", pa.timestamp("us"))
    if literal and pa.types.is_boolean(kind) and part.name.casefold() in {"true", "false", "t", "f"}:
        return cast(part, "BOOLEAN", pa.bool_())
    if pa.types.is_boolean(kind) and part.name in {"0", "1"}:
        return cast(part, "BOOLEAN", pa.bool_())
    this, that = said_value(value(against)), said_value(value(part))
    raise text.syntax(part, f"{this} cannot be compared with {that}")


def _lower(node: exp.Expr) -> exp.Expr:
    return call("LOWER", node, type_=pa.string())


def _numeric(node: exp.Expr, key: str, text: Text) -> None:
    part = node.args[key]
    kind = value(part).type
    if is_text(kind) and isinstance(part, exp.Literal) and NUMBER.fullmatch(part.name):
        other = value(node.args["expression" if key == "this" else "this"]).type
        whole = pa.types.is_integer(other) and _WHOLE.fullmatch(part.name)
        node.set(key, cast(part, "BIGINT", pa.int64()) if whole else cast(part, "DOUBLE", pa.float64()))
    elif not (is_number(kind) or is_null(kind)):
        raise text.syntax(part, f"expected a number here, not {said_value(value(part))}")


def _need(part: exp.Expr, kind: str, text: Text) -> None:
    """Check an argument; the kinds are those of ``awe.core.sql.functions``."""
    known = value(part)
    good = KINDS[kind](known.type) if kind in KINDS else fits(kind, known)
    good = good or (is_null(known.type) and kind not in _NEVER_NULL)
    if not good or (kind in _WRITTEN_OUT and not isinstance(part, exp.Literal)):
        raise text.syntax(part, f"expected {KIND_SAID[kind]} here, not {said_value(known)}")


_WRITTEN_OUT = frozenset({"literal", "whole"})
_NEVER_NULL = _WRITTEN_OUT | {"point", "shape"}


def _call(node: exp.Expr, text: Text) -> exp.Expr:
    function = FUNCTIONS[node.name]
    arguments = [a.expressions[0] if isinstance(a, exp.Distinct) else a for a in node.expressions]
    for index, argument in enumerate(arguments):
        if not isinstance(argument, exp.Star):
            _need(argument, function.parameter(index), text)
            if function.parameter(index) == "time" and isinstance(argument, exp.Literal):
                check_time(argument, text)
    check_form(node, text)
    whole = _OF_WHOLE.get(node.name) if text.dialect == "tsql" else None
    if whole is not None and all(pa.types.is_integer(value(argument).type) for argument in arguments):
        node.set("this", whole)
        function = FUNCTIONS[whole]
    columns = [value(a) for a in arguments if has_value(a)]
    return set_value(node, _result(function, columns, node, text))


_OF_WHOLE: Mapping[str, str] = {"POWER": "POWER_WHOLE"}
"""Functions that T-SQL computes otherwise of whole numbers."""


def _result(function: Function, columns: list[Column], node: exp.Expr, text: Text) -> Column:
    if function.result in SHAPES:
        return SHAPES[function.result]
    if function.result in _OF_ARGUMENTS:
        shape = agreed_shape(columns[1:] if function.result == "common_tail" else columns, node, text)
        if shape is not None:
            return shape
    unit = function.unit
    if unit == "same":
        unit = columns[0].unit if columns else ""
    elif unit == "named":
        unit = node.expressions[-1].name.strip()
    if function.result == "last":
        return replace(columns[-1], name="", null=None)
    kind = RESULTS.get(function.result)
    if function.result == "same":
        kind = columns[0].type
    elif function.result == "sum":
        kind = pa.int64() if pa.types.is_integer(columns[0].type) else pa.float64()
    elif kind is None:
        kind = _widest(columns[1:] if function.result == "common_tail" else columns, node, text)
    return Column("", kind, unit=unit, ucd=function.ucd)


_OF_ARGUMENTS = frozenset({"same", "common", "common_tail"})


def _widest(columns: list[Column], node: exp.Expr, text: Text) -> pa.DataType:
    kind = columns[0].type
    for column in columns[1:]:
        wider = common(kind, column.type)
        if wider is None:
            raise _mixed(node, kind, column.type, text)
        kind = wider
    return kind


def _mixed(node: exp.Expr, left: pa.DataType, right: pa.DataType, text: Text) -> QueryError:
    return text.syntax(node, f"{said(left)} and {said(right)} do not go together here")


def _case(node: exp.Expr, text: Text) -> exp.Expr:
    subject = node.this
    for branch in node.args["ifs"]:
        if subject is not None:  # CASE x WHEN y: as x = y, which the types may change
            branch.set("this", settle(exp.EQ(this=subject.copy(), expression=branch.this), text))
        need_condition(branch.this, text)
    node.set("this", None)
    branches = [value(branch.args["true"]) for branch in node.args["ifs"]]
    if node.args.get("default") is not None:
        branches.append(value(node.args["default"]))
    shape = agreed_shape(branches, node, text)
    return set_value(node, shape or Column("", _widest(branches, node, text)))


def _is(node: exp.Expr, text: Text) -> exp.Expr:
    if not isinstance(node.expression, (exp.Null, exp.Boolean)):
        raise text.syntax(node.expression, "IS is followed by NULL, TRUE or FALSE", "use =")
    return set_value(node, Column("", pa.bool_()))


def _window(node: exp.Expr, text: Text) -> exp.Expr:
    if not isinstance(node.this, exp.Anonymous):
        raise text.syntax(node, "OVER follows a function")
    return set_value(node, value(node.this))


_RULES: Mapping[type[exp.Expr], Callable[[exp.Expr, Text], exp.Expr]] = {
    exp.Literal: _literal, exp.Boolean: _plain(pa.bool_()), exp.Null: _plain(pa.null()),
    exp.Paren: _paren, exp.Neg: _negative, exp.Array: _array,
    exp.Add: _add, exp.Sub: _arithmetic, exp.Mul: _arithmetic, exp.Mod: _arithmetic, exp.Div: _divide,
    exp.BitwiseAnd: _bits, exp.BitwiseOr: _bits, exp.BitwiseXor: _bits, exp.BitwiseNot: _bits,
    exp.DPipe: _concatenated, exp.And: _logic, exp.Or: _logic, exp.Not: _logic,
    exp.EQ: _comparison, exp.NEQ: _comparison, exp.LT: _comparison, exp.LTE: _comparison,
    exp.GT: _comparison, exp.GTE: _comparison, exp.Is: _is, exp.In: _in,
    exp.Between: _between, exp.Like: _like, exp.ILike: _like, exp.Escape: _escape,
    exp.Exists: _plain(pa.bool_()), exp.Anonymous: _call, exp.Case: _case, exp.Cast: cast_to,
    exp.Window: _window,
}  # fmt: skip
