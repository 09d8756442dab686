"""How far two rows may be apart at most, where both of them, or several conditions, decide: a radius that one row knows.

Of a radius that both rows decide, such as ``3 * SQRT(a.err * a.err + b.err * b.err)``, the part of the one is put at its
largest over all rows of its source, which a query finds out first. What is asked exactly is then asked of the pairs.
Values that are no numbers, or infinite, are taken for unknown: nothing is near such a row.
"""

from collections.abc import Callable, Mapping

import pyarrow as pa
from sqlglot import exp

from awe.core.sql._place import Text
from awe.core.sql._walk import nodes
from awe.core.sql.rules._build import binary, call, cast, compare, constant, number
from awe.core.sql.rules._shapes import Near, test_of
from awe.core.sql.rules._state import set_value, value
from awe.core.tables import Column

__all__ = ["Extreme", "exactly", "largest_of", "reach"]

Extreme = Callable[[exp.Expr, bool], exp.Expr]
"""From a value of the other rows to the largest that they have (True), or the smallest."""

_LARGEST_NUMBER = 1e308
_SLACK, _SLACK_DEG = 1 + 1e-9, 1e-12
"""A bound is computed in another order than what it bounds."""


def reach(radius: exp.Expr, key: str, extreme: Extreme) -> exp.Expr | None:
    """Return what a radius is at most, computed from rows of the source `key` and extremes of the others.

    None where that cannot be said.
    """
    most = _bound(radius, key, extreme, upper=True)
    return (
        None if most is None else binary(exp.Add, binary(exp.Mul, most, number(_SLACK)), number(_SLACK_DEG))
    )


def largest_of(radii: list[exp.Expr]) -> exp.Expr:
    """Return the largest of some radii; those that are unknown do not count."""
    known = [found for found in map(constant, radii) if found is not None]
    if len(known) == len(radii):
        return number(max(known))
    return call("GREATEST", *map(_known, radii))


def exactly(condition: exp.Expr, text: Text) -> exp.Expr:
    """Return a condition to be asked of pairs, for which a radius that is no number is none."""
    copy = exp.Tuple(expressions=[condition.copy()])  # what stands in something can be replaced
    for node in list(nodes(copy)):
        test = test_of(node, text) if isinstance(node, (exp.Anonymous, exp.Predicate)) else None
        if isinstance(test, Near) and not test.negated and constant(test.radius) is None:
            places = (test.one.ra, test.one.dec, test.other.ra, test.other.dec)
            apart = call("DISTANCE", *(part.copy() for part in places))
            kind = exp.LT if test.strict else exp.LTE
            node.replace(compare(kind, apart, _known(test.radius)))
    made: exp.Expr = copy.expressions[0].pop()
    return made


def _known(number_: exp.Expr) -> exp.Expr:
    """Return a value as a finite number in double precision; NULL where it is none."""
    if constant(number_) is not None:
        return number_.copy()
    double = cast(number_.copy(), "DOUBLE", pa.float64())
    finite = compare(exp.LTE, double, number(_LARGEST_NUMBER))
    return set_value(exp.Case(ifs=[exp.If(this=finite, true=double.copy())]), Column("", pa.float64()))


def _bound(node: exp.Expr, key: str, extreme: Extreme, *, upper: bool) -> exp.Expr | None:
    """Return what a value is at most, or at least."""
    if constant(node) is not None:
        return node.copy()
    read = {part.table for part in nodes(node) if isinstance(part, exp.Column)}
    if read <= {key}:
        return _known(node)
    if key not in read and len(read) == 1:
        return extreme(_known(node), upper)
    rule = _RULES.get(node.name if isinstance(node, exp.Anonymous) else type(node))
    return None if rule is None else rule(node, lambda part, up: _bound(part, key, extreme, upper=up), upper)


_Inner = Callable[[exp.Expr, bool], exp.Expr | None]
_Rule = Callable[[exp.Expr, _Inner, bool], exp.Expr | None]


def _sum(node: exp.Expr, inner: _Inner, upper: bool) -> exp.Expr | None:
    one = inner(node.this, upper)
    other = inner(node.expression, upper is isinstance(node, exp.Add))
    return None if one is None or other is None else binary(type(node), one, other)


def _scaled(node: exp.Expr, inner: _Inner, upper: bool) -> exp.Expr | None:
    """Bound a multiple of a value."""
    for part, factor in ((node.this, node.expression), (node.expression, node.this)):
        by = constant(factor)
        if by and (isinstance(node, exp.Mul) or part is node.this):
            bound = inner(part, upper is (by > 0))
            return None if bound is None else binary(type(node), bound, factor)
    return None


def _negative(node: exp.Expr, inner: _Inner, upper: bool) -> exp.Expr | None:
    bound = inner(node.this, not upper)
    return None if bound is None else set_value(exp.Neg(this=bound), Column("", pa.float64()))


def _cast(node: exp.Expr, inner: _Inner, upper: bool) -> exp.Expr | None:
    return inner(node.this, upper) if pa.types.is_floating(value(node).type) else None


def _rising(node: exp.Expr, inner: _Inner, upper: bool) -> exp.Expr | None:
    """Bound a function that grows with its argument."""
    bound = inner(node.expressions[0], upper)
    return None if bound is None else call(node.name, bound)


def _root(node: exp.Expr, inner: _Inner, upper: bool) -> exp.Expr | None:
    """Bound a square root: of what may be negative it is nothing, and never negative."""
    return _rising(node, inner, upper) if upper else number(0.0)


def _square(node: exp.Expr, inner: _Inner, upper: bool) -> exp.Expr | None:
    """Bound the square of a value, which is that of its largest or its smallest at most; and never negative."""
    if node.name == "POWER" and constant(node.expressions[1]) != 2:
        return None
    if not upper:
        return number(0.0)
    ends = [inner(node.expressions[0], end) for end in (True, False)]
    squares = [call("POWER", end, number(2.0)) for end in ends if end is not None]
    return call("GREATEST", *squares) if len(squares) == len(ends) else None


def _any(node: exp.Expr, inner: _Inner, upper: bool) -> exp.Expr | None:
    """Bound what is one of several values."""
    parts = node.expressions
    if isinstance(node, exp.Case):
        parts = [*(branch.args["true"] for branch in node.args["ifs"]), node.args.get("default")]
    bounds = [inner(part, upper) for part in parts if part is not None and not isinstance(part, exp.Null)]
    found = [bound for bound in bounds if bound is not None]
    if not found or len(found) < len(bounds):
        return None
    return found[0] if len(found) == 1 else call("GREATEST" if upper else "LEAST", *found)


_RULES: Mapping[object, _Rule] = {
    exp.Add: _sum, exp.Sub: _sum, exp.Mul: _scaled, exp.Div: _scaled, exp.Neg: _negative, exp.Cast: _cast,
    exp.Case: _any, "COALESCE": _any, "GREATEST": _any, "LEAST": _any, "SQUARE": _square, "POWER": _square,
    "SQRT": _root, "RADIANS": _rising, "DEGREES": _rising,
}  # fmt: skip
