"""The functions of ADQL 2.1 as a table of their forms, and the check of a call against it.

Sources: ADQL 2.1 sections 2.3 (mathematics), 4.2 (geometry), 4.9.1 (IN_UNIT). Aggregates, COALESCE, CAST,
LOWER and UPPER have a syntax or a node of their own and stand in ``_primaries``.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from sqlglot import exp

__all__ = ["FUNCTIONS", "GEOMETRIES", "WITH_FRAME", "forms_of", "is_geometry", "wrong_argument"]

_X = ("x",)

FUNCTIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "ABS": _X,
        "CEILING": _X,
        "DEGREES": _X,
        "EXP": _X,
        "FLOOR": _X,
        "LOG": _X,
        "LOG10": _X,
        "MOD": ("x, y",),
        "PI": ("",),
        "POWER": ("x, y",),
        "RADIANS": _X,
        "RAND": ("", "seed"),
        "ROUND": ("x", "x, digits"),
        "SQRT": _X,
        "TRUNCATE": ("x", "x, digits"),
        "ACOS": _X,
        "ASIN": _X,
        "ATAN": _X,
        "ATAN2": ("y, x",),
        "COS": _X,
        "COT": _X,
        "SIN": _X,
        "TAN": _X,
        "IN_UNIT": ("x, unit",),
        "AREA": ("shape",),
        "BOX": ("lon, lat, width, height", "point, width, height"),
        "CENTROID": ("shape",),
        "CIRCLE": ("lon, lat, radius", "point, radius"),
        "CONTAINS": ("shape, shape",),
        "COORD1": ("point",),
        "COORD2": ("point",),
        "COORDSYS": ("shape",),
        "DISTANCE": ("point, point", "lon1, lat1, lon2, lat2"),
        "INTERSECTS": ("shape, shape",),
        "POINT": ("lon, lat",),
        "POLYGON": ("lon, lat, lon, lat, lon, lat, ...", "point, point, point, ..."),
        "REGION": ("stcs",),
    }
)
"""Every function by its upper-case name: its forms. A parameter's name is its kind: ``point`` and
``shape`` take geometries, ``unit`` and ``stcs`` text literals, ``seed`` and ``digits`` whole numbers
written out, all others numbers."""

GEOMETRIES: frozenset[str] = frozenset({"BOX", "CENTROID", "CIRCLE", "POINT", "POLYGON", "REGION"})
"""The functions whose value is a geometry."""

WITH_FRAME: frozenset[str] = frozenset({"BOX", "CIRCLE", "POINT", "POLYGON"})
"""The functions that may name a coordinate system first (deprecated, ADQL 2.1 section 4.2.5)."""

_POINTS = frozenset({"POINT", "CENTROID", "REGION"})


def forms_of(name: str) -> str:
    """Return the forms of a function in words: ``ROUND(x) or ROUND(x, digits)``."""
    return " or ".join(f"{name}({form})" for form in FUNCTIONS[name])


def is_geometry(node: exp.Expr) -> bool:
    """Tell whether a node is certainly a geometry."""
    node = node.unnest()
    return isinstance(node, exp.Anonymous) and node.this in GEOMETRIES


def wrong_argument(name: str, arguments: Sequence[exp.Expr]) -> tuple[exp.Expr | None, str] | None:
    """Check a call of one of `FUNCTIONS`.

    Returns
    -------
    None if the call is good, else the argument that is wrong (None: their number) and what is wrong.
    """
    kinds = _polygon_kinds(arguments) if name == "POLYGON" else _KINDS[name].get(len(arguments))
    if kinds is None:
        return None, f"{name} does not take {len(arguments)} argument{'' if len(arguments) == 1 else 's'}"
    for kind, argument in zip(kinds, arguments, strict=True):
        accepts, wanted = _ACCEPTS.get(kind, _NUMBER)
        if not accepts(argument.unnest()):
            return argument, f"{name} needs {wanted} here"
    return None


def _polygon_kinds(arguments: Sequence[exp.Expr]) -> tuple[str, ...] | None:
    # A column may hold a point or a number; only what is surely no point decides for numbers.
    count = len(arguments)
    if count >= 3 and all(_may_be_point(a.unnest()) for a in arguments):
        return ("point",) * count if count < 6 or count % 2 else ("any",) * count
    return ("lon", "lat") * (count // 2) if count >= 6 and count % 2 == 0 else None


def _own_name(node: exp.Expr) -> str | None:
    return node.this if isinstance(node, exp.Anonymous) and node.this in FUNCTIONS else None


def _may_be_geometry(node: exp.Expr) -> bool:
    if isinstance(node, exp.Anonymous):
        own = _own_name(node)
        return own is None or own in GEOMETRIES
    return isinstance(node, exp.Column | exp.Cast | exp.Coalesce | exp.Case | exp.Placeholder)


def _may_be_point(node: exp.Expr) -> bool:
    own = _own_name(node)
    return _may_be_geometry(node) and (own is None or own in _POINTS)


def _may_be_number(node: exp.Expr) -> bool:
    return not is_geometry(node) and not node.is_string


def _is_text(node: exp.Expr) -> bool:
    return node.is_string


def _is_whole_number(node: exp.Expr) -> bool:
    if isinstance(node, exp.Neg):
        node = node.this
    return isinstance(node, exp.Placeholder) or (
        isinstance(node, exp.Literal) and not node.is_string and str(node.this).isdigit()
    )


_Check = Callable[[exp.Expr], bool]
_NUMBER: tuple[_Check, str] = (_may_be_number, "a number")
_ACCEPTS: Mapping[str, tuple[_Check, str]] = {
    "point": (_may_be_point, "a point, such as POINT(ra, dec) or a column of points,"),
    "shape": (_may_be_geometry, "a geometry, such as POINT(ra, dec) or CIRCLE(ra, dec, radius),"),
    "unit": (_is_text, "a unit as text, such as 'km/s',"),
    "stcs": (_is_text, "a region as text, such as 'CIRCLE ICRS 10 20 0.5',"),
    "seed": (_is_whole_number, "a whole number"),
    "digits": (_is_whole_number, "a whole number"),
    "any": (lambda _node: True, ""),
}
_KINDS: Mapping[str, Mapping[int, tuple[str, ...]]] = {
    name: {len(kinds): kinds for kinds in (tuple(form.split(", ")) if form else () for form in forms)}
    for name, forms in FUNCTIONS.items()
}
