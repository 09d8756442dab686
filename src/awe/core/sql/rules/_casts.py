"""CAST: which types go into which (ADQL 2.1 section 4.7.1), with constants checked while compiling."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

import pyarrow as pa
from sqlglot import exp

from awe.core.sql._place import Text
from awe.core.sql.rules._build import call, number
from awe.core.sql.rules._geometry import CASTS, cast_to_shape, said_value
from awe.core.sql.rules._kinds import NUMBER, SQL_TYPES, is_null, is_text, said
from awe.core.sql.rules._state import set_value, value

__all__ = ["cast_to", "check_time", "iso"]

_TIME = re.compile(
    r"\s*(\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?)\s*(?:Z|[+-]\d\d(?::?\d\d)?)?\s*"
)
_INT64_DIGITS, _MOST_DIGITS = 18, 20
_INTO: Mapping[str, frozenset[str]] = {
    "whole": frozenset({"whole", "real", "text", "truth"}),
    "real": frozenset({"whole", "real", "text"}),
    "text": frozenset({"whole", "real", "text", "time", "truth"}),
    "time": frozenset({"text", "time"}),
    "truth": frozenset({"whole", "text", "truth"}),
}
"""What each sort of value can become; NULL becomes anything."""


def cast_to(node: exp.Expr, text: Text) -> exp.Expr:
    """Return a cast, or what it means, with its value attached.

    Raises
    ------
    QuerySyntaxError, NotOfferedError
        For types that do not become each other, and for a constant that cannot.
    """
    target = node.args["to"]
    if text.dialect == "adql" and target.text("kind") in CASTS:
        return cast_to_shape(node, text)
    known = value(node.this)
    exact = _exact_decimal(target, known.type)
    kind = exact or SQL_TYPES.get(target.this)
    if kind is None:
        raise text.refused(node, f"CAST to {target.sql()} is not offered")
    if not is_null(known.type) and _sort(kind) not in _INTO.get(_sort(known.type), ()):
        hint = "ivo_to_mjd(t) is the modified Julian date of a time" if _sort(known.type) == "time" else None
        raise text.syntax(node.this, f"{said_value(known)} cannot become {said(kind)}", hint)
    _check_constant(node.this, kind, text)
    whole = pa.types.is_integer(kind) and pa.types.is_floating(known.type)
    if whole and text.dialect == "tsql":  # SQL Server cuts the decimals off, engines round
        node.set("this", call("TRUNCATE", node.this, type_=known.type))
    if is_text(kind):
        node.set("this", iso(node.this, text))
    set_value(node, replace(known, name="", type=kind, null=None, datatype="", arraysize=""))
    sizes = [int(size.name) for size in target.expressions if size.name.isdigit()]
    if is_text(kind) and sizes:
        return call("LEFT", node, number(sizes[0]), type_=kind)
    if exact is None and target.this is exp.DataType.Type.DECIMAL and (sizes or text.dialect == "tsql"):
        return call("ROUND_TO", node, number(sizes[1] if len(sizes) > 1 else 0), type_=kind)
    return node


def _exact_decimal(target: exp.Expr, known: pa.DataType) -> pa.DataType | None:
    """Return the type of a whole decimal of a whole number or a text, such as SDSS's numeric(20): it stays exact."""
    sizes = [int(size.name) for size in target.expressions if size.name.isdigit()]
    if target.this is not exp.DataType.Type.DECIMAL or not sizes or any(sizes[1:]) or sizes[0] > _MOST_DIGITS:
        return None
    if pa.types.is_integer(known):
        return known
    if not is_text(known):
        return None
    return pa.int64() if sizes[0] <= _INT64_DIGITS else pa.uint64()


def iso(node: exp.Expr, text: Text) -> exp.Expr:
    """Return a time of ADQL as DALI writes it (1.1 section 3.3.3), any other value as it is."""
    if text.dialect == "adql" and pa.types.is_temporal(value(node).type):
        return call("TIME_TEXT", node, type_=pa.string())
    return node


def check_time(part: exp.Expr, text: Text) -> None:
    """Refuse a constant text that is no time.

    Raises
    ------
    QuerySyntaxError
        With its place.
    """
    found = _TIME.fullmatch(part.name)
    try:
        datetime.fromisoformat(found[1] if found else "")
    except ValueError:
        hint = "write YYYY-MM-DD or YYYY-MM-DDThh:mm:ss.sss (UTC)"
        raise text.syntax(part, f"{part.name!r} is not a time", hint) from None


def _check_constant(part: exp.Expr, kind: pa.DataType, text: Text) -> None:
    inner = part.this if isinstance(part, exp.Neg) else part
    if not isinstance(inner, exp.Literal):
        return
    sort = _sort(kind)
    if sort == "time":
        check_time(inner, text)
    if sort in {"whole", "real"} and not NUMBER.fullmatch(inner.name):
        raise text.syntax(inner, f"{inner.name!r} is not a number")
    if sort == "whole":
        sign = -1 if inner is not part else 1
        given = sign * (int(inner.name) if inner.name.strip().isdigit() else float(inner.name))
        unsigned = pa.types.is_unsigned_integer(kind)
        low, high = (
            (0, 1 << kind.bit_width) if unsigned else (-1 << kind.bit_width - 1, 1 << kind.bit_width - 1)
        )
        if not low <= given < high:
            raise text.syntax(part, f"{inner.name} is too large for this type: {low} to {high - 1}")


def _sort(kind: pa.DataType) -> str:
    tests = {
        "whole": pa.types.is_integer, "real": pa.types.is_floating, "text": is_text,
        "time": pa.types.is_temporal, "truth": pa.types.is_boolean,
    }  # fmt: skip
    return next((sort for sort, test in tests.items() if test(kind)), "other")
