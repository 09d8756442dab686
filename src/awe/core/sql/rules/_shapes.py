"""Read geometry out of the tree: positions, regions, and tests between them.

A `Near` or `Inside` is what any dialect's spatial predicate says; ``rules.spatial`` decides how it is
carried out.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from awe.core.sky import Box, Circle, Polygon, Region
from awe.core.sql._place import Text
from awe.core.sql.rules._build import binary, call, constant, number
from awe.errors import PositionError, QueryError

__all__ = ["Around", "Inside", "Near", "Place", "distance_of", "place_of", "region_of", "test_of"]


@dataclass(frozen=True)
class Place:
    """A position: right ascension and declination as expressions."""

    ra: exp.Expr
    dec: exp.Expr

    @property
    def constant(self) -> tuple[float, float] | None:
        """The position as numbers, if it is one."""
        ra, dec = constant(self.ra), constant(self.dec)
        return None if ra is None or dec is None else (ra, dec)


@dataclass(frozen=True)
class Around:
    """A circle whose centre or radius is not constant."""

    centre: Place
    radius: exp.Expr


@dataclass(frozen=True)
class Near:
    """Two positions are closer than a radius (degrees); `strict`: not equal to it."""

    one: Place
    other: Place
    radius: exp.Expr
    strict: bool = False
    negated: bool = False


@dataclass(frozen=True)
class Inside:
    """A position is inside a constant region."""

    place: Place
    region: Region
    negated: bool = False


Test = Near | Inside


def test_of(node: exp.Expr, text: Text) -> Test | None:
    """Return the spatial test that a condition is, or None."""
    if isinstance(node, exp.Anonymous):
        reader = _CONDITIONS.get(node.name)
        return reader(node, text) if reader is not None else None
    if type(node) not in _MIRRORED:
        return None
    for left, right, kind in (
        (node.this, node.expression, type(node)),
        (node.expression, node.this, _MIRRORED[type(node)]),
    ):
        if isinstance(left, exp.Anonymous) and left.name in {"CONTAINS", "INTERSECTS"}:
            return _flag(left, right, kind, text)
        found = distance_of(left, text)
        if found is not None and kind in _LESS and distance_of(right, text) is None:
            one, other, per_degree = found
            radius = binary(exp.Div, right, number(per_degree)) if per_degree != 1 else right
            strict, negated = _LESS[kind]
            return Near(one, other, radius, strict=strict, negated=negated)
    return None


_MIRRORED: Mapping[type[exp.Expr], type[exp.Expr]] = {
    exp.EQ: exp.EQ, exp.NEQ: exp.NEQ, exp.LT: exp.GT, exp.GT: exp.LT, exp.LTE: exp.GTE, exp.GTE: exp.LTE,
}  # fmt: skip
_LESS: Mapping[type[exp.Expr], tuple[bool, bool]] = {
    exp.LT: (True, False), exp.LTE: (False, False), exp.GT: (False, True), exp.GTE: (True, True),
}  # fmt: skip


def _flag(left: exp.Expr, right: exp.Expr, kind: type[exp.Expr], text: Text) -> Test | None:
    """Read ``CONTAINS(...) = 1`` and the like."""
    wanted = constant(right)
    if kind not in {exp.EQ, exp.NEQ} or wanted not in {0.0, 1.0}:
        raise text.syntax(left, f"{left.name} is compared with 1 or 0", f"write 1 = {left.name}(...)")
    test = pair_test(left, text)
    return test if (kind is exp.EQ) == (wanted == 1.0) else replace(test, negated=not test.negated)


def pair_test(node: exp.Expr, text: Text) -> Test:
    """Return what CONTAINS or INTERSECTS tests."""
    first, second = node.expressions
    shapes = [place_of(first) or region_of(first, text), place_of(second) or region_of(second, text)]
    one, other = shapes if isinstance(shapes[0], Place) or node.name == "CONTAINS" else shapes[::-1]
    if isinstance(one, Place) and isinstance(other, Place):
        return Near(one, other, number(0.0))
    if isinstance(one, Place):
        if isinstance(other, Around):
            return Near(one, other.centre, other.radius)
        if isinstance(other, Circle):
            return Near(one, Place(number(other.ra), number(other.dec)), number(other.radius))
        if isinstance(other, Region):
            return Inside(one, other)
    discs = [_disc(shape) for shape in (one, other)]
    if discs[0] is not None and discs[1] is not None:
        kind = exp.Sub if node.name == "CONTAINS" else exp.Add
        return Near(discs[0].centre, discs[1].centre, binary(kind, discs[1].radius, discs[0].radius))
    raise text.refused(
        node, f"{node.name} of these two shapes is not offered", "test a POINT, or two CIRCLEs"
    )


def _disc(shape: Place | Around | Region | None) -> Around | None:
    if isinstance(shape, Around):
        return shape
    if isinstance(shape, Circle):
        return Around(Place(number(shape.ra), number(shape.dec)), number(shape.radius))
    return None


def distance_of(node: exp.Expr, text: Text) -> tuple[Place, Place, float] | None:
    """Return two positions and the unit of their distance, per degree, if the node is one.

    A distance times a number, such as ``q3c_dist(...) * 3600``, is a distance in another unit.
    """
    if isinstance(node, (exp.Mul, exp.Div)):
        for inner, factor in ((node.this, node.expression), (node.expression, node.this)):
            scale = constant(factor)
            found = distance_of(inner, text) if scale is not None and scale > 0 else None
            if found is not None and scale is not None and (isinstance(node, exp.Mul) or inner is node.this):
                return *found[:2], found[2] * scale if isinstance(node, exp.Mul) else found[2] / scale
        return None
    if not isinstance(node, exp.Anonymous) or node.name not in _DISTANCES:
        return None
    parts = node.expressions
    if len(parts) == 4:
        return Place(parts[0], parts[1]), Place(parts[2], parts[3]), _DISTANCES[node.name]
    places = [place_of(p) for p in parts]
    if places[0] is None or places[-1] is None or len(places) != 2:
        raise text.refused(node, "DISTANCE takes two POINTs or four numbers")
    return places[0], places[1] or places[0], _DISTANCES[node.name]


_DISTANCES = {"DISTANCE": 1.0, "Q3C_DIST": 1.0, "FDISTANCEARCMINEQ": 60.0}


def place_of(node: exp.Expr) -> Place | None:
    """Return the position that a POINT is."""
    if isinstance(node, exp.Anonymous) and node.name == "POINT":
        return Place(*node.expressions)
    return None


def region_of(node: exp.Expr, text: Text) -> Region | Around:
    """Return the region that CIRCLE, BOX or POLYGON is.

    Raises
    ------
    QueryError
        If it is not on the sky, with its place.
    NotOfferedError
        If it is not constant and no circle, or no region at all.
    """
    reader = _REGIONS.get(node.name) if isinstance(node, exp.Anonymous) else None
    if reader is None:
        raise text.refused(
            node,
            "a column of positions or regions cannot be tested",
            "write POINT(ra, dec), CIRCLE(ra, dec, r)",
        )
    try:
        return reader(node, text)
    except PositionError as error:
        raise text.error(QueryError, node, error.message, error.hint) from error


def _flat(parts: Sequence[exp.Expr]) -> list[exp.Expr]:
    flat: list[exp.Expr] = []
    for part in parts:
        place = place_of(part)
        flat += [part] if place is None else [place.ra, place.dec]
    return flat


def _numbers(node: exp.Expr, text: Text, parts: Sequence[exp.Expr]) -> list[float]:
    values = [constant(part) for part in parts]
    numbers = [v for v in values if v is not None]
    if len(numbers) != len(values):
        raise text.refused(node, f"{node.name} takes constants here", "only CIRCLE may depend on columns")
    return numbers


def _circle(node: exp.Expr, text: Text) -> Region | Around:
    parts = _flat(node.expressions)
    if len(parts) != 3:
        raise text.syntax(node, "CIRCLE takes a position and a radius", "CIRCLE(ra, dec, radius)")
    values = [constant(part) for part in parts]
    ra, dec, radius = values
    if ra is None or dec is None or radius is None:
        return Around(Place(parts[0], parts[1]), parts[2])
    return Circle(ra, dec, radius)


def _box(node: exp.Expr, text: Text) -> Region:
    parts = _numbers(node, text, _flat(node.expressions))
    if len(parts) != 4:
        raise text.syntax(node, "BOX takes a position, a width and a height", "BOX(ra, dec, width, height)")
    return Box(*parts)


def _polygon(node: exp.Expr, text: Text) -> Region:
    return _vertices(node, text, _flat(node.expressions))


def _vertices(node: exp.Expr, text: Text, parts: Sequence[exp.Expr]) -> Region:
    values = _numbers(node, text, parts)
    if len(values) % 2 or len(values) < 6:
        raise text.syntax(node, "a polygon takes at least three vertices: ra, dec, ra, dec, ra, dec")
    return Polygon(tuple(zip(values[::2], values[1::2], strict=True)))


_REGIONS: Mapping[str, Callable[[exp.Expr, Text], Region | Around]] = {
    "CIRCLE": _circle, "BOX": _box, "POLYGON": _polygon,
}  # fmt: skip


def _cone(node: exp.Expr, text: Text) -> Test:
    ra, dec, ra0, dec0, radius = node.expressions
    around = call("CIRCLE", ra0, dec0, radius)
    around.meta["start"] = node.meta.get("start", 0)
    region_of(around, text)
    return Near(Place(ra, dec), Place(ra0, dec0), radius)


def _poly(node: exp.Expr, text: Text) -> Test:
    ra, dec, array = node.expressions
    try:
        return Inside(Place(ra, dec), _vertices(node, text, array.expressions))
    except PositionError as error:
        raise text.error(QueryError, node, error.message, error.hint) from error


_CONDITIONS: Mapping[str, Callable[[exp.Expr, Text], Test]] = {
    "Q3C_RADIAL_QUERY": _cone, "Q3C_JOIN": _cone, "Q3C_POLY_QUERY": _poly,
}  # fmt: skip
