"""Kinds of geometry: which columns are points, circles, polygons and regions, and what may be asked of them.

A value is a geometry by its xtype (DALI 1.2 section 3.3): arrays of degrees are ``point``, ``circle``,
``polygon`` and ``range``; texts are ``shape`` as DALI writes it, or STC-S as TAP 1.0 section 6 does. A
*region* is any shape: its kind is known row by row.
"""

from collections.abc import Mapping
from dataclasses import replace

import pyarrow as pa
from sqlglot import exp

from awe.core.sql._place import Text
from awe.core.sql.functions import FUNCTIONS, GEOMETRY
from awe.core.sql.rules._kinds import is_null, is_number, is_text, said
from awe.core.sql.rules._state import has_value, set_value, value
from awe.core.tables import Column
from awe.errors import QueryError

__all__ = [
    "CASTS",
    "CAST_HINTS",
    "SHAPES",
    "agreed_shape",
    "cast_to_shape",
    "check_form",
    "fits",
    "is_geometry",
    "said_value",
    "shape_kind",
]

SHAPES: Mapping[str, Column] = {
    "point": Column("", pa.list_(pa.float64(), 2), unit="deg", ucd="pos.eq", xtype="point"),
    "circle": Column("", pa.list_(pa.float64(), 3), unit="deg", ucd="pos.outline", xtype="circle"),
    "polygon": Column("", pa.list_(pa.float64()), unit="deg", ucd="pos.outline", xtype="polygon"),
    "region": Column("", pa.string(), ucd="pos.outline", xtype="adql:REGION"),
}
"""What is known of a computed geometry, by its kind: the VOTable types of ADQL 2.1 section 3.5."""

CASTS = frozenset({"POINT", "CIRCLE", "POLYGON"})
"""Types of geometry that CAST offers (ADQL 2.1 section 4.7.1)."""

_ARRAYS = {"point": "point", "circle": "circle", "polygon": "polygon", "range": "region"}
_TEXTS = {
    "shape": "region", "stc": "region", "stc-s": "region", "stcs": "region", "adql:region": "region",
    "adql:point": "point", "adql:circle": "circle", "adql:polygon": "polygon", "adql:box": "polygon",
}  # fmt: skip
_NUMBERS = {"point": 2, "circle": 3}


def shape_kind(column: Column) -> str:
    """Return ``point``, ``circle``, ``polygon`` or ``region``; empty for what is no geometry."""
    xtype = column.xtype.casefold()
    if is_text(column.type):
        return _TEXTS.get(xtype, "")
    kind = _ARRAYS.get(xtype, "") if _is_floats(column.type) else ""
    if kind and pa.types.is_fixed_size_list(column.type):
        return kind if _NUMBERS.get(kind, column.type.list_size) == column.type.list_size else ""
    return kind


def _is_floats(kind: pa.DataType) -> bool:
    lists = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    return bool(lists and pa.types.is_floating(kind.value_type))


def said_value(column: Column) -> str:
    """Return what a message calls a value."""
    kind = shape_kind(column)
    return {"": said(column.type), "region": "a region"}.get(kind, f"a {kind.upper()}")


def fits(kind: str, column: Column) -> bool:
    """Say whether a value may be an argument of a kind that concerns geometry."""
    shape = shape_kind(column)
    return (
        shape == "point" if kind == "point" else shape != "" or (kind == "place" and is_number(column.type))
    )


def is_geometry(node: exp.Expr) -> bool:
    """Say whether a bound node is something that ``rules.spatial`` carries out."""
    if isinstance(node, exp.Anonymous):
        return FUNCTIONS[node.name].kind == GEOMETRY
    return isinstance(node, exp.Cast) and has_value(node) and shape_kind(value(node)) in _ARRAYS.values()


