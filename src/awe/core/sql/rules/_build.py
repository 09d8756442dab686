"""Make bound nodes: what the rules write themselves has its value attached from the start."""

import pyarrow as pa
from sqlglot import exp

from awe.core.sql.rules._geometry import SHAPES
from awe.core.sql.rules._state import Output, Source, set_value
from awe.core.tables import Column

__all__ = [
    "all_of",
    "binary",
    "call",
    "cast",
    "column",
    "column_of",
    "compare",
    "constant",
    "number",
    "numbers",
    "point",
    "text",
]

_DOUBLE = Column("", pa.float64())
_BIGINT = Column("", pa.int64())
_BOOLEAN = Column("", pa.bool_())


def number(quantity: float) -> exp.Expr:
    """Return a constant, exactly: an integer stays one, a float keeps every bit."""
    kind = _BIGINT if isinstance(quantity, int) else _DOUBLE
    literal = set_value(exp.Literal.number(repr(abs(quantity))), kind)
    return set_value(exp.Neg(this=literal), kind) if quantity < 0 else literal


def numbers(quantities: list[float]) -> exp.Expr:
    """Return the numbers of a shape that is known."""
    return set_value(call("SKY_CONSTANT", text(repr(quantities))), SHAPES["polygon"])


def point(ra: exp.Expr, dec: exp.Expr) -> exp.Expr:
    """Return a position as a value, wherever one may stand."""
    return set_value(call("SKY_POINT", ra, dec), SHAPES["point"])


def text(words: str) -> exp.Expr:
    """Return a constant text."""
    return set_value(exp.Literal.string(words), Column("", pa.string()))


def column(source: str, name: str, known: Column) -> exp.Expr:
    """Return a column of the source of that key; `name` is its name in the generated SQL."""
    node = exp.column(exp.to_identifier(name, quoted=True), table=exp.to_identifier(source, quoted=True))
    return set_value(node, known)


def column_of(source: Source, output: Output) -> exp.Expr:
    """Return a column of a source."""
    return column(source.key, output.sql, output.column)


def call(name: str, *arguments: exp.Expr, type_: pa.DataType | None = None) -> exp.Expr:
    """Return a call of a function by its canonical name; DOUBLE unless said otherwise."""
    node = exp.Anonymous(this=name, expressions=[])
    for argument in arguments:
        node.append("expressions", _own(argument))
    return set_value(node, Column("", type_) if type_ is not None else _DOUBLE)


def _own(node: exp.Expr) -> exp.Expr:
    """Return a node to stand in one more place: itself where it is new, a copy where it has one already."""
    return node if node.parent is None else node.copy()


def _both(kind: type[exp.Expr], left: exp.Expr, right: exp.Expr) -> exp.Expr:
    node = kind(this=_own(left))
    node.set("expression", _own(right))  # after the left: it may be the same node
    return node


def binary(kind: type[exp.Expr], left: exp.Expr, right: exp.Expr) -> exp.Expr:
    """Return an arithmetic operation in double precision."""
    return set_value(_both(kind, left, right), _DOUBLE)


def compare(kind: type[exp.Expr], left: exp.Expr, right: exp.Expr) -> exp.Expr:
    """Return a condition on two values, or AND, OR of two conditions."""
    return set_value(_both(kind, left, right), _BOOLEAN)


def all_of(conditions: list[exp.Expr]) -> exp.Expr:
    """Return the conjunction of conditions, at least one."""
    result = conditions[0]
    for condition in conditions[1:]:
        result = compare(exp.And, result, condition)
    return result


def cast(node: exp.Expr, sql_type: str, kind: pa.DataType) -> exp.Expr:
    """Return a cast."""
    return set_value(exp.Cast(this=_own(node), to=exp.DataType.build(sql_type)), Column("", kind))


def constant(node: exp.Expr) -> float | None:
    """Return the number that an expression of numbers alone comes to, or None."""
    if isinstance(node, exp.Literal):
        return None if node.args.get("is_string") else float(node.name)
    if isinstance(node, exp.Neg):
        inner = constant(node.this)
        return None if inner is None else -inner
    if isinstance(node, exp.Cast):
        return constant(node.this) if "DOUBLE" in node.args["to"].sql() else None
    if not isinstance(node, (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv)):
        return None
    left, right = constant(node.this), constant(node.expression)
    if left is None or right is None:
        return None
    if isinstance(node, (exp.Div, exp.IntDiv)):
        return _quotient(left, right, whole=isinstance(node, exp.IntDiv))
    return (
        left + right
        if isinstance(node, exp.Add)
        else left - right
        if isinstance(node, exp.Sub)
        else left * right
    )


def _quotient(left: float, right: float, *, whole: bool) -> float | None:
    if right == 0:
        return None
    return float(int(left / right)) if whole else left / right