def agreed_shape(columns: list[Column], node: exp.Expr, text: Text) -> Column | None:
    """Return what is known of a value that is one of several, if they are geometries.

    Raises
    ------
    QuerySyntaxError
        If they are of different kinds.
    """
    known = [column for column in columns if not is_null(column.type)]
    kinds = {shape_kind(column) for column in known}
    if not known or kinds == {""}:
        return None
    if len(kinds) > 1 or any(column.type != known[0].type for column in known):
        names = list(dict.fromkeys(said_value(column) for column in known))
        raise text.syntax(node, f"{' and '.join(names)} do not go together here")
    return replace(known[0], name="", null=None)


def check_form(node: exp.Expr, text: Text) -> None:
    """Check how positions are given to a geometry function: as POINTs or as numbers, not mixed.

    Raises
    ------
    QuerySyntaxError
        At the argument that is wrong.
    """
    if node.name not in _FORMS:
        return
    parts = node.expressions
    points = [shape_kind(value(part)) == "point" for part in parts]
    for part, is_point in zip(parts, points, strict=True):
        if shape_kind(value(part)) and not is_point:
            raise text.syntax(part, f"expected a POINT or a number here, not {said_value(value(part))}")
    with_points, with_numbers = _FORMS[node.name]
    mixed = next((part for part, is_point in zip(parts, points, strict=True) if is_point != points[0]), None)
    if node.name == "POLYGON":
        if mixed is not None:
            raise text.syntax(mixed, "the vertices of a POLYGON are all POINTs or all numbers", _hint(node))
        good = len(parts) >= 3 if points[0] else len(parts) >= 6 and len(parts) % 2 == 0
    else:
        heads = with_points if points[0] else 0
        behind = next(
            (p for p, is_point in zip(parts[heads:], points[heads:], strict=True) if is_point), None
        )
        if behind is not None:
            raise text.syntax(behind, "expected a number here, not a POINT", _hint(node))
        good = len(parts) == (with_points + with_numbers[0] if points[0] else with_numbers[1])
        good = good and all(points[:heads])
    if not good:
        raise text.syntax(node, f"{node.name} does not take these {len(parts)} arguments", _hint(node))


_FORMS: Mapping[str, tuple[int, tuple[int, int]]] = {
    "CIRCLE": (1, (1, 3)), "BOX": (1, (2, 4)), "DISTANCE": (2, (0, 4)), "POLYGON": (0, (0, 0)),
}  # fmt: skip
"""POINTs in front, numbers behind them, and numbers where no POINT is given."""


def _hint(node: exp.Expr) -> str:
    return {
        "CIRCLE": "CIRCLE(ra, dec, radius) or CIRCLE(point, radius)",
        "BOX": "BOX(ra, dec, width, height) or BOX(point, width, height)",
        "DISTANCE": "DISTANCE(point, point) or DISTANCE(ra1, dec1, ra2, dec2)",
        "POLYGON": "POLYGON(ra, dec, ra, dec, ra, dec, ...) or POLYGON(point, point, point, ...)",
    }[node.name]


def cast_to_shape(node: exp.Expr, text: Text) -> exp.Expr:
    """Settle a CAST to a geometry.

    Raises
    ------
    QuerySyntaxError
        If the value is neither text, nor an array of numbers, nor such a geometry already.
    """
    kind = node.args["to"].text("kind").casefold()
    given = value(node.this)
    shape = shape_kind(given)
    good = (
        is_text(given.type) or is_null(given.type) or shape == kind or (not shape and _is_floats(given.type))
    )
    if not good:
        raise text.syntax(node.this, f"{said_value(given)} cannot become a {kind.upper()}", CAST_HINTS[kind])
    return set_value(node, SHAPES[kind])


CAST_HINTS: Mapping[str, str] = {
    "point": "CAST('12.3 45.6' AS POINT)",
    "circle": "CAST('12.3 45.6 0.5' AS CIRCLE)",
    "polygon": "CAST('10 10 11 10 11 11' AS POLYGON)",
}
"""The texts that CAST takes, as DALI writes them; STC-S is taken too."""


def wrong_order(node: exp.Expr, text: Text) -> QueryError:
    """Return the error of asking which of two geometries is larger."""
    return text.syntax(node, "geometries have no order", "compare COORD1, COORD2 or AREA of them")
